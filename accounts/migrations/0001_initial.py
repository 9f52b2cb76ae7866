"""People, operators and their roles."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from accounts.groups import bring_in_step

# So that a part of a person's name or address is found without reading all of them.
TRIGRAMS = {
    "accounts_user_trigrams": ("accounts_user", ("email", "name")),
    "accounts_subscriber_trigrams": ("accounts_subscriber", ("number",)),
}


def ship(apps, schema_editor):
    """The staff roles as groups with their permissions; later changes of the table follow after each migrate."""
    bring_in_step(apps=apps, using=schema_editor.connection.alias)


def make(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")  # a trusted one: its owner may
    for name, (table, columns) in TRIGRAMS.items():
        parts = ", ".join(f"upper({column}::text) gin_trgm_ops" for column in columns)
        schema_editor.execute(f"CREATE INDEX {name} ON {table} USING gin ({parts})")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in TRIGRAMS:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="HealthProbe",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={"verbose_name": "health probe", "verbose_name_plural": "health probes"},
        ),
        migrations.CreateModel(
            name="Operator",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, unique=True, verbose_name="name")),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        help_text="Shown to people who choose an operator.",
                        max_length=300,
                        verbose_name="description",
                    ),
                ),
                (
                    "support_email",
                    models.EmailField(blank=True, max_length=254, verbose_name="support email"),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Devices of an inactive operator are refused.",
                        verbose_name="is active",
                    ),
                ),
                ("is_open_for_signup", models.BooleanField(default=True, verbose_name="is open for signup")),
                (
                    "allows_nosec",
                    models.BooleanField(
                        default=False,
                        help_text="For laboratories; leave off in the field.",
                        verbose_name="allows devices without encryption",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at"),
                ),
            ],
            options={
                "verbose_name": "operator",
                "verbose_name_plural": "operators",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail")),
                ("name", models.CharField(blank=True, max_length=120, verbose_name="name")),
                ("time_zone", models.CharField(blank=True, max_length=64, verbose_name="time zone")),
                ("is_staff", models.BooleanField(default=False, verbose_name="may sign in to the admin")),
                ("is_active", models.BooleanField(default=True, verbose_name="is active")),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined"),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={"verbose_name": "user", "verbose_name_plural": "users"},
        ),
        migrations.CreateModel(
            name="BulkJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("model", models.CharField(max_length=100, verbose_name="model")),
                ("action", models.CharField(max_length=60, verbose_name="action")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at"),
                ),
                (
                    "touched_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="When rows were last worked on.",
                        verbose_name="touched at",
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.operator",
                        verbose_name="operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "bulk job",
                "verbose_name_plural": "bulk jobs",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="BulkRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("object_id", models.BigIntegerField(verbose_name="object id")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("skipped", "Left alone"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=300, verbose_name="detail")),
                ("at", models.DateTimeField(null=True, verbose_name="at")),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="accounts.bulkjob",
                        verbose_name="job",
                    ),
                ),
            ],
            options={"verbose_name": "bulk row", "verbose_name_plural": "bulk rows"},
        ),
        migrations.CreateModel(
            name="StaffMembership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="invited address")),
                ("name", models.CharField(blank=True, max_length=120, verbose_name="invited name")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("administrator", "Administrator"),
                            ("provisioning", "Provisioning"),
                            ("support", "Support"),
                            ("read_only", "Read-only"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at"),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.operator",
                        verbose_name="operator",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "staff membership",
                "verbose_name_plural": "staff memberships",
                "ordering": ["operator", "user"],
            },
        ),
        migrations.CreateModel(
            name="Subscriber",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.CharField(
                        help_text="What the person names on the phone.",
                        max_length=20,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("^[A-Z0-9-]+$")],
                        verbose_name="account number",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended"), ("closed", "Closed")],
                        default="active",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at"),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscribers",
                        to="accounts.operator",
                        verbose_name="operator",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscribers",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "subscriber",
                "verbose_name_plural": "subscribers",
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="user_email_once"
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrow",
            index=models.Index(fields=["job", "state"], name="bulk_rows_by_state"),
        ),
        migrations.AddIndex(
            model_name="bulkjob",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["touched_at"], name="bulk_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="staffmembership",
            constraint=models.UniqueConstraint(fields=("user", "operator"), name="one_role_per_operator"),
        ),
        migrations.AddConstraint(
            model_name="staffmembership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user__isnull", True)),
                fields=("operator", "email"),
                name="one_invitation_per_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffmembership",
            constraint=models.CheckConstraint(
                condition=models.Q(("user__isnull", True), ("email", ""), _connector="XOR"),
                name="a_person_or_an_invitation",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.UniqueConstraint(fields=("user", "operator"), name="one_account_per_operator"),
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
        migrations.RunPython(make, drop),
    ]
