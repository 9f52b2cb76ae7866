"""An end device of a gateway is a device of its own: no row needs to say whose prefix it means."""

from django.db import migrations, models
from django.db.models import Q


def _drop(apps, schema_editor):
    """What was kept under a prefix belongs to no device that anybody could look at."""
    for name in ("ResourceValue", "Observation"):
        apps.get_model("devices", name).objects.exclude(prefix="").delete()


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL does not change a table in the transaction that deleted its rows

    dependencies = [("devices", "0004_non_ip")]

    operations = [
        migrations.RunPython(_drop, migrations.RunPython.noop, atomic=True),
        migrations.RemoveConstraint(model_name="resourcevalue", name="latest_value_once"),
        migrations.RemoveConstraint(model_name="observation", name="observation_once"),
        migrations.RemoveField(model_name="resourcevalue", name="prefix"),
        migrations.RemoveField(model_name="observation", name="prefix"),
        migrations.AddConstraint(
            model_name="resourcevalue",
            constraint=models.UniqueConstraint(fields=["device", "path"], name="latest_value_once"),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.UniqueConstraint(
                fields=["device", "key"], condition=~Q(state="ended"), name="observation_once"
            ),
        ),
    ]
