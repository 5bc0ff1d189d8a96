"""What a review may find in a course's content and materials; an inspection's items say when they have not yet been counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("institutions", "0006_staff_imports_and_step_days")]

    operations = [
        migrations.AddField("course", "is_vulgar_or_unlawful", models.BooleanField(default=False, verbose_name="低俗或违法内容")),
        migrations.AddField("course", "uses_pirated_material", models.BooleanField(default=False, verbose_name="盗版侵权材料")),
        migrations.AlterField(
            "inspectionitem", "known_breaches", models.PositiveIntegerField(blank=True, null=True, verbose_name="系统已知的问题数")
        ),
    ]
