"""The ledger; the database itself refuses changes of it."""

import django.db.models.deletion
from django.db import migrations, models

from audit import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor.connection)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LedgerHead",
            fields=[
                ("chain", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField(default=0)),
                (
                    "hash",
                    models.CharField(
                        default="0000000000000000000000000000000000000000000000000000000000000000",
                        max_length=64,
                    ),
                ),
            ],
            options={
                "verbose_name": "ledger head",
            },
        ),
        migrations.CreateModel(
            name="LedgerEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("chain", models.BigIntegerField()),
                ("sequence", models.BigIntegerField()),
                ("version", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("user", "Person"),
                            ("device", "Device"),
                            ("system", "Portal"),
                            ("anonymous", "Not signed in"),
                        ],
                        max_length=16,
                    ),
                ),
                ("actor_id", models.CharField(blank=True, max_length=255)),
                ("actor_label", models.CharField(blank=True, max_length=255)),
                ("impersonator_id", models.CharField(blank=True, max_length=255)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("action", models.CharField(max_length=64)),
                (
                    "result",
                    models.CharField(
                        choices=[("ok", "Done"), ("refused", "Refused"), ("failed", "Failed")], max_length=16
                    ),
                ),
                ("cause", models.CharField(blank=True, max_length=64)),
                ("target", models.CharField(blank=True, max_length=255)),
                ("device_id", models.BigIntegerField(blank=True, null=True)),
                ("subscriber_id", models.BigIntegerField(blank=True, null=True)),
                ("operator_id", models.BigIntegerField(blank=True, null=True)),
                ("job_id", models.BigIntegerField(blank=True, null=True)),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
                ("detail", models.JSONField(blank=True, null=True)),
                ("reason", models.TextField(blank=True)),
                ("personal", models.JSONField(blank=True, default=dict)),
                ("previous_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "ledger event",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("device_id__isnull", False)),
                        fields=["device_id", "id"],
                        name="audit_event_device",
                    ),
                    models.Index(
                        condition=models.Q(("subscriber_id__isnull", False)),
                        fields=["subscriber_id", "id"],
                        name="audit_event_subscriber",
                    ),
                    models.Index(
                        condition=models.Q(("job_id__isnull", False)),
                        fields=["job_id", "id"],
                        name="audit_event_job",
                    ),
                    models.Index(fields=["operator_id", "id"], name="audit_event_operator"),
                    models.Index(fields=["at", "id"], name="audit_event_at"),
                    models.Index(
                        condition=models.Q(("cause", ""), _negated=True),
                        fields=["cause", "id"],
                        name="audit_event_cause",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                    models.Index(
                        fields=["action", "id"],
                        name="audit_event_action",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                    models.Index(
                        condition=models.Q(("result", "ok"), _negated=True),
                        fields=["result", "id"],
                        name="audit_event_result",
                    ),
                    models.Index(
                        fields=["target", "id"],
                        name="audit_event_target",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                    models.Index(
                        condition=models.Q(("request_id", ""), _negated=True),
                        fields=["request_id"],
                        name="audit_event_request",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("chain", "sequence"), name="audit_event_chain_sequence")
                ],
            },
        ),
        migrations.CreateModel(
            name="StrangerTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("chain", models.BigIntegerField()),
                ("subject", models.CharField(blank=True, max_length=255)),
                ("action", models.CharField(blank=True, max_length=64)),
                ("cause", models.CharField(blank=True, max_length=64)),
                ("hour", models.DateTimeField()),
                ("written", models.PositiveIntegerField(default=0)),
                ("held_back", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "tally of strangers",
                "verbose_name_plural": "tallies of strangers",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "chain", "subject", "action", "cause"), name="audit_stranger_tally"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PersonalDatum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("field", models.CharField(max_length=64)),
                ("salt", models.BinaryField()),
                ("value", models.TextField()),
                ("subject", models.CharField(blank=True, db_index=True, max_length=128)),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="personal_data",
                        to="audit.ledgerevent",
                    ),
                ),
            ],
            options={
                "verbose_name": "personal datum",
                "verbose_name_plural": "personal data",
                "constraints": [
                    models.UniqueConstraint(fields=("event", "field"), name="audit_personal_event_field")
                ],
            },
        ),
        migrations.RunPython(install, remove),
    ]
