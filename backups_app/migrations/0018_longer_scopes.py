from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backups_app", "0017_settings_of_hosts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notificationstate",
            name="scope",
            field=models.CharField(
                help_text="What is judged together: backup, rehearsal, deletion:<run> …", max_length=64
            ),
        ),
    ]
