"""What the owner is told by mail, and the two ways it leaves: SMTP and a folder of ``.eml`` files."""
