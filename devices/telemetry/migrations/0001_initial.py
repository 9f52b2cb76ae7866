"""Values, their history, and traces."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from audit import partitions
from devices.telemetry.history_table import HISTORY

# Rows that are rewritten all the time find their next version's place on their own page.
REWRITTEN = {"telemetry_resourcevalue": 70, "telemetry_tracemessage": 80, "telemetry_tracehead": 50}


def leave_room(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, percent in REWRITTEN.items():
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def part_history(apps, schema_editor):
    partitions.install(schema_editor.connection, HISTORY)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("inventory", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoryRetention",
            fields=[
                (
                    "operator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="history_retention",
                        serialize=False,
                        to="accounts.operator",
                        verbose_name="operator",
                    ),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        help_text="0 keeps no history.",
                        validators=[django.core.validators.MaxValueValidator(3660)],
                        verbose_name="days",
                    ),
                ),
            ],
            options={"verbose_name": "history retention", "verbose_name_plural": "history retentions"},
        ),
        migrations.CreateModel(
            name="TidyingCursor",
            fields=[
                (
                    "name",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="name"),
                ),
                ("last_id", models.BigIntegerField(default=0, verbose_name="last id")),
            ],
            options={"verbose_name": "tidying cursor", "verbose_name_plural": "tidying cursors"},
        ),
        migrations.CreateModel(
            name="TraceHead",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="trace_head",
                        serialize=False,
                        to="inventory.device",
                        verbose_name="device",
                    ),
                ),
                ("count", models.BigIntegerField(verbose_name="count")),
            ],
            options={"verbose_name": "trace head", "verbose_name_plural": "trace heads"},
        ),
        migrations.CreateModel(
            name="ResourceValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", models.CharField(max_length=24, verbose_name="path")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("i", "Integer"),
                            ("n", "Float"),
                            ("b", "Boolean"),
                            ("t", "Text"),
                            ("o", "Opaque"),
                            ("l", "Object link"),
                            ("e", "No value"),
                            ("h", "Hidden"),
                        ],
                        max_length=1,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.FloatField(null=True, verbose_name="number")),
                ("text", models.TextField(null=True, verbose_name="text")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="values",
                        to="inventory.device",
                        verbose_name="device",
                    ),
                ),
            ],
            options={"verbose_name": "resource value", "verbose_name_plural": "resource values"},
        ),
        migrations.CreateModel(
            name="ResourceHistory",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "value", "at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("i", "Integer"),
                            ("n", "Float"),
                            ("b", "Boolean"),
                            ("t", "Text"),
                            ("o", "Opaque"),
                            ("l", "Object link"),
                            ("e", "No value"),
                            ("h", "Hidden"),
                        ],
                        max_length=1,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.FloatField(null=True, verbose_name="number")),
                ("text", models.TextField(null=True, verbose_name="text")),
                (
                    "value",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="history",
                        to="telemetry.resourcevalue",
                        verbose_name="value",
                    ),
                ),
            ],
            options={"verbose_name": "resource history", "verbose_name_plural": "resource historys"},
        ),
        migrations.CreateModel(
            name="TraceMessage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device", "slot", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slot", models.SmallIntegerField(verbose_name="slot")),
                ("number", models.BigIntegerField(verbose_name="number")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "direction",
                    models.CharField(
                        choices=[("in", "From the device"), ("out", "To the device")],
                        max_length=3,
                        verbose_name="direction",
                    ),
                ),
                ("method", models.CharField(max_length=8, verbose_name="method")),
                ("path", models.CharField(max_length=400, verbose_name="path")),
                (
                    "code",
                    models.CharField(
                        blank=True, help_text="of a response, such as 2.05", max_length=5, verbose_name="code"
                    ),
                ),
                ("content_format", models.IntegerField(null=True, verbose_name="content format")),
                ("payload", models.JSONField(null=True, verbose_name="payload")),
                ("payload_bytes", models.IntegerField(default=0, verbose_name="payload bytes")),
                ("duration_ms", models.FloatField(null=True, verbose_name="duration ms")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trace",
                        to="inventory.device",
                        verbose_name="device",
                    ),
                ),
            ],
            options={
                "verbose_name": "trace message",
                "verbose_name_plural": "trace messages",
                "ordering": ["-number"],
            },
        ),
        migrations.AddConstraint(
            model_name="resourcevalue",
            constraint=models.UniqueConstraint(fields=("device", "path"), name="latest_value_once"),
        ),
        migrations.RunPython(part_history, migrations.RunPython.noop),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
