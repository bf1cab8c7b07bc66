"""The compact text of a record's visits: what goes in comes out, whatever the version of the pipeline."""

from __future__ import annotations

import pytest
from hypothesis import given

from builder.domain.journey import Visit, code_of, collisions, encode, parse
from tests.builder.domain.histories import histories, walk
from tests.builder.domain.selling import letters


@given(histories())
def test_journey_keeps_order_stage_and_way_out_of_all_visits_but_void_ones(stays: tuple) -> None:
    expected = [
        Visit(code_of(stay.pipeline_key), code_of(stay.stage_key), stay.left_via)
        for stay in stays
        if not stay.is_void
    ]
    assert list(parse(encode(stays))) == expected


def test_journey_does_not_depend_on_times_amounts_or_positions() -> None:
    stays = walk("a b won")
    moved = [stay._replace(position=stay.position + 3, entered_at=None, amount_minor=None) for stay in stays]
    assert encode(moved) == encode(stays)
    assert len(encode(stays)) == 5 * (1 + 3)


def test_journey_over_two_pipelines_keeps_them_apart() -> None:
    other = walk("a b", letters(key="other"))
    left = walk("a")[0]._replace(left_via="pipeline_change")
    visits = parse(encode((left, *other)))
    assert [visit.pipeline for visit in visits] == [code_of("path"), code_of("other"), code_of("other")]
    assert visits[0].left_via == "pipeline_change"


def test_codes_are_the_same_in_every_process() -> None:
    # Fixed on purpose: the codes are stored, so a change of the digest would need a rebuild.
    assert (code_of("won"), code_of("lead_in")) == ("VII2", "LJkY")
    assert len({code_of(f"stage_{number}") for number in range(100)}) == 100


def test_collisions_are_found_before_they_count() -> None:
    seen: dict[str, str] = {}
    for number in range(100_000):
        key = f"s{number}"
        if code_of(key) in seen:
            break
        seen[code_of(key)] = key
    assert collisions(["a", seen[code_of(key)], "b", key]) == ((seen[code_of(key)], key),)
    assert collisions(["a", "b", "a"]) == ()


@pytest.mark.parametrize("text", ["x", "/abc", ">abcd", "/abcd?abcd", "/abcd>abc"])
def test_text_that_is_no_journey_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a journey"):
        parse(text)


def test_no_visits_are_an_empty_journey() -> None:
    assert encode(()) == ""
    assert parse("") == ()
