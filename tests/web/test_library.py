"""The public library: every page of the built-in pack opens, links resolve, and the filters find."""

from __future__ import annotations

import io
import re

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from qingdan.library.wording import in_words
from qingdan.policy.packs import default_pack

PACK = default_pack()


def page(name: str, *arguments: str, **filters: str) -> str:
    response = Client().get(reverse(f"library:{name}", args=arguments), filters)
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize("document", PACK.documents)
def test_every_clause_of_a_document_is_shown_with_what_carries_it_out(document: str) -> None:
    whole = PACK.documents[document]
    shown = "".join(page("document", document, page=str(number)) for number in range(1, (len(whole.clauses) - 1) // 60 + 2))
    for clause in whole.clauses:
        assert f'id="{clause.id}"' in shown
        for rule in PACK.rules_by_clause.get(clause.id, ()):
            assert reverse("library:rule", args=[rule.id]) in shown


def test_the_address_of_a_clause_leads_to_it() -> None:
    for document in PACK.documents.values():
        for clause in (document.clauses[0], document.clauses[-1]):
            response = Client().get(reverse("library:clause", args=[clause.id]))
            address, _, anchor = response["Location"].partition("#")
            assert f'id="{anchor}"' in Client().get(address).content.decode()


def test_clauses_are_filtered_by_text_carrier_and_addressee() -> None:
    found = page("document", "s2", q="初中 90", carrier="rule")
    assert "s2.homework.limits-junior" in found
    assert "s2.background.training-purpose" not in found
    for addressee in ("parent", "bank"):
        shown = page("document", "s2", addressee=addressee)
        count = sum(addressee in clause.addressee for clause in PACK.documents["s2"].clauses)
        assert f"筛选出 {count} 条" in shown
    assert "没有符合条件的条款" in page("document", "s2", q="宇宙飞船")


def test_htmx_gets_the_results_alone() -> None:
    response = Client().get(reverse("library:rules"), {"q": "作业"}, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("rule_id", PACK.rules)
def test_every_rule_has_its_page(rule_id: str) -> None:
    rule = PACK.rules[rule_id]
    shown = page("rule", rule_id)
    assert rule.title in shown
    assert rule.remedy in shown
    assert shown.count("badge qd-compliant") + shown.count("badge qd-breach") + shown.count("badge qd-undetermined") >= len(rule.cases)
    for cite in rule.cites:
        assert reverse("library:clause", args=[cite]) in shown


@pytest.mark.parametrize("rule_id", PACK.rules)
def test_every_rule_is_told_in_words(rule_id: str) -> None:
    """No English of the rule language is left over for a parent to read."""
    for part in ("when", "require"):
        words = in_words(PACK, PACK.rules[rule_id], part)
        assert not re.search(r"\b(AND|OR|NOT|CASE|WHEN|NULL|COALESCE|[a-z]+_[a-z_]+)\b", words), words


def test_a_rule_is_told_in_words_that_can_be_read_aloud() -> None:
    words = in_words(PACK, PACK.rules["homework.daily-total"], "require")
    assert "“书面家庭作业合计”不超过【每日书面家庭作业上限】" in words


def test_rules_are_filtered_by_layer_and_text() -> None:
    assert "homework.daily-total" in page("rules", q="每日书面家庭作业总量")
    in_xinjiang = page("rules", layer="cn-xinjiang")
    assert reverse("library:rule", args=["homework.daily-total"]) in in_xinjiang
    only_shanghai = next(rule for rule in PACK.rules.values() if rule.layer == "cn-shanghai")
    assert reverse("library:rule", args=[only_shanghai.id]) not in in_xinjiang
    assert page("rules", layer="nonsense").count("qd-rule-list") > 1


def test_limits_name_layer_date_and_clause_and_tell_looser_ones() -> None:
    shown = page("parameters")
    for name in PACK.parameters:
        assert f'id="{name}"' in shown
    assert "23:00" in shown
    assert "比上级宽" in shown, "Xinjiang's 23:00 against the nation's 21:00"


def test_layers_are_compared() -> None:
    shown = page("compare", a="cn-shanghai", b="cn-xinjiang")
    assert "23:00" in shown
    assert "更宽" in shown
    assert "限值全部相同" in page("compare", a="cn", b="cn")
    assert "日期写成" in page("compare", a="cn", b="cn-shanghai", on="昨天")
    assert "没有“atlantis”这一层" in page("compare", a="cn", b="atlantis")
    before = page("compare", a="cn", b="cn-shanghai", on="2021-08-23")
    assert "2021年8月23日" in before


@pytest.mark.parametrize("code", PACK.layers)
def test_every_layer_has_its_page(code: str) -> None:
    shown = page("layer", code)
    assert PACK.layers[code].name in shown
    assert ("qd-fictional" in shown) == PACK.layers[code].fictional


@pytest.mark.parametrize("kind", [kind.name for kind in PACK.vocabulary.recorded_kinds])
def test_every_kind_of_table_can_be_had_empty_and_is_recognised_again(kind: str) -> None:
    response = Client().get(reverse("library:template", args=[kind]))
    book = load_workbook(io.BytesIO(response.content))
    head = [cell.value for cell in book.worksheets[0][1]]
    asked = [column.label for column in PACK.vocabulary.kinds[kind].columns.values() if column.compute is None]
    assert head == asked
    assert book.worksheets[1].title == "填写说明"


def test_the_page_on_workbooks_names_every_column_word() -> None:
    shown = page("facts")
    for kind in PACK.vocabulary.recorded_kinds:
        assert f'id="{kind.name}"' in shown
        assert all(header in shown for column in kind.columns.values() if column.compute is None for header in column.headers)


@pytest.mark.parametrize(
    ("name", "argument"),
    [("document", "s99"), ("clause", "s2.none"), ("rule", "no.rule"), ("layer", "mars"), ("template", "class_day"), ("template", "none")],
)
def test_what_does_not_exist_is_not_found(name: str, argument: str, db: None) -> None:
    response = Client().get(reverse(f"library:{name}", args=[argument]))
    assert response.status_code == 404
    assert "没有找到这个页面" in response.content.decode()


def test_every_link_of_the_library_leads_somewhere(db: None) -> None:
    client, seen = Client(), set[str]()
    queue = [reverse("home"), reverse("library:home")]
    while queue and len(seen) < 150:
        address = queue.pop()
        if address in seen:
            continue
        seen.add(address)
        response = client.get(address, follow=True)
        assert response.status_code == 200, address
        if "html" not in response["Content-Type"]:
            continue
        links = re.findall(r'href="(/[^"#]*)', response.content.decode())
        # One of each sort is enough: the tests above open them all.
        queue += [link.replace("&amp;", "&") for link in dict.fromkeys(links) if "/static/" not in link and "/clauses/" not in link][:40]
