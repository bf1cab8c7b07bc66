"""The stages of a process and the moves between them as a picture: nodes in a row and arrows (part 1).

Moves forward run above, moves back below, those to the next stage straight. All numbers are units of the
picture (SVG user units), and the picture is as high as its farthest arrow asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from flask_babel import gettext

from blueprints.messages import local
from builder.domain.pipeline import Pipeline, Stage

Move = tuple[str, str]

NODE_WIDTH, NODE_HEIGHT, GAP, MARGIN = 108, 46, 38, 10
RISE, LEAST_RISE = 15, 20
LINE = 15
"""How much of a name fits in a line, in widths of a Latin letter; Chinese takes two."""


@dataclass(frozen=True, slots=True)
class Node:
    """A stage in the picture; ``lines``: its name in at most two lines; ``handle_x``: where arrows begin."""

    key: str
    name: str
    lines: tuple[str, ...]
    color: str
    kind: str
    x: int
    y: int
    text_x: int
    text_y: tuple[int, ...]
    handle_x: int
    handle_y: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """An allowed move. ``path``: how it is drawn; ``is_single``: allowed by itself, not by the general rule;
    ``name``: for those who do not see it.
    """

    source: str
    target: str
    name: str
    path: str
    way: str
    is_single: bool
    is_chosen: bool

    @property
    def mark(self) -> str:
        return f"{self.source}>{self.target}"


@dataclass(frozen=True)
class MoveMap:
    """``only``: the stage whose arrows alone are drawn, empty for all; ``chosen``: the arrow in hand."""

    width: int
    height: int
    node_width: int
    node_height: int
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    hidden: int
    only: str
    chosen: Arrow | None


def move_map(pipeline: Pipeline, moves: Collection[Move], only: str = "", chosen: str = "") -> MoveMap:
    """The picture of all ``moves``, or of those from and to one stage; unknown names choose nothing."""
    stages = pipeline.stages
    only = only if only in pipeline.by_key else ""
    places = {stage.key: place for place, stage in enumerate(stages)}
    shown = sorted(
        (move for move in moves if move[0] != move[1] and (not only or only in move)),
        key=lambda move: (places[move[0]], places[move[1]]),
    )
    steps = [places[target] - places[source] for source, target in shown]
    above = _room(max((step for step in steps if step > 1), default=0))
    below = _room(max((-step for step in steps if step < 0), default=0))
    top = MARGIN + above
    arrows = tuple(_arrows(pipeline, shown, places, top, chosen))
    width = 2 * MARGIN + len(stages) * (NODE_WIDTH + GAP) - GAP
    return MoveMap(
        width,
        top + NODE_HEIGHT + below + MARGIN,
        NODE_WIDTH,
        NODE_HEIGHT,
        tuple(_node(stage, place, top) for place, stage in enumerate(stages)),
        arrows,
        sum(source != target for source, target in moves) - len(shown),
        only,
        next((arrow for arrow in arrows if arrow.is_chosen), None),
    )


def _room(steps: int) -> int:
    """How far an arrow over so many stages is away from the nodes."""
    return LEAST_RISE + RISE * steps if steps else 0


def _node(stage: Stage, place: int, top: int) -> Node:
    x = MARGIN + place * (NODE_WIDTH + GAP)
    name = local(stage.label)
    lines = in_lines(name)
    first = top + NODE_HEIGHT // 2 + (5 if len(lines) == 1 else -3)
    return Node(
        stage.key, name, lines, stage.color or "gray", stage.kind, x, top, x + NODE_WIDTH // 2,
        tuple(first + 16 * line for line in range(len(lines))), x + NODE_WIDTH, top + NODE_HEIGHT // 2,
    )  # fmt: skip


def _arrows(
    pipeline: Pipeline, shown: Sequence[Move], places: dict[str, int], top: int, chosen: str
) -> Iterator[Arrow]:
    for source, target in shown:
        names = {
            "source": local(pipeline.by_key[source].label),
            "target": local(pipeline.by_key[target].label),
        }
        yield Arrow(
            source,
            target,
            gettext("From %(source)s to %(target)s", **names),
            _path(places[source], places[target], len(places), top),
            _way(places[source], places[target]),
            (source, target) in pipeline.allowed,
            f"{source}>{target}" == chosen,
        )


def _way(source: int, target: int) -> str:
    if target == source + 1:
        return "next"
    return "forward" if target > source else "back"


def _path(source: int, target: int, count: int, top: int) -> str:
    """A straight line to the next node, else an arc that encloses all shorter ones of its ends."""
    way, steps = _way(source, target), abs(target - source)
    if way == "next":
        x = MARGIN + source * (NODE_WIDTH + GAP) + NODE_WIDTH
        y = top + NODE_HEIGHT // 2
        return f"M{x} {y}H{x + GAP - 3}"
    # Farther arrows leave and arrive nearer to the middle of a node's neighbour side, so none cross there.
    spread = round((NODE_WIDTH / 2 - 8) * (1 - steps / (count + 1)))
    side = 1 if way == "forward" else -1
    begin, end = _middle(source) + side * spread, _middle(target) - side * spread
    edge, sign = (top, -1) if way == "forward" else (top + NODE_HEIGHT, 1)
    # A cubic curve reaches three quarters of the way to its control points.
    control = edge + sign * round(_room(steps) * 4 / 3)
    return f"M{begin} {edge}C{begin} {control} {end} {control} {end} {edge + 3 * sign}"


def _middle(place: int) -> int:
    return MARGIN + place * (NODE_WIDTH + GAP) + NODE_WIDTH // 2


def in_lines(name: str) -> tuple[str, ...]:
    """A name in at most two lines that fit a node; what does not fit is left out with an ellipsis."""
    first, rest = _line(name)
    if not rest:
        return (first,)
    second, further = _line(rest)
    return first, second[:-1].rstrip() + "…" if further else second


def _line(text: str) -> tuple[str, str]:
    """As much of a text as fits in a line, up to a blank where it has one, and the rest."""
    room, fits = LINE, 0
    for sign in text:
        room -= 2 if east_asian_width(sign) in "WF" else 1
        if room < 0:
            break
        fits += 1
    if fits == len(text):
        return text, ""
    blank = text.rfind(" ", 0, fits + 1)
    at = blank if blank > 0 else fits
    return text[:at].rstrip(), text[at:].lstrip()
