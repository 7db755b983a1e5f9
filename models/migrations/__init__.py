"""Alembic's migrations of the schema in models.tables."""
