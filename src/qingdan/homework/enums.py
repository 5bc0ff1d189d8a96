"""Closed sets of the homework app. Where the policy pack has a category of the same name, the codes are the pack's (a test compares)."""

from __future__ import annotations

from django.db.models import TextChoices


class HomeworkForm(TextChoices):
    """How a piece of homework is done; the pack's ``homework_form``."""

    WRITTEN = "written", "书面"
    ORAL = "oral", "口头"
    READING = "reading", "阅读"
    PRACTICAL = "practical", "实践"
    INQUIRY = "inquiry", "探究"
    ELECTRONIC = "electronic", "电子"


class HomeworkPlace(TextChoices):
    """Where it is done; the pack's ``homework_place``."""

    HOME = "home", "家庭"
    SCHOOL = "school", "校内"


class HomeworkTier(TextChoices):
    """For whom it is; the pack's ``homework_tier``."""

    BASIC = "basic", "基础"
    EXTENDED = "extended", "拓展"
    PERSONAL = "personal", "个性化"


class MarkedBy(TextChoices):
    """Who marks it; the pack's ``marked_by``."""

    TEACHER = "teacher", "教师批改"
    PEER = "peer", "学生互批"
    PUPIL = "pupil", "学生自批"
    PARENT = "parent", "家长检查或批改"


class DoneBy(TextChoices):
    """Who does it; the pack's ``done_by``."""

    PUPIL = "pupil", "学生"
    PUPIL_WITH_PARENT = "pupil_with_parent", "学生与家长一起"
    PARENT = "parent", "家长"


class HomeworkStatus(TextChoices):
    """Where a piece of homework stands."""

    OUT = "out", "已布置"
    HELD = "held", "待统筹"
    RETURNED = "returned", "已退回"
    WITHDRAWN = "withdrawn", "已撤回"


class Settling(TextChoices):
    """What a year-group head may do with a piece of homework."""

    REDUCE = "reduce", "减时长"
    MOVE = "move", "改日子"
    SCHOOL = "school", "改在校内"
    RELEASE = "release", "放行"
    RETURN = "return", "退回"


class DesignOrigin(TextChoices):
    """Where a design comes from."""

    CHOSEN = "chosen", "选编"
    ADAPTED = "adapted", "改编"
    OWN = "own", "自主创编"


class DesignStatus(TextChoices):
    """Where a design stands in the review."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审"
    PUBLISHED = "published", "已入库"
    RETURNED = "returned", "已退回"


class DesignAct(TextChoices):
    """What happened to a design on its way."""

    SUBMITTED = "submitted", "提交审核"
    PUBLISHED = "published", "审核入库"
    RETURNED = "returned", "退回"
    WITHDRAWN = "withdrawn", "撤下"


class SleepAnswer(TextChoices):
    """What a family says of the evening."""

    DONE_IN_TIME = "done_in_time", "做完了，按时睡"
    STOPPED_IN_TIME = "stopped_in_time", "没做完，也按时睡"
    LATE = "late", "做到很晚才睡"


class Fault(TextChoices):
    """What a check may find wrong with a piece of homework; each is a column ``is_<code>`` of the fact."""

    BEYOND_STANDARD = "beyond_standard", "超出课标"
    AHEAD_OF_PROGRESS = "ahead_of_progress", "超前于进度"
    TOO_HARD = "too_hard", "难度过大"
    MECHANICAL = "mechanical", "机械重复"
    INEFFECTIVE = "ineffective", "无效作业"
    PUNITIVE = "punitive", "惩罚性"


class DisclosureState(TextChoices):
    """Where a grade's week stands with its disclosure."""

    OPEN = "open", "未到公示日"
    DUE = "due", "待公示"
    LATE = "late", "逾期"
    PUBLISHED = "published", "已公示"
    CHANGED = "changed", "公示后有变动"
