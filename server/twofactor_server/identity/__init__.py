"""Asking identity providers: the only package that speaks HTTP, and that reads tokens which others have signed."""
