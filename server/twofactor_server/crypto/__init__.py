"""Hashing, sealing, tokens and codes. The only package that imports argon2, pyotp and cryptography."""
