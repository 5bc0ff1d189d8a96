from django.db import migrations

SUBJECTS = [
    ("chinese", "语文"), ("mathematics", "数学"), ("english", "英语"), ("morality-law", "道德与法治"), ("science", "科学"),
    ("history", "历史"), ("geography", "地理"), ("physics", "物理"), ("chemistry", "化学"), ("biology", "生物学"),
    ("information", "信息科技"), ("physical-education", "体育与健康"), ("music", "音乐"), ("fine-arts", "美术"), ("arts", "艺术"),
    ("labour", "劳动"), ("practice", "综合实践活动"),
]  # fmt: skip


def add(apps, schema_editor):
    """The subjects of compulsory education, by the curriculum plan of 2022."""
    Subject = apps.get_model("schools", "Subject")
    for position, (code, name) in enumerate(SUBJECTS, start=1):
        Subject.objects.update_or_create(code=code, defaults={"name": name, "position": position * 10})


class Migration(migrations.Migration):
    dependencies = [("schools", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
