"""Trigram indexes on PostgreSQL for the search of devices (`devices.selectors.search`)."""

from django.db import migrations

COLUMNS = ("endpoint", "name", "serial_number", "manufacturer", "model_number", "msisdn")


def make(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    parts = ", ".join(f"upper({column}::text) gin_trgm_ops" for column in COLUMNS)
    schema_editor.execute(f"CREATE INDEX devices_device_trigrams ON devices_device USING gin ({parts})")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX devices_device_trigrams")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_trigrams"), ("devices", "0019_overdue_commands")]
    operations = [migrations.RunPython(make, drop)]
