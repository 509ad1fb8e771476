"""Tasks that run in every server process, in parallel with the calls."""
