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
                        verbose_name="device",
                    ),
                ),
                ("version", models.CharField(max_length=8, verbose_name="version")),
                ("binding", models.CharField(max_length=8, verbose_name="binding")),
                ("sms_number", models.CharField(blank=True, max_length=20, verbose_name="sms number")),
                ("object_links", models.JSONField(default=dict, verbose_name="object links")),
                ("attributes", models.JSONField(default=list, verbose_name="attributes")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("end_cause", models.CharField(blank=True, max_length=40, verbose_name="end cause")),
            ],
            options={"verbose_name": "registration detail", "verbose_name_plural": "registration details"},
        ),
        migrations.CreateModel(
            name="SouthboundProcess",
            fields=[
                (
                    "flow",
                    models.CharField(max_length=80, primary_key=True, serialize=False, verbose_name="flow"),
                ),
                (
                    "number",
                    models.PositiveSmallIntegerField(
                        help_text="first byte of its DTLS connection ids", verbose_name="number"
                    ),
                ),
                ("pid", models.IntegerField(verbose_name="pid")),
                ("host", models.CharField(max_length=120, verbose_name="host")),
                (
                    "started_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="started at"),
                ),
                (
                    "heartbeat_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="heartbeat at"),
                ),
            ],
            options={"verbose_name": "southbound process", "verbose_name_plural": "southbound processs"},
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
                        verbose_name="device",
                    ),
                ),
                (
                    "registration_id",
                    models.CharField(max_length=10, unique=True, verbose_name="registration id"),
                ),
                ("is_live", models.BooleanField(default=True, verbose_name="is live")),
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
                        verbose_name="transport",
                    ),
                ),
                ("identity", models.CharField(blank=True, max_length=128, verbose_name="identity")),
                ("host", models.CharField(max_length=45, verbose_name="host")),
                ("port", models.IntegerField(verbose_name="port")),
                ("flow", models.CharField(max_length=80, verbose_name="flow")),
                ("lifetime_seconds", models.BigIntegerField(verbose_name="lifetime seconds")),
                ("queue_mode", models.BooleanField(default=False, verbose_name="queue mode")),
                ("registered_at", models.DateTimeField(verbose_name="registered at")),
                ("last_seen_at", models.DateTimeField(verbose_name="last seen at")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
                (
                    "register_digest",
                    models.BigIntegerField(editable=False, null=True, verbose_name="register digest"),
                ),
            ],
            options={
                "verbose_name": "registration",
                "verbose_name_plural": "registrations",
                "indexes": [
                    models.Index(fields=["host", "port"], name="registration_address"),
                    models.Index(fields=["identity"], name="registration_identity"),
                ],
            },
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
