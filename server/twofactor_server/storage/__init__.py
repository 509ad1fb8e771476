"""Storage on PostgreSQL. The only package that imports asyncpg, SQLAlchemy and Alembic.

There is one module for each group of tables. Each docstring is a promise that a test of its own proves. Functions take
a ``Transaction``; the flow that opens it decides what must be true together.
"""
