"""The schema's history, forward only. Every step can run beside a server of the version before it."""

HEAD = "0002"
"""The revision that this version of the server needs."""
