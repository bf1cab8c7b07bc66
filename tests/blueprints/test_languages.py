"""The language is the person's choice, else the browser's, else English."""

from __future__ import annotations

import pytest
from flask import Flask

from blueprints.languages import choose_language


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_Hans"),
        ("zh", "zh_Hans"),
        ("zh-Hans-SG", "zh_Hans"),
        ("zh-TW", "zh_Hans"),
        ("ZH_cn", "zh_Hans"),
        ("en-US,zh-CN;q=0.9", "en"),
        ("fr-FR,zh-CN;q=0.5,en;q=0.4", "zh_Hans"),
        ("fr-FR,de", "en"),
        ("zh;q=0,en", "en"),
        ("*", "en"),
        ("x" * 3000, "en"),
        (";;;q=,", "en"),
    ],
)
def test_the_browser_is_asked(sqlite_app: Flask, asked: str, language: str) -> None:
    with sqlite_app.test_request_context(headers={"Accept-Language": asked}):
        assert choose_language() == language


@pytest.mark.parametrize(("kept", "language"), [("zh_Hans", "zh_Hans"), ("en", "en"), ("../../etc", "en")])
def test_the_choice_counts_more_than_the_browser(sqlite_app: Flask, kept: str, language: str) -> None:
    with sqlite_app.test_request_context(headers={"Cookie": f"fw_language={kept}", "Accept-Language": "en"}):
        assert choose_language() == language


def test_the_page_says_its_language(sqlite_app: Flask) -> None:
    answer = sqlite_app.test_client().get("/nothing", headers={"Accept-Language": "zh-CN"})

    assert '<html lang="zh-Hans"' in answer.text
