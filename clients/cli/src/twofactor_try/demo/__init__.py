"""The demo: the life cycle of a backup code, on a running server. Each scene is a function."""
