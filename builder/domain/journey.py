"""All visits of one record as a short text, so that free filters can group records by it (M1, M2).

Shape: tokens of five characters, a mark and a code. ``/`` and the code of a pipeline begin the visits of
that pipeline; a visit is the mark of how it ended and the code of its stage::

    /k3Xw>Qm1b>9aZ0.Pq7r        two stages left forwards, the third still running

The code of a key is 24 bits of its BLAKE2 digest in URL-safe base 64. Why so: a key of up to 63 characters
a visit made grouping 100,000 records a third slower than this, a number in a dictionary per pipeline would
have to be stored and kept through every new version, a place in the order would change with it, and a
digest is the same in every version and process. Two stages of one pipeline with the same code would be
counted as one: with 30 stages that happens once in 40,000 pipelines, and ``collisions`` finds it before a
pipeline is published. Void stays and all times are left out. Text order and case matter: compare bytewise.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from builder.domain.stays import LeftVia, Stay

CODE_LENGTH = 4
_TOKEN_LENGTH = CODE_LENGTH + 1
_PIPELINE_MARK = "/"
_MARKS: dict[LeftVia | None, str] = {
    None: ".",
    "advance": ">",
    "back": "<",
    "repeat": "=",
    "won": "+",
    "lost": "-",
    "invalid": "!",
    "pipeline_change": "~",
    "migrate": "^",
}
_EXITS: dict[str, LeftVia | None] = {mark: via for via, mark in _MARKS.items()}


class Visit(NamedTuple):
    """One visit: the codes of its pipeline and stage, and how it ended (``None``: still there)."""

    pipeline: str
    stage: str
    left_via: LeftVia | None


@lru_cache(maxsize=8192)
def code_of(key: str) -> str:
    """The four-character code of a pipeline or stage key."""
    return urlsafe_b64encode(blake2b(key.encode(), digest_size=3).digest()).decode("ascii")


def collisions(keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of different keys with the same code, for lint: one of the two has to be named otherwise."""
    seen: dict[str, str] = {}
    pairs = []
    for key in keys:
        other = seen.setdefault(code_of(key), key)
        if other != key:
            pairs.append((other, key))
    return tuple(pairs)


def encode(stays: Iterable[Stay]) -> str:
    """The journey of a record from its stays in ledger order, over all pipelines it was in."""
    tokens: list[str] = []
    pipeline_key = None
    for stay in stays:
        if stay.is_void:
            continue
        if stay.pipeline_key != pipeline_key:
            pipeline_key = stay.pipeline_key
            tokens.append(_PIPELINE_MARK + code_of(pipeline_key))
        tokens.append(_MARKS[stay.left_via] + code_of(stay.stage_key))
    return "".join(tokens)


@lru_cache(maxsize=65536)
def parse(text: str) -> tuple[Visit, ...]:
    """The visits in a journey, in order. ValueError when ``text`` is not a journey."""
    visits: list[Visit] = []
    pipeline = None
    for start in range(0, len(text), _TOKEN_LENGTH):
        mark, code = text[start], text[start + 1 : start + _TOKEN_LENGTH]
        if mark == _PIPELINE_MARK and len(code) == CODE_LENGTH:
            pipeline = code
        elif pipeline is not None and mark in _EXITS and len(code) == CODE_LENGTH:
            visits.append(Visit(pipeline, code, _EXITS[mark]))
        else:
            raise ValueError(f"not a journey: {text!r} at {start}")
    return tuple(visits)
