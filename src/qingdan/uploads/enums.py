"""Closed sets of the uploads app."""

from __future__ import annotations

from django.db.models import TextChoices


class UploadStatus(TextChoices):
    """Where an upload stands."""

    WAITING = "waiting", "排队中"
    RUNNING = "running", "体检中"
    DONE = "done", "已完成"
    FAILED = "failed", "未能体检"


#: Not yet at an end.
PENDING = (UploadStatus.WAITING, UploadStatus.RUNNING)


class FindingVerdict(TextChoices):
    """What a finding says; whatever complies is no finding."""

    BREACH = "breach", "违规"
    UNDETERMINED = "undetermined", "待定"
