"""The command that adds an account asks what department an officer works for."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from qingdan.accounts.management.commands.add_account import Command
from qingdan.accounts.models import Organisation, User

PASSWORD = "xiao-qing-dan-2026"
ARGUMENTS = ("--name", "张三", "--organisation", "某区文旅局", "--layer", "demo-district", "--region", "990101", "--role", "department")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What somebody types at the terminal, line by line."""
    lines: list[str] = []
    typed: Iterator[str] = iter(lines)
    monkeypatch.setattr("builtins.input", lambda prompt="": next(typed))
    monkeypatch.setattr("getpass.getpass", lambda prompt="": PASSWORD)
    return lines


def test_at_a_terminal_the_department_is_asked(db: None, answers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Command, "stdin_is_terminal", lambda self: True)
    answers.append("culture")
    out = io.StringIO()
    call_command("add_account", "zhangsan", *ARGUMENTS, stdout=out)
    made = User.objects.get(username="zhangsan")
    assert (made.role, made.employer.kind, made.employer.department) == ("department", "bureau", "culture")
    assert "zhangsan（某区文旅局）" in out.getvalue()


def test_a_department_that_there_is_not_is_refused(db: None, answers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Command, "stdin_is_terminal", lambda self: True)
    answers.append("moon")
    with pytest.raises(CommandError, match="没有部门“moon”；可以写：sports"):
        call_command("add_account", "zhangsan", *ARGUMENTS)
    assert not Organisation.objects.exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "要写明是哪个部门"),
        (("--department", "education"), "教育部门的人员是"),
        (("--department", "culture", "--kind", "school"), "才有部门"),
    ],
)
def test_without_a_terminal_it_stands_in_the_arguments(db: None, answers: list[str], more: tuple[str, ...], told: str) -> None:
    answers.append(PASSWORD)
    with pytest.raises(CommandError, match=told):
        call_command("add_account", "zhangsan", *ARGUMENTS, *more)
    assert not Organisation.objects.exists()


def test_a_second_officer_joins_the_office_but_not_under_another_department(db: None, answers: list[str]) -> None:
    answers += [PASSWORD, PASSWORD, PASSWORD]
    call_command("add_account", "zhangsan", *ARGUMENTS, "--department", "culture", stdout=io.StringIO())
    call_command("add_account", "lisi", *ARGUMENTS, stdout=io.StringIO())
    assert User.objects.get(username="lisi").employer.department == "culture"
    with pytest.raises(CommandError, match="文化和旅游部门"):
        call_command("add_account", "wangwu", *ARGUMENTS, "--department", "sports")
