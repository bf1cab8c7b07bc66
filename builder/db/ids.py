"""63-bit time-sorted ids made by us, and their opaque form in addresses (design.md §4)."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import threading
import time

_EPOCH_MS = 1_577_836_800_000  # 2020-01-01 UTC: 41 bits of milliseconds last until 2089
_NODE_BITS = 12
_SEQUENCE_BITS = 10
_SEQUENCES = (1 << _SEQUENCE_BITS) - 1
_MASK = (1 << 63) - 1
# Odd, so multiplication modulo 2**63 can be undone.
_FACTOR = 0x5851F42D4C957F2D
_INVERSE = pow(_FACTOR, -1, 1 << 63)


class IdMaker:
    """Makes ids: 41 bits milliseconds, 12 bits process, 10 bits sequence; strictly rising in a process.

    The process part is drawn at random, and again after a fork. Two processes that draw alike can
    collide only within one millisecond; the primary key refuses the second, which is then retried.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = -1
        self._node = 0
        self._last = 0
        os.register_at_fork(after_in_child=self.__init__)  # type: ignore[misc]

    def __call__(self) -> int:
        with self._lock:
            # A busy millisecond borrows from the next ones rather than waiting.
            self._last = max(self._last + 1, self._tick())
            return self._id(self._last)

    def many(self, count: int) -> list[int]:
        """``count`` ids at once, rising: a fraction of the cost of calling that often."""
        with self._lock:
            first = max(self._last + 1, self._tick())
            self._last = first + count - 1
            return self._ids(first, first + count)

    def _tick(self) -> int:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._node = secrets.randbits(_NODE_BITS)
        return ((time.time_ns() // 1_000_000) - _EPOCH_MS) << _SEQUENCE_BITS

    def _ids(self, first: int, end: int) -> list[int]:
        """The ids of all places from ``first`` on: those of one millisecond follow each other."""
        found: list[int] = []
        while first < end:
            after = min(end, (first | _SEQUENCES) + 1)
            found.extend(range(self._id(first), self._id(first) + after - first))
            first = after
        return found

    def _id(self, place: int) -> int:
        moment, sequence = place >> _SEQUENCE_BITS, place & _SEQUENCES
        return (((moment << _NODE_BITS) | self._node) << _SEQUENCE_BITS) | sequence


new_id = IdMaker()
new_ids = new_id.many


def to_public(value: int) -> str:
    """The 11 characters that stand for an id in addresses: neither time nor order can be read off."""
    mixed = (value ^ (value >> 31)) & _MASK
    mixed = (mixed * _FACTOR) & _MASK
    mixed ^= mixed >> 29
    return base64.urlsafe_b64encode(mixed.to_bytes(8, "big")).rstrip(b"=").decode()


def from_public(text: str) -> int:
    """The id behind an address part. Raises ValueError for anything ``to_public`` does not write."""
    try:
        mixed = int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(text) from error
    value = _unshift(mixed & _MASK, 29)
    value = (value * _INVERSE) & _MASK
    value = _unshift(value, 31)
    if to_public(value) != text:
        raise ValueError(text)
    return value


def _unshift(mixed: int, by: int) -> int:
    value = mixed
    for _ in range(63 // by):
        value = mixed ^ (value >> by)
    return value
