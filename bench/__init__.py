"""Measurements. Each module is a program that prints a table; no test depends on a time."""
