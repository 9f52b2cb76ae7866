"""When a key was retired: of those that were before, from now on."""

from django.db import migrations, models
from django.utils import timezone


def begin(apps, schema_editor):
    credentials = apps.get_model("devices", "Credential").objects
    credentials.filter(state="retired").update(retired_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("devices", "0021_tidying_cursor")]
    operations = [
        migrations.AddField(
            model_name="credential", name="retired_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
