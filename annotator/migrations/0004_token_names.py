"""Names of API tokens."""

import django.db.models.deletion
from django.db import migrations, models

import annotator.models.account


class Migration(migrations.Migration):
    dependencies = [
        ("annotator", "0003_candidates"),
        ("knox", "0009_extend_authtoken_field"),
    ]

    operations = [
        migrations.CreateModel(
            name="TokenName",
            fields=[
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="naming",
                        serialize=False,
                        to="knox.authtoken",
                    ),
                ),
                (
                    "public_id",
                    models.CharField(default=annotator.models.account.token_id, max_length=32, unique=True),
                ),
                ("label", models.CharField(max_length=100)),
            ],
        ),
    ]
