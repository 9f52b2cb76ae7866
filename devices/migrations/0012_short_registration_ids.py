"""Registration ids of ten characters; the longer ones end, and their devices register anew when they meet 4.04."""

from django.db import migrations, models
from django.db.models.functions import Left, Length


def shorten(apps, schema_editor):
    for name, values in (("Registration", {"is_live": False}), ("Observation", {})):
        rows = (
            apps.get_model("devices", name).objects.alias(size=Length("registration_id")).filter(size__gt=10)
        )
        rows.update(registration_id=Left("registration_id", 10), **values)


class Migration(migrations.Migration):
    dependencies = [("devices", "0011_names_of_sms")]

    operations = [
        migrations.RunPython(shorten, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="observation",
            name="registration_id",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AlterField(
            model_name="registration",
            name="registration_id",
            field=models.CharField(max_length=10, unique=True),
        ),
        migrations.AddIndex(
            model_name="credential",
            index=models.Index(fields=["identity"], name="credential_identity"),
        ),
    ]
