"""Registrations and processes."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# A refresh changes nothing that is in an index; with room on each page its next version finds its place there.
FILLFACTOR = 75


def leave_room(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE registry_registration SET (fillfactor = {FILLFACTOR})")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("inventory", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RegistrationDetail",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="registration_detail",
                        serialize=False,
                        to="inventory.device",
                    ),
                ),
                ("version", models.CharField(max_length=8)),
                ("binding", models.CharField(max_length=8)),
                ("sms_number", models.CharField(blank=True, max_length=20)),
                ("object_links", models.JSONField(default=dict)),
                ("attributes", models.JSONField(default=list)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_cause", models.CharField(blank=True, max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="SouthboundProcess",
            fields=[
                ("flow", models.CharField(max_length=80, primary_key=True, serialize=False)),
                (
                    "number",
                    models.PositiveSmallIntegerField(help_text="first byte of its DTLS connection ids"),
                ),
                ("pid", models.IntegerField()),
                ("host", models.CharField(max_length=120)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("heartbeat_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="registration",
                        serialize=False,
                        to="inventory.device",
                    ),
                ),
                ("registration_id", models.CharField(max_length=10, unique=True)),
                ("is_live", models.BooleanField(default=True)),
                (
                    "transport",
                    models.CharField(
                        choices=[
                            ("udp", "UDP"),
                            ("dtls", "DTLS"),
                            ("tcp", "TCP"),
                            ("tls", "TLS"),
                            ("sms", "SMS"),
                        ],
                        max_length=4,
                    ),
                ),
                ("identity", models.CharField(blank=True, max_length=128)),
                ("host", models.CharField(max_length=45)),
                ("port", models.IntegerField()),
                ("flow", models.CharField(max_length=80)),
                ("lifetime_seconds", models.BigIntegerField()),
                ("queue_mode", models.BooleanField(default=False)),
                ("registered_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("register_digest", models.BigIntegerField(editable=False, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["host", "port"], name="registration_address"),
                    models.Index(fields=["identity"], name="registration_identity"),
                ],
            },
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
