from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backups_app", "0016_site_identity"),
    ]

    operations = [
        migrations.AddField(
            model_name="workertick",
            name="alike",
            field=models.JSONField(null=True, help_text="Settings by name: their value, of a key its mark. No key."),
        ),
    ]
