from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backups_app", "0015_places_of_copies"),
    ]

    operations = [
        migrations.CreateModel(
            name="SiteIdentity",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("site", models.CharField(help_text="32 hexadecimal digits.", max_length=32)),
                ("since", models.DateTimeField()),
            ],
        ),
    ]
