"""The facts, on PostgreSQL. The only package that imports sqlalchemy.

Methods are named after facts, and each docstring is a promise that a test holds it to. Functions that change or
lock something take a ``Transaction``; whoever opens it, a flow, decides what must be true together.
"""
