"""Trigram indexes on PostgreSQL, so that a part of a person's name or address is found without reading all of them."""

from django.db import migrations

INDEXES = {
    "accounts_user_trigrams": ("accounts_user", ("email", "name")),
    "accounts_subscriber_trigrams": ("accounts_subscriber", ("number",)),
}


def make(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")  # a trusted one: its owner may
    for name, (table, columns) in INDEXES.items():
        parts = ", ".join(f"upper({column}::text) gin_trgm_ops" for column in columns)
        schema_editor.execute(f"CREATE INDEX {name} ON {table} USING gin ({parts})")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_bulk_jobs")]
    operations = [migrations.RunPython(make, drop)]
