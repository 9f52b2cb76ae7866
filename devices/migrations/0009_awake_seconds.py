from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0008_registration_by_origin"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="awake_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="How long it listens after it spoke, in queue mode. Empty: the house's 93 s, or what SMS needs.",
                null=True,
            ),
        ),
    ]
