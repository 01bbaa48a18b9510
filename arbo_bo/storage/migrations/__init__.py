"""Alembic's migrations: `env.py` says how they run, `versions` holds them."""
