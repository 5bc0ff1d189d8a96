"""The library over a pack of a user's own, which uses everything that the format can say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.library.wording import in_words
from qingdan.policy.pack import Pack
from qingdan.policy.packs import default_pack, load_pack

INVENTED = Path(__file__).parents[1] / "packs" / "invented"


@pytest.fixture(scope="module", autouse=True)
def pack() -> Iterator[Pack]:
    """The installation's pack with the invented layers over it, for the tests of this file only."""
    before = os.environ.get("QINGDAN_POLICIES")
    os.environ["QINGDAN_POLICIES"] = str(INVENTED)
    yield default_pack()
    if before is None:
        del os.environ["QINGDAN_POLICIES"]
    else:
        os.environ["QINGDAN_POLICIES"] = before
    assert default_pack() is not load_pack(INVENTED)


def page(name: str, *arguments: str, **filters: str) -> str:
    response = Client().get(reverse(f"library:{name}", args=arguments), filters)
    assert response.status_code == 200
    return str(response.content.decode())


def test_every_page_opens(pack: Pack) -> None:
    for name in ("home", "parameters", "rules", "facts"):
        page(name)
    for document in pack.documents:
        page("document", document)
    for layer in pack.layers:
        page("layer", layer)
        page("compare", a="cn", b=layer)
    for rule in pack.rules.values():
        if rule.layer.startswith("inv-"):
            assert rule.title in page("rule", rule.id)
            assert in_words(pack, rule, "require")


@pytest.mark.parametrize(
    ("status", "label", "warning"),
    [("draft", "征求意见", "尚未生效，不作为判定依据"), ("trial", "试行", ""), ("replaced", "已废止", "只用来判定失效以前的记录")],
)
def test_what_does_not_simply_bind_is_marked(status: str, label: str, warning: str, pack: Pack) -> None:
    document = next(document for document in pack.documents.values() if document.status.value == status)
    shown = page("document", document.id)
    assert f"qd-status-{status}" in shown
    assert label in shown
    assert warning in shown
    assert f"qd-status-{status}" in page("home")


def test_rules_that_a_layer_switches_off_are_named_there(pack: Pack) -> None:
    assert pack.switch_offs
    for off in pack.switch_offs:
        shown = page("layer", off.layer)
        assert "不适用的上级规则" in shown
        assert reverse("library:rule", args=[off.rule]) in shown
        assert 'class="is-off"' in page("rule", off.rule)


def test_a_rule_names_the_one_that_it_replaces(pack: Pack) -> None:
    replacing = [rule for rule in pack.rules.values() if rule.replaces and rule.layer.startswith("inv-")]
    assert replacing
    for rule in replacing:
        assert rule.replaces is not None
        assert reverse("library:rule", args=[rule.replaces]) in page("rule", rule.id)


def test_bands_and_cases_of_limits_are_shown(pack: Pack) -> None:
    shown = page("parameters")
    banded = [each for statements in pack.statements.values() for each in statements if any("," in key for key in each.cell)]
    assert banded
    for each in banded:
        assert pack.show_cell(pack.parameters[each.parameter], each.cell) in shown
