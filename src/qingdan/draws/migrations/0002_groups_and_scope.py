"""Draws in which no group has more than so many, and the words of what was drawn from."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("draws", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="draw",
            name="groups",
            field=models.JSONField(blank=True, default=dict, verbose_name="分组"),
        ),
        migrations.AddField(
            model_name="draw",
            name="per_group",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="每组至多"),
        ),
        migrations.AddField(
            model_name="draw",
            name="scope",
            field=models.CharField(blank=True, max_length=200, verbose_name="范围"),
        ),
        migrations.AddConstraint(
            model_name="draw",
            constraint=models.CheckConstraint(
                condition=models.Q(("per_group", None), ("per_group__gte", 1), _connector="OR"),
                name="draw_group_takes_one_or_more",
                violation_error_message="每组至少要能抽一个",
            ),
        ),
    ]
