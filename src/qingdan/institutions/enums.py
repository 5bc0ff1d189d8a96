"""Closed sets of the institutions app. Where the policy pack has a category of the same name, the codes are the pack's."""

from __future__ import annotations

from django.db.models import TextChoices

from qingdan.accounts.enums import CompetentDepartment as CompetentDepartment


class TrainingCategory(TextChoices):
    """Academic or not; the pack's ``training_category``."""

    ACADEMIC = "academic", "学科类"
    NON_ACADEMIC = "non_academic", "非学科类"


class TrainingField(TextChoices):
    """What it is about; the pack's ``training_field``."""

    ACADEMIC = "academic", "学科"
    SPORTS = "sports", "体育"
    CULTURE = "culture", "文化艺术"
    SCIENCE = "science", "科技"
    OTHER = "other", "其他"


class TrainingAudience(TextChoices):
    """For whom it is; the pack's ``training_audience``."""

    PRESCHOOL = "preschool", "学龄前儿童"
    COMPULSORY = "compulsory", "义务教育阶段"
    SENIOR = "senior", "普通高中"
    COMPULSORY_AND_SENIOR = "compulsory_and_senior", "义务教育和普通高中"


class TrainingMode(TextChoices):
    """How it is taught; the pack's ``training_mode``."""

    OFFLINE = "offline", "线下"
    ONLINE = "online", "线上"


#: Which department is in charge of which field (S0.9①, S1 一（二）4).
DEPARTMENT_OF_FIELD: dict[str, CompetentDepartment] = {
    TrainingField.ACADEMIC: CompetentDepartment.EDUCATION,
    TrainingField.SPORTS: CompetentDepartment.SPORTS,
    TrainingField.CULTURE: CompetentDepartment.CULTURE,
    TrainingField.SCIENCE: CompetentDepartment.SCIENCE,
}


class RegistrationKind(TextChoices):
    """As what an institution is registered."""

    NON_PROFIT = "non_profit", "民办非企业单位（非营利性）"
    COMPANY = "company", "企业（营利性）"
    PUBLIC = "public", "事业单位"


class ApprovalBasis(TextChoices):
    """On what its right to teach rests; the pack's ``approval_basis``."""

    APPROVAL = "approval", "审批"
    FILING = "filing", "备案"
    NONE = "none", "未经审批"


class InstitutionState(TextChoices):
    """Whether it goes on."""

    ACTIVE = "active", "在册"
    SUSPENDED = "suspended", "停业整顿"
    CLOSED = "closed", "已注销"


class ApplicationKind(TextChoices):
    """What is applied for. ``pack_kind`` is what the law's ``application_kind`` calls it."""

    NEW = "new", "设立许可"
    REREGISTRATION = "reregistration", "重新登记为非营利性"
    FILING_TO_APPROVAL = "filing_to_approval", "线上备案改审批"
    PREMISES = "premises", "增设教学点"
    CHANGE = "change", "变更"
    CONVERSION = "conversion", "转型（学科转非学科、营转非）"
    RENEWAL = "renewal", "延续"
    CLOSURE = "closure", "终止办学"

    @property
    def pack_kind(self) -> str:
        """The code that rules over ``institution_application`` know."""
        known = {
            "filing_to_approval": "reregistration",
            "premises": "change",
            "closure": "change",
        }
        return known.get(self.value, self.value)


class ApplicationState(TextChoices):
    """Where an application stands."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待核对材料"
    INCOMPLETE = "incomplete", "待补正"
    ACCEPTED = "accepted", "已受理，部门审查中"
    TO_VISIT = "to_visit", "待现场核查"
    TO_NOTIFY = "to_notify", "待公示"
    ON_NOTICE = "on_notice", "公示中"
    TO_DECIDE = "to_decide", "待决定"
    APPROVED = "approved", "已批准"
    REFUSED = "refused", "不予批准"
    WITHDRAWN = "withdrawn", "已撤回"


#: Neither approved, refused nor withdrawn.
OPEN_STATES = (
    ApplicationState.SUBMITTED,
    ApplicationState.INCOMPLETE,
    ApplicationState.ACCEPTED,
    ApplicationState.TO_VISIT,
    ApplicationState.TO_NOTIFY,
    ApplicationState.ON_NOTICE,
    ApplicationState.TO_DECIDE,
)


class ApplicationAct(TextChoices):
    """What happens to an application."""

    SUBMIT = "submit", "提交"
    RETURN = "return", "材料不齐，退回补正"
    ACCEPT = "accept", "受理"
    CONSULT = "consult", "另一部门会签"
    REVIEW = "review", "审查通过"
    VISIT = "visit", "现场核查"
    NOTIFY = "notify", "开始公示"
    OBJECT = "object", "公示期异议"
    END_NOTICE = "end_notice", "公示期满"
    APPROVE = "approve", "批准"
    REFUSE = "refuse", "不予批准"
    WITHDRAW = "withdraw", "撤回"


class StaffRole(TextChoices):
    """What somebody does there; the pack's ``staff_role``."""

    TEACHING = "teaching", "教学人员"
    SUPPORT = "support", "教研教辅人员"
    ADMINISTRATION = "administration", "管理服务人员"


class CourseState(TextChoices):
    """Where a course's filing stands."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审核"
    FILED = "filed", "已备案"
    RETURNED = "returned", "已退回"
    ENDED = "ended", "已停开"


class SessionState(TextChoices):
    """Whether a session takes place."""

    PLANNED = "planned", "已排"
    CANCELLED = "cancelled", "已取消"


class ListColour(TextChoices):
    """White list or black list."""

    WHITE = "white", "白名单"
    BLACK = "black", "黑名单"


class InspectionState(TextChoices):
    """Where one institution's yearly inspection stands."""

    WAITING = "waiting", "待自查"
    REPORTED = "reported", "已交自查，待核查"
    PASSED = "passed", "合格"
    TO_CORRECT = "to_correct", "限期整改"
    FAILED = "failed", "不合格"


class CapitalDeal(TextChoices):
    """What was done with its capital; the pack's ``capital_deal``."""

    ORDINARY = "ordinary", "普通出资或转让"
    LISTING = "listing", "上市融资"
    CAPITALISATION = "capitalisation", "其他资本化运作"
    LISTED_INVESTMENT = "listed_investment", "上市公司融资投资"
    LISTED_PURCHASE = "listed_purchase", "上市公司购买资产"
    FOREIGN_HOLDING = "foreign_holding", "外资控股或参股（含协议控制 VIE）"
    FOREIGN_COOPERATION = "foreign_cooperation", "与境外资本合作办学"
    MERGER_FOR_PERMIT = "merger_for_permit", "借并购重组取得资质"


class AdMedium(TextChoices):
    """Where an advertisement was; the pack's ``ad_medium``."""

    MAINSTREAM_MEDIA = "mainstream_media", "主流媒体"
    NEW_MEDIA = "new_media", "新媒体"
    ONLINE_PLATFORM = "online_platform", "网络平台"
    PUBLIC_PLACE = "public_place", "公共场所"
    RESIDENTIAL = "residential", "居民区"
    SCHOOL_GROUND = "school_ground", "中小学校内"
    KINDERGARTEN_GROUND = "kindergarten_ground", "幼儿园内"
    SCHOOL_MATERIAL = "school_material", "教材、校服等校园物品"
    OWN_PREMISES = "own_premises", "机构自有场所"
    OTHER = "other", "其他"


class ActivityKind(TextChoices):
    """A competition, test or publicity; the pack's ``training_activity_kind``."""

    COMPETITION = "competition", "竞赛"
    GRADE_TEST = "grade_test", "等级考试"
    RANKING = "ranking", "排名"
    TEST = "test", "测试"
    PUBLICITY = "publicity", "结果宣传"
    OTHER = "other", "其他活动"


class ActivityRole(TextChoices):
    """The institution's part in it; the pack's ``activity_role``."""

    ORGANISE = "organise", "组织"
    JOIN = "join", "参与"
    ADVERTISE = "advertise", "宣传"


class Weekday(TextChoices):
    """Days of a weekly plan, Monday first."""

    MONDAY = "1", "周一"
    TUESDAY = "2", "周二"
    WEDNESDAY = "3", "周三"
    THURSDAY = "4", "周四"
    FRIDAY = "5", "周五"
    SATURDAY = "6", "周六"
    SUNDAY = "7", "周日"
