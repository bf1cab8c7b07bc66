"""The errors that people can cause, one hierarchy, turned into HTTP in one place (`blueprints.system`).

An error carries a message key (the English source text, marked with `N_` so that the catalogue finds it)
and the values for its placeholders; it never carries translated text, because only the edge knows the
reader's language. `status` is the HTTP status that the edge answers with, and `exit_code` what the command
line ends with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def N_(text: str) -> str:  # noqa: N802 - the customary name that message extractors look for
    """Mark `text` for the translation catalogue without translating it."""
    return text


@dataclass(frozen=True)
class Problem:
    """One reason why something was refused.

    `message` is a message key, `values` fill its `%(name)s` placeholders, `place` names the field or JSON
    pointer that it is about (empty: the whole).
    """

    message: str
    place: str = ""
    values: dict[str, Any] = field(default_factory=dict)


class FunnelwrightError(Exception):
    """Root of all errors that a person can cause and be told about.

    Shape: `message_key` with `%(name)s` placeholders, `values` for them, and `problems` for errors that
    have several reasons at once.
    """

    status = 400
    exit_code = 1

    def __init__(self, message_key: str, *, problems: tuple[Problem, ...] = (), **values: Any) -> None:
        super().__init__(message_key)
        self.message_key = message_key
        self.values = values
        self.problems = problems

    @property
    def reasons(self) -> tuple[Problem, ...]:
        """What a form tells: the problems, or the error itself where it has none."""
        return self.problems or (Problem(self.message_key, "", self.values),)

    def __str__(self) -> str:
        """The English text, for logs and the command line."""
        text = self.message_key % self.values if self.values else self.message_key
        reasons = (
            problem.message % problem.values if problem.values else problem.message
            for problem in self.problems
        )
        return "; ".join([text, *reasons])


class Malformed(FunnelwrightError):
    """What was sent lacks something that every form of ours sends."""

    status = 400


class NotFound(FunnelwrightError):
    """The thing does not exist, or is not for this reader to know about (another workspace's id)."""

    status = 404

    def __init__(
        self, message_key: str = N_("This does not exist, or you may not see it."), **values: Any
    ) -> None:
        super().__init__(message_key, **values)


class Forbidden(FunnelwrightError):
    """The reader may know about the thing but may not do this to it."""

    status = 403

    def __init__(self, message_key: str = N_("You may not do this."), **values: Any) -> None:
        super().__init__(message_key, **values)


class Invalid(FunnelwrightError):
    """What was sent does not satisfy the rules; `problems` says where and why."""

    status = 422


class Unconfirmed(Invalid):
    """Only warnings stand in the way, told by `problems`: the same again, confirmed, would be done."""

    def __init__(
        self, message_key: str = N_("Read the warnings, then confirm that you go on."), **values: Any
    ) -> None:
        super().__init__(message_key, **values)


class Conflict(FunnelwrightError):
    """What was asked cannot be, given what is stored now."""

    status = 409


class Stale(Conflict):
    """Somebody else changed the thing after it was read; `values` may say what changed."""

    def __init__(
        self,
        message_key: str = N_("Somebody else changed this meanwhile. Look at the new state and try again."),
        **values: Any,
    ) -> None:
        super().__init__(message_key, **values)


class TooLarge(FunnelwrightError):
    """A file or text is larger than the limit named in `values`."""

    status = 413


class Unavailable(FunnelwrightError):
    """Something that the work needs does not answer now: a database, a store, a worker."""

    status = 503
