"""The readers of the environment refuse nonsense, and the pages carry the headers that keep strangers out."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from qingdan.settings import env_bool, env_folders, env_secret, read_database_url


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("ON", True), ("0", False), ("no", False), ("", False)])
def test_yes_and_no(text: str, value: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", text)
    assert env_bool("X") is value


def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X", "vielleicht")
    with pytest.raises(ImproperlyConfigured, match="只能是 1 或 0"):
        env_bool("X")
    for secret in ("short", "a" * 64):
        monkeypatch.setenv("X", secret)
        with pytest.raises(ImproperlyConfigured, match="太短或太简单"):
            env_secret("X")
    monkeypatch.setenv("X", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match="文件夹不存在"):
        env_folders("X")


def test_database_addresses() -> None:
    read = read_database_url("postgresql://user:p%40ss@db.example:5433/qing?sslmode=require")
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"]) == ("user", "p@ss", "db.example", "5433", "qing")
    assert read["OPTIONS"] == {"sslmode": "require", "prepare_threshold": 1_000_000}
    socket = read_database_url("postgresql://postgres:@/postgres?host=/run/pg")
    assert (socket["HOST"], socket["PORT"], socket["OPTIONS"]) == ("/run/pg", "", {"prepare_threshold": 1_000_000})


@pytest.mark.parametrize(
    ("url", "told"),
    [("mysql://x/y", "只用 PostgreSQL"), ("postgresql://host", "没有写数据库名"), ("postgresql://host:port/x", "端口不是数字")],
)
def test_database_addresses_that_make_no_sense(url: str, told: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=told):
        read_database_url(url)


def test_what_a_server_lacks_is_told_by_check(settings: Settings) -> None:
    settings.MISSING = ["没有设置环境变量 QINGDAN_SECRET_KEY"]
    assert any("QINGDAN_SECRET_KEY" in message.msg for message in run_checks())


def test_every_page_forbids_inline_scripts_and_frames(db: None) -> None:
    for address in (reverse("home"), reverse("accounts:login"), "/nothing/"):
        response = Client().get(address)
        policy = response["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        page = response.content.decode()
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page


def test_errors_are_told_in_chinese(db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "没有找到这个页面" in client.get("/nothing/").content.decode()
    assert "这个请求无法处理" in Client(headers={"host": "evil.example"}).get("/").content.decode()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("qingdan.library.listings.limits", broken)
    quiet = Client(raise_request_exception=False)
    response = quiet.get(reverse("library:parameters"))
    assert response.status_code == 500
    assert "服务器出错了" in response.content.decode()
    assert "secret detail" not in response.content.decode()
