"""Pages of the library. All are public and only read; every filter works without a script, htmx only spares the reload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from qingdan.library import listings, reading
from qingdan.library.blanks import empty_workbook
from qingdan.library.forms import ClauseFilter, CompareForm, ParameterFilter, RuleFilter
from qingdan.library.wording import in_words, kind_words
from qingdan.policy.comparing import Comparison, Point, compare
from qingdan.policy.documents import ADDRESSEES, MODALITIES
from qingdan.policy.layers import LAYER_KINDS
from qingdan.policy.packs import default_pack
from qingdan.policy.tracing import Traced
from qingdan.storage.downloads import saved

CLAUSES_PER_PAGE = 60


class Request(HttpRequest):
    """A request as the htmx middleware leaves it."""

    htmx: HtmxDetails


def _page(request: HttpRequest, template: str, fragment: str, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or only its results when htmx asks for them."""
    response = render(request, fragment if _wants_results(request) else template, context)
    response["Vary"] = "HX-Request"
    return response


def _listed(request: HttpRequest, template: str, listing: str, form: Form) -> HttpResponse:
    """The same for results that are written already."""
    whole = not _wants_results(request)
    response = render(request, template, {"form": form, "listing": listing}) if whole else HttpResponse(listing)
    response["Vary"] = "HX-Request"
    return response


def _wants_results(request: HttpRequest) -> bool:
    htmx = cast("Request", request).htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Every document with how far it is carried out, and the ways into the rest."""
    pack = default_pack()
    documents = [(each, pack.layers[each.layer], reading.coverage(pack)[each.id]) for each in reading.documents_in_order(pack)]
    layers = [(layer, len(layer.chain) - 1) for layer in reading.layer_order(pack)]
    return render(request, "library/home.html", {"documents": documents, "pack": pack, "layers": layers})


def _fits(each: Traced, chosen: dict[str, Any]) -> bool:
    if chosen["carrier"] and chosen["carrier"] not in {link.sort for link in each.links}:
        return False
    if chosen["addressee"] and chosen["addressee"] not in each.clause.addressee:
        return False
    clause = each.clause
    return reading.contains(chosen["q"], [clause.summary, clause.locator, clause.id, *(link.title for link in each.links)])


@login_not_required
@require_safe
def document(request: HttpRequest, document_id: str) -> HttpResponse:
    """A document's clauses, each with what carries it out."""
    pack = default_pack()
    if document_id not in pack.documents:
        raise Http404
    found = pack.documents[document_id]
    form = ClauseFilter(request.GET)
    chosen = form.chosen()
    clauses: Sequence[Traced] = [each for each in reading.traced(pack)[document_id] if _fits(each, chosen)]
    page = Paginator(clauses, CLAUSES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "document": found,
        "layer": pack.layers[found.layer],
        "coverage": reading.coverage(pack)[document_id],
        "form": form,
        "page": page,
        "chapters": [(reading.chapter(each.clause.locator), each) for each in page],
        "notes": reading.carrier_notes(pack),
        "modalities": MODALITIES,
        "addressees": ADDRESSEES,
        "is_filtered": any(chosen.values()),
    }
    return _page(request, "library/document.html", "library/includes/clauses.html", context)


@login_not_required
@require_safe
def clause(request: HttpRequest, clause_id: str) -> HttpResponse:
    """To the clause in its document: the address that findings and letters may cite for good."""
    pack = default_pack()
    if clause_id not in pack.clauses:
        raise Http404
    owner, wanted = pack.clauses[clause_id]
    page = owner.clauses.index(wanted) // CLAUSES_PER_PAGE + 1
    address = reverse("library:document", args=[owner.id])
    return HttpResponseRedirect(f"{address}{f'?page={page}' if page > 1 else ''}#{quote(clause_id)}")


@login_not_required
@require_safe
def parameters(request: HttpRequest) -> HttpResponse:
    """Every limit: layers and dates, stricter or looser than above, with citation."""
    pack = default_pack()
    form = ParameterFilter(request.GET)
    return _listed(request, "library/parameters.html", listings.limits(pack, form.chosen()["q"]), form)


@login_not_required
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule by subject."""
    pack = default_pack()
    form = RuleFilter(request.GET, pack=pack)
    chosen = form.chosen()
    listing = listings.rules(pack, chosen["q"], chosen["subject"], chosen["layer"], timezone.localdate())
    return _listed(request, "library/rules.html", listing, form)


@login_not_required
@require_safe
def rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """One rule: what it requires, by which clauses, the limits of every place, why, how to mend it, and cases."""
    pack = default_pack()
    if rule_id not in pack.rules:
        raise Http404
    found = pack.rules[rule_id]
    kind = pack.vocabulary.kinds[found.facts]
    tables = reading.figure_tables(pack)
    today = timezone.localdate()
    context = {
        "rule": found,
        "layer": pack.layers[found.layer],
        "subject": reading.subject_labels(pack)[found.subject],
        "kind": kind_words(pack, kind),
        "when": in_words(pack, found, "when"),
        "require": in_words(pack, found, "require"),
        "clauses": [(cite, *pack.clauses[cite]) for cite in found.cites],
        "tables": [tables[name] for name in pack.parameters_of(found)],
        "places": reading.places_of(pack, found, today),
        "replaces": pack.rules.get(found.replaces or ""),
        "cases": reading.shown_cases(pack, found.id),
        "columns": reading.needed_columns(pack, found),
        "is_over": found.until is not None and found.until <= today,
        "modalities": MODALITIES,
    }
    return render(request, "library/rule.html", context)


@login_not_required
@require_safe
def compare_layers(request: HttpRequest) -> HttpResponse:
    """What differs between two layers on a day."""
    pack = default_pack()
    given = request.GET.copy()
    if given and not given.get("on"):
        given["on"] = timezone.localdate().isoformat()
    form = CompareForm(given or None, pack=pack)
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        day, a, b = (form.cleaned_data[name] for name in ("on", "a", "b"))
        comparison = compare(pack, Point(a, day), Point(b, day))
        context |= {
            "comparison": comparison,
            "day": day,
            "a": pack.layers[a],
            "b": pack.layers[b],
            "figures": [(each, *(_cited(limit) for limit in (each.first, each.second))) for each in comparison.figures],
            **_rules_apart(comparison),
        }
    return _page(request, "library/compare.html", "library/includes/comparison.html", context)


def _rules_apart(comparison: Comparison) -> dict[str, Any]:
    """Rules on one side only, and those that both sides have under one title but each on its own law."""
    a = {each.rule.title: each.rule for each in comparison.rules if each.is_in_first}
    b = {each.rule.title: each.rule for each in comparison.rules if not each.is_in_first}
    only_a = [rule for title, rule in a.items() if title not in b]
    only_b = [rule for title, rule in b.items() if title not in a]
    return {
        "only_a": only_a,
        "only_b": only_b,
        "one_sided": len(only_a) + len(only_b),
        "on_own_law": [(rule, b[title]) for title, rule in a.items() if title in b],
    }


def _cited(limit: Any) -> dict[str, Any] | None:
    if limit is None:
        return None
    pack = default_pack()
    cites = [(cite, pack.cite(cite)) for cite in limit.statement.cites]
    return {"text": limit.text, "layer": pack.layers[limit.statement.layer], "cites": cites}


@login_not_required
@require_safe
def layer(request: HttpRequest, code: str) -> HttpResponse:
    """One layer: its place in the order, grades, calendar, documents, and what it says itself."""
    pack = default_pack()
    if code not in pack.layers:
        raise Http404
    found = pack.layers[code]
    stages = pack.vocabulary.categories.get("stage")
    own = [
        (table.parameter, figure) for table in reading.figure_tables(pack).values() for figure in table.figures if figure.layer.code == code
    ]
    context = {
        "layer": found,
        "kind": LAYER_KINDS[found.kind],
        "above": [pack.layers[each] for each in found.chain[1:]],
        "below": [each for each in reading.layer_order(pack) if each.parent == code],
        "documents": [each for each in reading.documents_in_order(pack) if each.layer == code],
        "stages": [(stages.label(name) if stages else name, grades) for name, grades in found.grades.stages.items()],
        "grades_from": pack.layers[found.grades_from],
        "calendars": [calendar for owner, calendar in found.calendars if owner == code],
        "figures": own,
        "rules": [each for each in pack.rules.values() if each.layer == code],
        "in_force": len(pack.rules_in_force(at=code, on=timezone.localdate())),
        "switch_offs": [(each, pack.rules[each.rule]) for each in pack.switch_offs if each.layer == code],
    }
    return render(request, "library/layer.html", context)


@login_not_required
@require_safe
def facts(request: HttpRequest) -> HttpResponse:
    """How to name the columns of a workbook, kind by kind."""
    return render(request, "library/facts.html", {"listing": listings.kinds(default_pack())})


@login_not_required
@require_safe
def facts_template(request: HttpRequest, kind_name: str) -> HttpResponse:
    """An empty workbook of one kind."""
    pack = default_pack()
    kind = pack.vocabulary.kinds.get(kind_name)
    if kind is None or kind.is_derived:
        raise Http404
    return saved(empty_workbook(kind, pack), f"{kind.label}_空表.xlsx")
