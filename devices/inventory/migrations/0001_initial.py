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
                ("endpoint", models.CharField(max_length=255, verbose_name="endpoint")),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        help_text="What the subscriber calls it.",
                        max_length=120,
                        verbose_name="name",
                    ),
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
                        verbose_name="reach",
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
                        verbose_name="onboarding",
                    ),
                ),
                (
                    "security",
                    models.CharField(
                        choices=devices.inventory.security.choices,
                        default="psk",
                        max_length=10,
                        verbose_name="security",
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
                        verbose_name="msisdn confirmed at",
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
                        verbose_name="ownership",
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
                        verbose_name="access",
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
                        verbose_name="provisioning",
                    ),
                ),
                (
                    "setup_cause",
                    models.CharField(
                        blank=True,
                        help_text="Why its set-up failed or stands still; empty when it does not.",
                        max_length=40,
                        verbose_name="setup cause",
                    ),
                ),
                (
                    "awake_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How long it listens after it spoke, in queue mode. Empty: the house's 93 s, or what SMS needs.",
                        null=True,
                        verbose_name="awake seconds",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="Its /25/x/1 at the gateway.",
                        max_length=64,
                        verbose_name="prefix",
                    ),
                ),
                (
                    "gone_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Since when the gateway tells of it no more.",
                        null=True,
                        verbose_name="gone at",
                    ),
                ),
                (
                    "end_devices_read_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Of a gateway: when its whole list of end devices was read last.",
                        null=True,
                        verbose_name="end devices read at",
                    ),
                ),
                ("manufacturer", models.CharField(blank=True, max_length=120, verbose_name="manufacturer")),
                ("model_number", models.CharField(blank=True, max_length=120, verbose_name="model number")),
                ("serial_number", models.CharField(blank=True, max_length=120, verbose_name="serial number")),
                (
                    "firmware_version",
                    models.CharField(blank=True, max_length=120, verbose_name="firmware version"),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at"),
                ),
                (
                    "first_online_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="first online at"),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="accounts.operator",
                        verbose_name="operator",
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
                        verbose_name="subscriber",
                    ),
                ),
                (
                    "via",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        help_text="The gateway that it is behind.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="inventory.device",
                        verbose_name="via",
                    ),
                ),
            ],
            options={
                "verbose_name": "device",
                "verbose_name_plural": "devices",
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
                        verbose_name="plane",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=devices.inventory.security.choices,
                        default="psk",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("identity", models.CharField(max_length=128, verbose_name="identity")),
                ("sealed", models.TextField(editable=False, verbose_name="sealed")),
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
                        verbose_name="state",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at"),
                ),
                ("first_used_at", models.DateTimeField(blank=True, null=True, verbose_name="first used at")),
                ("retired_at", models.DateTimeField(blank=True, null=True, verbose_name="retired at")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credentials",
                        to="inventory.device",
                        verbose_name="device",
                    ),
                ),
            ],
            options={"verbose_name": "credential", "verbose_name_plural": "credentials"},
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
                        verbose_name="plane",
                    ),
                ),
                ("cause", models.CharField(max_length=40, verbose_name="cause")),
                (
                    "claimed_name",
                    models.CharField(
                        blank=True,
                        help_text="endpoint or PSK identity as sent",
                        max_length=255,
                        verbose_name="claimed name",
                    ),
                ),
                ("host", models.CharField(max_length=45, verbose_name="host")),
                ("detail", models.CharField(blank=True, max_length=300, verbose_name="detail")),
                ("count", models.PositiveBigIntegerField(default=1, verbose_name="count")),
                (
                    "first_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="first at"),
                ),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="last at")),
                (
                    "device",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="knocks",
                        to="inventory.device",
                        verbose_name="device",
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
                        verbose_name="operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "knock",
                "verbose_name_plural": "knocks",
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
                ("object_id", models.PositiveIntegerField(verbose_name="object id")),
                ("version", models.CharField(max_length=12, verbose_name="version")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "definition",
                    models.JSONField(
                        help_text="as lwm2m.objects.to_json writes it", verbose_name="definition"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        help_text="name of the file it came in", max_length=200, verbose_name="source"
                    ),
                ),
                (
                    "loaded_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="loaded at"),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.operator",
                        verbose_name="operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "object definition",
                "verbose_name_plural": "object definitions",
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
            model_name="device",
            index=models.Index(condition=models.Q(("via__isnull", False)), fields=["via"], name="device_via"),
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("gone_at__isnull", False)), fields=["gone_at"], name="device_gone"
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("gone_at", None), ("prefix", ""), ("via", None)),
                    models.Q(
                        ("reach", "gateway"),
                        ("via__isnull", False),
                        models.Q(("prefix", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="way_is_whole_and_of_an_end_device",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("access", "retired"), _negated=True),
                    ("gone_at", None),
                    ("via__isnull", False),
                ),
                fields=("via", "prefix"),
                name="prefix_once_of_a_gateway",
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
