"""How long the pages take at the size of a district: the whole demonstration, Django's test client, every middleware.

Each page is asked for once by everybody to see who may have it, then again and again by those: the median, the slowest and the best of
the times on the clock, the processor time of the web server alone (other work on the machine disturbs it less), and how many queries
it makes. A page that nobody was shown is listed, so that none slips through.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measuring import machine, middle, percentile, say, show, spent
from qingdan.embedded import EmbeddedPostgres

if TYPE_CHECKING:
    from django.test import Client
    from django.urls import URLResolver

LIMIT_MS = 50.0
#: Names of addresses that only take a file out of the house, or have their own bench.
_NOT_PAGES = ("xlsx", "export", "template", "report", "logout", "favicon", "openapi")
Arguments = dict[str, Callable[[], tuple[object, ...]]]


@dataclass(frozen=True)
class Timed:
    """One page as one role sees it."""

    name: str
    role: str
    median_ms: float
    slow_ms: float
    best_ms: float
    processor_ms: float
    queries: int
    kilobytes: float


@contextmanager
def house(folder: Path, schools: int) -> Iterator[None]:
    """Django on a database of its own with the district in it; in a folder that is kept, both are found again."""
    database = EmbeddedPostgres(folder / "postgresql")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "qingdan.settings",
        "QINGDAN_DEMO": "1",
        "QINGDAN_VAR": str(folder),
        "QINGDAN_DATABASE_URL": database.start(),
    }
    try:
        import django

        django.setup()
        prepare(schools)
        yield
    finally:
        from django.db import connection

        connection.close()
        database.stop()


def prepare(schools: int) -> None:
    """Tables, static files, the district, and one audit of it."""
    from django.core.management import call_command

    from qingdan.demo.loading import Scale, ensure_district

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    start = time.perf_counter()
    outcome = ensure_district(scale=Scale(schools=schools))
    say(f"district {outcome.act} in {time.perf_counter() - start:.1f} s ({outcome.homework:,} pieces of homework)")
    audit()


def audit() -> None:
    """Let the audit find what there is to find, once."""
    from qingdan.findings.auditing import run_audit
    from qingdan.findings.enums import RunStatus
    from qingdan.findings.models import AuditRun

    if AuditRun.objects.filter(status=RunStatus.DONE).exists():
        return
    start = time.perf_counter()
    run_audit(AuditRun.objects.create().pk)
    say(f"audited in {time.perf_counter() - start:.1f} s")


def arguments() -> Arguments:
    """Records with which the addresses that name one are asked for: the fullest there are."""
    from qingdan.findings.models import AuditRun, Finding
    from qingdan.homework.models import CheckedClass, Design, Disclosure, Homework, SpotCheck
    from qingdan.policy.packs import default_pack
    from qingdan.schools.models import Enrolment, SchoolClass

    room = SchoolClass.objects.get(name="三（2）班", school__organisation__name="示范区第一小学")
    published = Disclosure.objects.filter(school=room.school_id, grade=4, version=2).first()
    week = published.week_from if published else Disclosure.objects.filter(school=room.school_id)[0].week_from
    corrected: tuple[object, ...] = (room.school_id, 4, week.isoformat())
    item = Homework.objects.filter(school_class=room, subject__name="数学").order_by("-on_date")
    pupil = Enrolment.objects.filter(school_class=room).order_by("pupil_id")
    month = Homework.objects.order_by("on_date")[0].on_date
    pack = default_pack()
    return {
        "accounts:token_revoke": lambda: (1,),
        "findings:finding": lambda: (Finding.objects.order_by("pk")[0].pk,),
        "findings:run": lambda: (AuditRun.objects.order_by("-pk")[0].pk,),
        "findings:run_progress": lambda: (AuditRun.objects.order_by("-pk")[0].pk,),
        "homework:board": lambda: (3,),
        "homework:chart": lambda: ("by-grade",),
        "homework:check": lambda: (SpotCheck.objects.all()[0].pk,),
        "homework:check_verify": lambda: (SpotCheck.objects.all()[0].pk,),
        "homework:check_class": lambda: (CheckedClass.objects.all()[0].pk,),
        "homework:design": lambda: (Design.objects.filter(school=room.school_id).published()[0].pk,),
        "homework:design_edit": lambda: (Design.objects.filter(school=room.school_id, status="returned")[0].pk,),
        "homework:edit": lambda: (item[0].pk,),
        "homework:item": lambda: (item[0].pk,),
        "homework:publish": lambda: (3, week.isoformat()),
        "homework:review": lambda: (room.school_id, month.year, month.month),
        "library:clause": lambda: (next(iter(pack.clauses)),),
        "library:document": lambda: (next(iter(pack.documents)),),
        "library:layer": lambda: ("demo-school",),
        "library:rule": lambda: ("homework.daily-total",),
        "public:grade": lambda: corrected[:2],
        "public:qr": lambda: corrected,
        "public:school": lambda: corrected[:1],
        "public:school_qr": lambda: corrected[:1],
        "public:snapshot": lambda: corrected,
        "public:week": lambda: corrected,
        "schools:class": lambda: (room.pk,),
        "schools:class_codes": lambda: (room.pk,),
        "schools:pupil": lambda: (room.pk, pupil[0].pupil_id),
        "schools:school": lambda: (room.school_id,),
        **institution_arguments(),
    }


def institution_arguments() -> Arguments:
    """Those of the training institutions: of the one with an account, or of the registry."""
    from qingdan.accounts.models import Organisation
    from qingdan.demo.plan import INSTITUTION
    from qingdan.institutions.models import (
        Activity,
        Advertisement,
        Application,
        Course,
        Inspection,
        InspectionCampaign,
        Permit,
        Room,
        Session,
        Staff,
    )
    from qingdan.places.calendar import today

    own = Organisation.objects.get(name=INSTITUTION).pk

    def first(found: Any) -> Callable[[], tuple[object, ...]]:
        return lambda: (found.order_by("-pk")[0].pk,)

    of_own = Course.objects.filter(institution=own)
    return {
        "institutions:activity": first(Activity.objects),
        "institutions:advertisement": first(Advertisement.objects),
        "institutions:application": first(Application.objects.filter(state="to_decide")),
        "institutions:application_apply": lambda: ("new",),
        "institutions:application_edit": first(Application.objects.filter(applicant=own, state="draft")),
        "institutions:chart": lambda: ("reduction",),
        "institutions:course": first(of_own.filter(state="submitted")),
        "institutions:course_edit": first(of_own.filter(state="returned")),
        "institutions:inspection": first(Inspection.objects.filter(institution=own)),
        "institutions:inspection_campaign": first(InspectionCampaign.objects),
        "institutions:institution": lambda: (own,),
        "institutions:institution_edit": lambda: (own,),
        "institutions:permit": first(Permit.objects.filter(institution=own)),
        "institutions:permit_check": first(Permit.objects.filter(institution=own)),
        "institutions:room": first(Room.objects.filter(premises__institution=own)),
        "institutions:session": first(Session.objects.filter(institution=own, on_date__gte=today())),
        "institutions:staff_edit": first(Staff.objects.filter(institution=own)),
        "institutions:staff_member": first(Staff.objects.filter(institution=own)),
        "institutions:timetable_of": lambda: (own,),
        "directory:door": lambda: (own,),
        "directory:institution": lambda: (own,),
    }


def names(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, bool]]:
    """Every named address, and whether it takes arguments."""
    from django.urls import URLResolver as Resolver

    for pattern in resolver.url_patterns:
        if isinstance(pattern, Resolver):
            yield from names(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        elif pattern.name and not any(word in f"{pattern.name}{pattern.pattern}" for word in _NOT_PAGES):
            yield f"{namespace}{pattern.name}", bool(pattern.pattern.regex.groups)


def clients() -> dict[str, Client]:
    """Somebody of each role, signed in, and somebody who is not."""
    from django.test import Client

    from qingdan.accounts.models import User
    from qingdan.demo.plan import ACCOUNTS

    found = {"nobody": Client(SERVER_NAME="localhost")}
    for account in ACCOUNTS:
        client = Client(SERVER_NAME="localhost")
        client.force_login(User.objects.get(username=account.username), backend="qingdan.accounts.backends.OrganisationBackend")
        found[account.username.removeprefix("demo-")] = client
    return found


def measure(folder: Path, *, rounds: int, schools: int, only: str) -> None:
    """Ask for every page and show the slowest first."""
    with house(folder, schools):
        timed, unseen = ask_for_all(rounds, only)
        rows = [
            (each.name, each.role, each.median_ms, each.slow_ms, each.best_ms, each.processor_ms, each.queries, each.kilobytes)
            for each in sorted(timed, key=lambda each: -each.median_ms)
        ]
        show(
            "Pages at the size of a district", ["page", "asked by", "median ms", "p95 ms", "best ms", "processor ms", "queries", "kB"], rows
        )
        over = [each for each in timed if each.median_ms > LIMIT_MS]
        say(f"{len(timed)} answers of {len({each.name for each in timed})} pages; {len(over)} over {LIMIT_MS:.0f} ms")
        say(f"never shown to anybody: {', '.join(unseen) or 'none'}")
        say(machine())


def ask_for_all(rounds: int, only: str) -> tuple[list[Timed], list[str]]:
    """The times of every page for everybody to whom it is shown, and the pages that nobody was shown."""
    from django.urls import get_resolver, reverse

    people, given = clients(), arguments()
    timed: list[Timed] = []
    unseen: list[str] = []
    for name, takes_arguments in sorted(set(names(get_resolver()))):
        if only not in name or (takes_arguments and name not in given):
            continue
        try:
            address = reverse(name, args=given[name]() if takes_arguments else ())
        except LookupError:
            unseen.append(name)
            continue
        shown = [found for role, client in people.items() if (found := ask(name, address, role, client, rounds)) is not None]
        timed.extend(shown)
        if not shown:
            unseen.append(name)
    return timed, unseen


def ask(name: str, address: str, role: str, client: Client, rounds: int) -> Timed | None:
    """Ask for one page again and again; None where it is not shown to this role."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    if fetch(client, address)[0] != 200:
        return None
    with CaptureQueriesContext(connection) as captured:
        size = fetch(client, address)[1]
        queries = len(connection.queries_log) - captured.initial_queries
    taken = [spent(lambda: fetch(client, address)) for _ in range(rounds)]
    walls = [each.wall * 1_000 for each in taken]
    once = middle(taken)
    return Timed(name, role, once.wall * 1_000, percentile(walls, 0.95), min(walls), once.cpu * 1_000, queries, size / 1_000)


def fetch(client: Client, address: str) -> tuple[int, int]:
    """Status and size of an answer, read to its end; a page that fails counts as 500."""
    client.raise_request_exception = False
    answer: Any = client.get(address)
    return answer.status_code, len(b"".join(answer.streaming_content) if answer.streaming else answer.content)
