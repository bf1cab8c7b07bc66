"""Contexts of templates that threads may share.

The macros of a file are made once and called by all requests. Where such a file turns escaping off for a
part of itself (``autoescape``), Jinja empties the state of its context for a moment before it puts it back; a
macro called by another thread at that moment would find no state at all. Threads may still put each other's
state back, so a macro that turns escaping off does so for the whole of itself (tests/test_templates.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2.nodes import EvalContext
from jinja2.runtime import Context


class SteadyEvalContext(EvalContext):
    """As Jinja's own, but never without a value while it goes back to what it was."""

    def revert(self, old: Mapping[str, Any]) -> None:
        """Take the values of ``save`` again; names that came since stay."""
        self.__dict__.update(old)


class SharedContext(Context):
    """The context of a template, or of the macros of a file, that several threads may be in."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.eval_ctx = SteadyEvalContext(self.environment, self.name)
