"""The rows of an event log by the record that they tell of, however long the log is.

Rows of one record may stand anywhere in a file, so it is read to its end before the first record is whole.
They wait in a temporary database on disk, which sorts them there: memory stays the same for any number.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import groupby
from operator import itemgetter

from builder.errors import Problem
from builder.exchange.csv import Row

_SORTED = """
SELECT first, key, line, cells, problem
FROM (SELECT place, key, line, cells, problem, min(place) OVER (PARTITION BY key) AS first FROM waiting)
ORDER BY first, place
"""


@dataclass(frozen=True)
class Case:
    """All rows of one record, in file order."""

    key: str
    rows: tuple[Row, ...]


def cases(rows: Iterable[Row], place: int) -> Iterator[Case]:
    """Rows by the key in column ``place``, records in the order of their first row.

    A row without a key, or one that cannot be read, is a case of its own and will be refused.
    """
    # Without a name it is a file that nobody else sees and that goes with the connection.
    with closing(sqlite3.connect("")) as waiting:
        waiting.execute("CREATE TABLE waiting (place INTEGER PRIMARY KEY, key, line, cells, problem)")
        waiting.executemany("INSERT INTO waiting (key, line, cells, problem) VALUES (?, ?, ?, ?)",
                            (_put(row, place) for row in rows))  # fmt: skip
        for _, found in groupby(waiting.execute(_SORTED), key=itemgetter(0)):
            listed = list(found)
            key = listed[0][1]
            yield Case(json.loads(key) if isinstance(key, str) else "", tuple(map(_taken, listed)))


def _put(row: Row, place: int) -> tuple[str | int, int, str, str | None]:
    """A row as it waits, known by its line where it has no key. JSON keeps half surrogates."""
    key = row.cells[place].strip() if row.problem is None else ""
    problem = None if row.problem is None else json.dumps(astuple(row.problem))
    return json.dumps(key) if key else row.line, row.line, json.dumps(row.cells), problem


def _taken(waited: tuple[int, object, int, str, str | None]) -> Row:
    _, _, line, cells, problem = waited
    return Row(line, json.loads(cells), None if problem is None else Problem(*json.loads(problem)))
