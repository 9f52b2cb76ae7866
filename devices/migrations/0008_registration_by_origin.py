"""What a notification is known by is found without reading all registrations."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0007_notification_order"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["host", "port"], name="registration_address"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["identity"], name="registration_identity"),
        ),
    ]
