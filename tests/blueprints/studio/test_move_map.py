"""The picture of the moves between stages (part 1)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from blueprints.studio.move_map import GAP, NODE_HEIGHT, NODE_WIDTH, in_lines, move_map
from builder.domain.pipeline import Pipeline
from builder.metadata.compiler import compiled
from builder.metadata.editing.stages import possible
from tests import factories


@pytest.fixture(autouse=True)
def words() -> Any:
    from flask_babel import Babel

    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def drawn(document: Any = factories.FREE, **asked: str) -> Any:
    pipeline = compiled(document)
    assert isinstance(pipeline, Pipeline)
    return move_map(pipeline, possible(document), **asked)


def test_every_allowed_move_is_an_arrow_forward_above_and_back_below() -> None:
    found = drawn()
    assert {(arrow.source, arrow.target) for arrow in found.arrows} == possible(factories.FREE)
    (node,) = {node.y for node in found.nodes}
    for arrow in found.arrows:
        ends = [int(each) for each in re.findall(r"-?[0-9]+", arrow.path)]
        assert 0 <= ends[0] <= found.width
        if arrow.way == "next":
            assert arrow.path == f"M{ends[0]} {node + NODE_HEIGHT // 2}H{ends[0] + GAP - 3}"
        else:
            assert ends[3] < node if arrow.way == "forward" else ends[3] > node + NODE_HEIGHT


def test_the_arrows_of_one_stage_and_the_one_in_hand() -> None:
    found = drawn(only="b", chosen="a>b")
    assert found.arrows
    assert all("b" in (arrow.source, arrow.target) for arrow in found.arrows)
    assert found.hidden + len(found.arrows) == len(possible(factories.FREE))
    assert found.chosen is not None
    assert found.chosen.name == "From A to B"
    nothing = drawn(only="nowhere", chosen="a>nowhere")
    assert (nothing.only, nothing.chosen, nothing.hidden) == ("", None, 0)


def test_what_is_allowed_by_itself_is_told_from_the_rule() -> None:
    document = {**factories.FREE, "transitions": {"default": "next", "allow": [["lost", "a"]]}}
    single = [arrow.mark for arrow in drawn(document).arrows if arrow.is_single]
    assert single == ["lost>a"]


def test_a_picture_of_twelve_stages_is_as_wide_as_they_are() -> None:
    stages = [factories.stage(f"s{number}", number) for number in range(12)]
    found = drawn({**factories.FREE, "stages": stages})
    assert found.width == 20 + 12 * NODE_WIDTH + 11 * GAP
    assert len(found.arrows) == 12 * 11


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Won", ("Won",)),
        ("Needs analysis and budget", ("Needs analysis", "and budget")),
        ("Donaudampfschifffahrtsgesellschaft", ("Donaudampfschif", "ffahrtsgesells…")),
        ("方案制定与商务谈判", ("方案制定与商务", "谈判")),
        ("", ("",)),
    ],
)
def test_names_stand_in_two_lines(name: str, lines: tuple[str, ...]) -> None:
    assert in_lines(name) == lines
