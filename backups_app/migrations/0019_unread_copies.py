from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backups_app", "0018_longer_scopes"),
    ]

    operations = [
        migrations.AddField(
            model_name="backupcopy",
            name="unread_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="backupcopy",
            name="unread_code",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="backupcopy",
            name="unread_facts",
            field=models.JSONField(default=dict),
        ),
    ]
