"""Devices, credentials, knocks and object definitions."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import devices.inventory.security

# For the search of devices on PostgreSQL (`devices.registry.selectors.search`).
TRIGRAMS = ("endpoint", "name", "serial_number", "manufacturer", "model_number", "msisdn")


def make(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    parts = ", ".join(f"upper({column}::text) gin_trgm_ops" for column in TRIGRAMS)
    schema_editor.execute(f"CREATE INDEX inventory_device_trigrams ON inventory_device USING gin ({parts})")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX inventory_device_trigrams")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("endpoint", models.CharField(max_length=255)),
                (
                    "name",
                    models.CharField(blank=True, help_text="What the subscriber calls it.", max_length=120),
                ),
                (
                    "reach",
                    models.CharField(
                        choices=[
                            ("ip", "Own internet connection"),
                            ("sms", "SMS only"),
                            ("gateway", "Behind an M2M gateway"),
                        ],
                        default="ip",
                        max_length=10,
                    ),
                ),
                (
                    "onboarding",
                    models.CharField(
                        choices=[
                            ("bootstrap", "Bootstrap server"),
                            ("direct", "Ready-made management credentials"),
                        ],
                        default="bootstrap",
                        max_length=10,
                    ),
                ),
                (
                    "security",
                    models.CharField(
                        choices=devices.inventory.security.choices,
                        default="psk",
                        max_length=10,
                    ),
                ),
                (
                    "msisdn",
                    models.CharField(
                        blank=True,
                        help_text="International, + and digits: the device's identity over SMS, or where triggers go.",
                        max_length=16,
                        verbose_name="phone number",
                    ),
                ),
                (
                    "msisdn_confirmed_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When an SMS came from the number: from then on nobody else can have it.",
                        null=True,
                    ),
                ),
                (
                    "ownership",
                    models.CharField(
                        choices=[
                            ("unclaimed", "Unclaimed"),
                            ("claimed", "Claimed"),
                            ("releasing", "Releasing"),
                            ("transferred", "Transferred"),
                        ],
                        default="unclaimed",
                        max_length=12,
                    ),
                ),
                (
                    "access",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("barred", "Barred"),
                            ("retired", "Retired"),
                        ],
                        default="active",
                        max_length=12,
                    ),
                ),
                (
                    "provisioning",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("ready", "Ready"),
                            ("bootstrapping", "Bootstrapping"),
                            ("applied", "Applied"),
                            ("failed", "Failed"),
                        ],
                        default="draft",
                        max_length=14,
                    ),
                ),
                (
                    "setup_cause",
                    models.CharField(
                        blank=True,
                        help_text="Why its set-up failed or stands still; empty when it does not.",
                        max_length=40,
                    ),
                ),
                (
                    "awake_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How long it listens after it spoke, in queue mode. Empty: the house's 93 s, or what SMS needs.",
                        null=True,
                    ),
                ),
                ("manufacturer", models.CharField(blank=True, max_length=120)),
                ("model_number", models.CharField(blank=True, max_length=120)),
                ("serial_number", models.CharField(blank=True, max_length=120)),
                ("firmware_version", models.CharField(blank=True, max_length=120)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("first_online_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="accounts.operator",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="accounts.subscriber",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plane",
                    models.CharField(
                        choices=[("bootstrap", "Bootstrap server"), ("management", "Management server")],
                        max_length=12,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=devices.inventory.security.choices, default="psk", max_length=10
                    ),
                ),
                ("identity", models.CharField(max_length=128)),
                ("sealed", models.TextField(editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Written, not yet used"),
                            ("active", "Active"),
                            ("retired", "Retired"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("first_used_at", models.DateTimeField(blank=True, null=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credentials",
                        to="inventory.device",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Knock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plane",
                    models.CharField(
                        choices=[("bootstrap", "Bootstrap server"), ("management", "Management server")],
                        max_length=12,
                    ),
                ),
                ("cause", models.CharField(max_length=40)),
                (
                    "claimed_name",
                    models.CharField(
                        blank=True, help_text="endpoint or PSK identity as sent", max_length=255
                    ),
                ),
                ("host", models.CharField(max_length=45)),
                ("detail", models.CharField(blank=True, max_length=300)),
                ("count", models.PositiveBigIntegerField(default=1)),
                ("first_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "device",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="knocks",
                        to="inventory.device",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="knocks",
                        to="accounts.operator",
                    ),
                ),
            ],
            options={
                "ordering": ["-last_at"],
            },
        ),
        migrations.CreateModel(
            name="ObjectDefinition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("object_id", models.PositiveIntegerField()),
                ("version", models.CharField(max_length=12)),
                ("name", models.CharField(max_length=200)),
                ("definition", models.JSONField(help_text="as lwm2m.objects.to_json writes it")),
                ("source", models.CharField(help_text="name of the file it came in", max_length=200)),
                ("loaded_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.operator",
                    ),
                ),
            ],
            options={
                "ordering": ["object_id", "version"],
            },
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(fields=["operator", "-id"], name="device_operator"),
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(fields=["endpoint"], name="device_endpoint"),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(
                condition=models.Q(("access", "retired"), _negated=True),
                fields=("endpoint",),
                name="endpoint_once_among_living",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("access", "retired"), _negated=True), models.Q(("msisdn", ""), _negated=True)
                ),
                fields=("operator", "msisdn"),
                name="msisdn_once_of_an_operator",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("access", "retired"), _negated=True), ("msisdn_confirmed_at__isnull", False)
                ),
                fields=("msisdn",),
                name="msisdn_confirmed_once",
            ),
        ),
        migrations.AddIndex(
            model_name="credential",
            index=models.Index(fields=["identity"], name="credential_identity"),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "retired"), _negated=True),
                fields=("plane", "identity"),
                name="credential_identity_once_per_plane",
            ),
        ),
        migrations.AddIndex(
            model_name="knock",
            index=models.Index(fields=["claimed_name"], name="knock_name"),
        ),
        migrations.AddConstraint(
            model_name="knock",
            constraint=models.UniqueConstraint(
                fields=("plane", "cause", "claimed_name", "host"), name="knock_counted_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="objectdefinition",
            constraint=models.UniqueConstraint(
                fields=("operator", "object_id", "version"), name="object_version_once_per_operator"
            ),
        ),
        migrations.AddConstraint(
            model_name="objectdefinition",
            constraint=models.UniqueConstraint(
                condition=models.Q(("operator", None)),
                fields=("object_id", "version"),
                name="object_version_once_for_all",
            ),
        ),
        migrations.RunPython(make, drop),
    ]
