"""Tasks that run in every server process beside the calls."""
