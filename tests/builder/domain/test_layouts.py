"""The first layout that serves decides; where none does, the form is as it is for everybody."""

from __future__ import annotations

import pytest

from builder.domain.labels import Label
from builder.domain.layouts import Layout, Section, Viewpoint, first_serving

ALL = (Section("all", Label(()), ("title",)),)
NEGOTIATION = Layout("late", Label(()), ALL, stages=frozenset({("flow", "talks"), ("other", "talks")}))
SHORT = Layout("short", Label(()), ALL, roles=frozenset({"rep"}))
BOTH = Layout("both", Label(()), ALL, frozenset({"boss"}), frozenset({("flow", "talks")}))


@pytest.mark.parametrize(
    ("role", "pipeline", "stage", "wanted"),
    [
        ("rep", None, None, "short"),
        ("rep", "flow", "first", "short"),
        ("rep", "flow", "talks", "late"),
        ("boss", "other", "talks", "late"),
        ("boss", None, None, None),
        ("boss", "third", "talks", None),
    ],
)
def test_the_first_that_serves_decides(
    role: str, pipeline: str | None, stage: str | None, wanted: str | None
) -> None:
    found = first_serving((NEGOTIATION, SHORT), Viewpoint(role, pipeline, stage))
    assert (found.key if found else None) == wanted


def test_a_layout_of_a_role_and_a_stage_needs_both() -> None:
    assert BOTH.serves(Viewpoint("boss", "flow", "talks"))
    assert not BOTH.serves(Viewpoint("boss", "flow", "first"))
    assert not BOTH.serves(Viewpoint("rep", "flow", "talks"))
