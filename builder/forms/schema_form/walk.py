"""What every part of a walk shares: where it stands, what was posted, what a value begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from builder.errors import N_
from builder.forms.schema_form import scalars
from builder.forms.schema_form.choosing import TYPE_NAMES, best_fit
from builder.forms.schema_form.controls import Controls
from builder.forms.schema_form.merging import Effective, Merger
from builder.forms.schema_form.nodes import ABSENT, Named, Node, Offer, Path
from builder.forms.schema_form.posted import Posted, child

OPTION = N_("Option %(number)s")

Say = Callable[[str, Mapping[str, Any]], str]
ANY = {"type": list(TYPE_NAMES)}


@dataclass(frozen=True)
class Here:
    """Where the walk stands: ``default`` is what the schema around it begins with here; ``refs`` the
    references on the way; ``is_item`` a row of a list, which always has a value."""

    path: Path
    name: str
    label: str
    ui: Mapping[str, Any]
    is_required: bool = False
    is_item: bool = False
    default: Any = ABSENT
    refs: tuple[str, ...] = ()
    depth: int = 0
    level: int = 0

    def below(self, step: str | int, **changes: Any) -> Here:
        return Here(
            (*self.path, step),
            changes.pop("name", child(self.name, step)),
            refs=self.refs,
            depth=self.depth + 1,
            **changes,
        )


class Walk:
    """One walk through one schema. ``posted`` is ``None`` for a form that nobody has sent yet."""

    def __init__(self, merger: Merger, posted: Posted | None, say: Say) -> None:
        self.merger = merger
        self.posted = posted
        self.say = say
        self.count = 0
        self.fixed: dict[str, list[Named]] = {}
        self.controls = Controls(merger, posted, say)

    def node(self, schema: Any, guess: Any, here: Here) -> Node | None:
        """The node of one value; nothing where no value is possible and none is there."""
        raise NotImplementedError

    def _begun(self, merged: Effective, guess: Any, here: Here) -> Any:
        """The guess; else, for what was not on the page, what the schema begins with."""
        if guess is not ABSENT or self._was_shown(here.name):
            return guess
        if here.default is not ABSENT:
            return here.default
        return merged["default"] if "default" in merged else scalars.first_constant(merged, self.merger)

    def _was_shown(self, name: str) -> bool:
        return self.posted is not None and (self.posted.has(name) or self.posted.has(f"{name}.rows"))

    def _offers(self, options: list[Any], guess: Any, choice_name: str) -> tuple[tuple[Offer, ...], int]:
        merged = [self.merger.effective(option, ABSENT)[0] for option in options]
        kinds = ["/".join(scalars.kinds(each)) for each in merged]
        by_kind = len(set(kinds)) == len(kinds) and all(kind in TYPE_NAMES for kind in kinds)
        plain = [TYPE_NAMES[kind] if by_kind else OPTION for kind in kinds]
        titles = [each.get("title") for each in merged]
        chosen = best_fit(options, guess, self.merger)
        sent = self.posted.first(choice_name) if self.posted else None
        if sent is not None and sent.isascii() and sent.isdigit() and int(sent[:6]) < len(options):
            chosen = int(sent[:6])
        offers = tuple(
            Offer(str(at), title or self.say(plain[at], {"number": at + 1}), at, at == chosen)
            for at, title in enumerate(titles)
        )
        return offers, chosen


def inside(ui: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = ui.get(key)
    return inner if isinstance(inner, Mapping) else {}
