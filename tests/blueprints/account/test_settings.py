"""A person's own settings."""

from __future__ import annotations

import pytest

from tests.fixtures.town import Town

WANTED = {"name": "Rita Vogel", "locale": "zh_Hans", "theme": "dark", "time_zone": "Asia/Shanghai"}


def test_works_and_redirects_without_htmx(sqlite_town: Town) -> None:
    visitor = sqlite_town.as_("Rita")

    answer = visitor.post("/account/settings", WANTED)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/settings")
    page = visitor.get("/account/settings").text
    assert 'value="Rita Vogel"' in page
    assert 'lang="zh-Hans"' in page
    assert 'data-bs-theme="dark"' in page


def test_works_with_htmx(sqlite_town: Town) -> None:
    answer = sqlite_town.as_("Rita").post("/account/settings", WANTED, htmx=True)

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/account/settings")


def test_language_and_theme_follow_the_person_to_another_browser(sqlite_town: Town) -> None:
    sqlite_town.as_("Rita").post("/account/settings", WANTED)

    assert 'lang="zh-Hans"' in sqlite_town.as_("Rita").get("/account/settings").text


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"name": ""}, "name-error"),
        ({"name": "x" * 201}, "name-error"),
        ({"locale": "tlh"}, "locale-error"),
        ({"time_zone": "Mars/Base"}, "time_zone-error"),
        ({"theme": "pink"}, "theme-error"),
    ],
)
def test_invalid_is_422_named_and_keeps_what_was_typed(
    sqlite_town: Town, wrong: dict[str, str], named: str, htmx: bool
) -> None:
    answer = sqlite_town.as_("Rita").post(
        "/account/settings", {**WANTED, "name": "Typed", **wrong}, htmx=htmx
    )

    assert answer.status_code == 422
    assert named in answer.text
    assert ("<html" in answer.text) is not htmx
    if "name" not in wrong:
        assert 'value="Typed"' in answer.text


def test_strangers_sign_in_first_and_wrong_verbs_are_405(sqlite_town: Town) -> None:
    assert sqlite_town.visitor().get("/account/settings").status_code == 303
    assert sqlite_town.as_("Rita").client.put("/account/settings").status_code in (400, 405)
    assert sqlite_town.as_("Rita").client.delete("/account/settings").status_code in (400, 405)
