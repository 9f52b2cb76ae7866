"""Values, their history, and traces."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# Rows that are rewritten all the time find their next version's place on their own page.
REWRITTEN = {"telemetry_resourcevalue": 70, "telemetry_tracemessage": 80, "telemetry_tracehead": 50}


def leave_room(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, percent in REWRITTEN.items():
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


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
                    ),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        help_text="0 keeps no history.",
                        validators=[django.core.validators.MaxValueValidator(3660)],
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TidyingCursor",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("last_id", models.BigIntegerField(default=0)),
            ],
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
                    ),
                ),
                ("count", models.BigIntegerField()),
            ],
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
                ("path", models.CharField(max_length=24)),
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
                    ),
                ),
                ("number", models.FloatField(null=True)),
                ("text", models.TextField(null=True)),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="values",
                        to="inventory.device",
                    ),
                ),
            ],
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
                ("at", models.DateTimeField()),
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
                    ),
                ),
                ("number", models.FloatField(null=True)),
                ("text", models.TextField(null=True)),
                (
                    "value",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="history",
                        to="telemetry.resourcevalue",
                    ),
                ),
            ],
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
                ("slot", models.SmallIntegerField()),
                ("number", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "direction",
                    models.CharField(
                        choices=[("in", "From the device"), ("out", "To the device")], max_length=3
                    ),
                ),
                ("method", models.CharField(max_length=8)),
                ("path", models.CharField(max_length=400)),
                ("code", models.CharField(blank=True, help_text="of a response, such as 2.05", max_length=5)),
                ("content_format", models.IntegerField(null=True)),
                ("payload", models.JSONField(null=True)),
                ("payload_bytes", models.IntegerField(default=0)),
                ("duration_ms", models.FloatField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trace",
                        to="inventory.device",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.AddConstraint(
            model_name="resourcevalue",
            constraint=models.UniqueConstraint(fields=("device", "path"), name="latest_value_once"),
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
