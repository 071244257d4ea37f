from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backups_app", "0002_audit_role"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="key_id",
            field=models.CharField(
                blank=True, default="", help_text="Its key. Empty before there was one.", max_length=12
            ),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="chain",
            field=models.CharField(help_text="HMAC of the chain so far and this row (audit_chain.py).", max_length=64),
        ),
    ]
