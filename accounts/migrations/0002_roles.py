"""Ships the staff roles as groups with their permissions; later changes of the table follow after each migrate."""

from django.db import migrations

from accounts.groups import bring_in_step


def ship(apps, schema_editor):
    bring_in_step(apps=apps, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
