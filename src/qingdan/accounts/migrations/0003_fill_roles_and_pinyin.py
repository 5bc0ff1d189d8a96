from django.db import migrations
from pypinyin import Style, lazy_pinyin

ROLE_OF_KIND = {"bureau": "bureau", "school": "school_leader", "institution": "institution"}


def fill(apps, schema_editor):
    """Who had an account before there were roles gets the one that follows from the organisation."""
    User, Organisation = apps.get_model("accounts", "User"), apps.get_model("accounts", "Organisation")
    for kind, role in ROLE_OF_KIND.items():
        User.objects.filter(organisation__kind=kind).update(role=role)
    for organisation in Organisation.objects.iterator():
        initials = "".join(lazy_pinyin(organisation.name, style=Style.FIRST_LETTER))
        organisation.pinyin = f"{' '.join(lazy_pinyin(organisation.name))} {initials}".lower()[:300]
        organisation.save(update_fields=["pinyin"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_roles_regions_and_tokens")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
