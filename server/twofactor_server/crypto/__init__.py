"""Hashing, authenticated encryption, tokens and codes. Alone imports argon2, pyotp, cryptography and segno."""
