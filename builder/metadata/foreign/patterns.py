"""Regular expressions of others, held to a bound: no text makes one run away.

jsonschema-rs reads them as ECMA-262 does and either runs in linear time or counts its steps back; where the
count is used up, the text does not match. A pattern that it cannot read is refused with the schema.
"""

from __future__ import annotations

from functools import lru_cache

import jsonschema_rs

MAX_STEPS = 50_000
MAX_LENGTH = 1_000


class UnreadablePattern(ValueError):
    """Not a regular expression of ECMA-262, too long, or one whose machine would be too large."""


def search(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text. Errors: UnreadablePattern."""
    return _compiled(pattern).is_valid(text)


def check(pattern: str) -> None:
    """Errors: UnreadablePattern."""
    _compiled(pattern)


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    if len(pattern) > MAX_LENGTH:
        raise UnreadablePattern(pattern)
    try:
        return jsonschema_rs.Draft202012Validator(
            {"pattern": pattern},
            pattern_options=jsonschema_rs.FancyRegexOptions(
                backtrack_limit=MAX_STEPS, size_limit=2_000_000, dfa_size_limit=2_000_000
            ),
        )
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise UnreadablePattern(pattern) from error
