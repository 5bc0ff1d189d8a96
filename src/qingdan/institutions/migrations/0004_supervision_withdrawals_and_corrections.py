import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

_IS_STANDING = Q(withdrawn_at=None, withdrawn_by=None, withdrawal_reason="")
_IS_WITHDRAWN = Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawal_reason="")


def _kept(model: str) -> list[migrations.operations.base.Operation]:
    """What was judged that day, and how a record is withdrawn."""
    person = models.ForeignKey(
        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL,
        verbose_name="撤销人",
    )  # fmt: skip
    withdrawal = models.CheckConstraint(
        condition=_IS_STANDING | _IS_WITHDRAWN,
        name=f"{model}_withdrawal_is_explained",
        violation_error_message="撤销记录要写明理由",
    )
    return [
        migrations.AddField(model, "objections", models.JSONField(blank=True, default=list, verbose_name="不合规定之处")),
        migrations.AddField(model, "withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="撤销时间")),
        migrations.AddField(model, "withdrawn_by", person),
        migrations.AddField(model, "withdrawal_reason", models.CharField(blank=True, max_length=300, verbose_name="撤销理由")),
        migrations.AddConstraint(model, withdrawal),
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("institutions", "0003_institution_history_keeps_what_was_before"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *_kept("activity"),
        *_kept("advertisement"),
        migrations.AddField("activity", "recorded_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="记录时间")),
        migrations.AlterField(
            "advertisement", "recorded_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="记录时间")
        ),
        migrations.AddField("inspection", "corrected_at", models.DateTimeField(blank=True, null=True, verbose_name="报告整改完成时间")),
        migrations.AddField("inspection", "correction_note", models.CharField(blank=True, max_length=300, verbose_name="整改说明")),
        migrations.AddConstraint(
            "inspection",
            models.CheckConstraint(
                condition=Q(corrected_at=None) | Q(state="to_correct"),
                name="inspection_corrects_what_was_found",
                violation_error_message="只有限期整改的年检才报告整改完成",
            ),
        ),
    ]
