"""Signing in: the first factor, the challenge that follows it, and the sessions that result."""
