"""Clients of identity providers. No other package makes HTTP requests or verifies tokens signed by third parties."""
