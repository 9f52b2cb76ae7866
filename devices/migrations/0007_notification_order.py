"""The number of the newest notification, so that one that was overtaken is known."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0006_sms_answers")]

    operations = [
        migrations.AddField(
            model_name="observation",
            name="notified_number",
            field=models.IntegerField(blank=True, null=True),
        ),
    ]
