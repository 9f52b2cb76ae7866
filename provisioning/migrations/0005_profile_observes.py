"""What a profile wants observed on the devices behind gateways."""

from django.db import migrations, models

import provisioning.observed_paths


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0004_profile_reads_and_rights")]

    operations = [
        migrations.AddField(
            model_name="bootstrapprofile",
            name="observes",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text='Paths observed on every device behind a gateway that has them, e.g. ["/3303"].',
                validators=[provisioning.observed_paths.check],
                verbose_name="observed behind gateways",
            ),
        ),
    ]
