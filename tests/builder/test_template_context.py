"""Macros are shared by threads, and so is the state of their context."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from jinja2 import DictLoader, Environment

from builder.template_context import SharedContext

TEMPLATES = {
    "row.html": "{% macro row(text) %}{% autoescape false %}{{ told(text)|e }}{% endautoescape %}{% endmacro %}",
    "page.html": '{% from "row.html" import row %}{% for n in numbers %}{{ row("<b>") }}{% endfor %}',
}


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns a thousand times as often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_draw_the_same_macro_always_find_its_state(hurried: None) -> None:
    from jinja2 import pass_eval_context

    from builder.template_context import SteadyEvalContext

    @pass_eval_context
    def told(state: SteadyEvalContext, text: str) -> str:
        assert state.autoescape in (True, False)
        return text

    environment = Environment(loader=DictLoader(TEMPLATES), autoescape=True)
    environment.context_class = SharedContext
    environment.globals["told"] = told
    page = environment.get_template("page.html")
    wrong: list[BaseException] = []

    def draw() -> None:
        try:
            for _ in range(20):
                assert page.render(numbers=range(100)) == "&lt;b&gt;" * 100
        except (AttributeError, AssertionError) as error:
            wrong.append(error)

    threads = [threading.Thread(target=draw) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_application_draws_with_such_contexts(sqlite_app: Flask) -> None:
    module = sqlite_app.jinja_env.get_template("components/list_row.html").module
    assert module.list_row
    assert sqlite_app.jinja_env.context_class is SharedContext
