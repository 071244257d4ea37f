from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backups_app", "0014_target_looks"),
    ]

    operations = [
        migrations.AddField(
            model_name="backupcopy",
            name="place",
            field=models.CharField(blank=True, max_length=16, help_text="Mark of the place; empty: not known."),
        ),
        migrations.AddField(
            model_name="targetlook",
            name="place",
            field=models.CharField(blank=True, max_length=16),
        ),
    ]
