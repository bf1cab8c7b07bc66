"""Documents as text: reading, canonical form, checksum, and the check against the meta-schema.

Canonical form: keys sorted by code point, text in Unicode NFC, whole numbers without a fraction, no spaces,
UTF-8. Two documents that say the same have the same canonical form and so the same checksum (sha256 of
it, 64 hexadecimal digits); every cache of compiled definitions is keyed by that.
"""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Iterator
from typing import Any

from builder.errors import N_, Invalid, TooLarge
from builder.metadata.cache import ProcessCache
from builder.metadata.complaints import complaints
from builder.metadata.grammar import (
    FIELD_TYPES,
    KINDS,
    DefinitionProblem,
    Document,
    accepts,
    pointer,
    type_accepts,
    type_validator,
    validator,
)
from builder.metadata.upcasters import UnknownGrammar, upcast

MAX_BYTES = 2_000_000
MAX_PACK_BYTES = 20_000_000
MAX_DEPTH = 40
MAX_ENTRIES = 1000
MAX_PROBLEMS = 200

TOO_BIG = N_("The document has %(size)s bytes; at most %(limit)s are read.")
TOO_DEEP = N_("The document is nested more than %(limit)s levels deep. Make it flatter.")
TOO_MANY = N_("There are %(count)s entries here; nowhere are more than %(limit)s possible.")
NOT_JSON = N_("This is not JSON: %(reason)s (line %(line)s, column %(column)s).")
NOT_UTF8 = N_("The text is not in UTF-8. Save it again as UTF-8.")
DUPLICATE_KEY = N_("“%(name)s” stands here twice; keep one.")
NOT_A_NUMBER = N_("This is not a finite number.")
BAD_TEXT = N_("The text holds a character that cannot be stored (NUL or half a surrogate pair). Remove it.")
NOT_AN_OBJECT = N_("A document is a JSON object: it begins with { and ends with }.")
NOT_A_VALUE = N_("This is not a JSON value.")
WRONG_KIND = N_("The document is of kind “%(actual)s”, but “%(expected)s” is expected.")
UNKNOWN_TYPE = N_("There is no field type “%(type)s”.")


class _DuplicateKey(ValueError):
    """A JSON object names one key twice."""


def read(source: bytes | str, *, limit: int = MAX_BYTES) -> Document:
    """The document in ``source``, as it stands (not yet checked or upcast).

    Errors: TooLarge beyond ``limit`` bytes; Invalid when it is not UTF-8, not JSON, names a key twice,
    is nested too deep, or is not an object.
    """
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise TooLarge(TOO_BIG, size=size, limit=limit)
    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
    except UnicodeDecodeError as error:
        raise Invalid(NOT_UTF8) from error
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except RecursionError as error:
        raise Invalid(TOO_DEEP, limit=MAX_DEPTH) from error
    except _DuplicateKey as error:
        problem = DefinitionProblem(DUPLICATE_KEY, _place_of_twice(text), {"name": str(error)})
        raise Invalid(DUPLICATE_KEY, name=str(error), problems=(problem,)) from error
    except json.JSONDecodeError as error:
        raise Invalid(NOT_JSON, reason=error.msg, line=error.lineno, column=error.colno) from error
    except ValueError as error:  # NaN, Infinity, an integer with thousands of digits
        raise Invalid(NOT_A_NUMBER) from error
    if not isinstance(value, dict):
        raise Invalid(NOT_AN_OBJECT)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> Document:
    result: Document = {}
    for key, value in pairs:
        if key in result:
            raise _DuplicateKey(key[:63])
        result[key] = value
    return result


def _place_of_twice(text: str) -> str:
    """The pointer to the first key that stands twice: read once more, with every pair kept."""
    try:
        stack: list[tuple[Any, str]] = [(json.loads(text, object_pairs_hook=tuple), "")]
    except (RecursionError, ValueError):  # what stands behind it is broken in other ways
        return ""
    while stack:
        value, place = stack.pop()
        if isinstance(value, list):
            stack.extend((each, f"{place}{pointer(index)}") for index, each in enumerate(value))
        elif isinstance(value, tuple):
            seen: set[str] = set()
            for key, _ in value:
                if key in seen:
                    return f"{place}{pointer(key)}"
                seen.add(key)
            stack.extend((inner, f"{place}{pointer(key)}") for key, inner in value)
    return ""


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def normalised(value: Any) -> Any:
    """The value with every text in NFC, keys sorted, and whole floats as integers."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        pairs = ((unicodedata.normalize("NFC", key), normalised(inner)) for key, inner in value.items())
        return dict(sorted(pairs, key=lambda pair: pair[0]))
    if isinstance(value, (list, tuple)):
        return [normalised(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def canonical(document: Any) -> str:
    """The canonical form. Errors: ValueError for NaN and infinities (``check`` names their place)."""
    return json.dumps(normalised(document), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def checksum(document: Any) -> str:
    """sha256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(document).encode("utf-8")).hexdigest()


_LEADING = {"grammar": 0, "kind": 1, "key": 2, "label": 3}


def pretty(document: Any) -> str:
    """The same content for people and version control: one value a line, the head of a document first.

    Equal documents give equal bytes, so exports can be compared (S18).
    """
    return json.dumps(_head_first(normalised(document)), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _head_first(value: Any) -> Any:
    if isinstance(value, list):
        return [_head_first(inner) for inner in value]
    if isinstance(value, dict):
        order = sorted(value, key=lambda key: (_LEADING.get(key, len(_LEADING)), key))
        return {key: _head_first(value[key]) for key in order}
    return value


def check(kind: str, document: Any, *, limit: int = MAX_BYTES) -> list[DefinitionProblem]:
    """What is wrong with a document by its meta-schema, each with its JSON pointer; empty when nothing.

    Older grammars are upcast first. At most ``MAX_PROBLEMS`` are named. Whether the document makes sense
    (known stages, reachable, no circle) is the matter of ``metadata.lint``.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of document {kind!r}")
    if not isinstance(document, dict):
        return [DefinitionProblem(NOT_AN_OBJECT)]
    problems = list(unstorable(document))
    if problems:
        return problems[:MAX_PROBLEMS]
    size = len(canonical(document).encode("utf-8"))
    if size > (MAX_PACK_BYTES if kind == "pack" else limit):
        return [DefinitionProblem(TOO_BIG, values={"size": size, "limit": limit})]
    try:
        document = upcast(document)
    except UnknownGrammar as error:
        return [DefinitionProblem(found.message, found.place, found.values) for found in error.problems]
    if document.get("kind") != kind and isinstance(document.get("kind"), str):
        values = {"actual": document["kind"][:63], "expected": kind}
        return [DefinitionProblem(WRONG_KIND, "/kind", values)]
    # A pack is checked when it is read, and again with what it is published into.
    digest = hashlib.sha256(json.dumps(document, ensure_ascii=False).encode("utf-8")).digest()
    return list(_judged.get((kind, digest), lambda: _judge(kind, document)))


_judged: ProcessCache[tuple[str, bytes], tuple[DefinitionProblem, ...]] = ProcessCache(1024)


def _judge(kind: str, document: Document) -> tuple[DefinitionProblem, ...]:
    problems = (
        () if accepts(kind)(document) else tuple(complaints(validator(kind), document, limit=MAX_PROBLEMS))
    )
    return problems or tuple(field_problems(kind, document)[:MAX_PROBLEMS])


def unstorable(value: Any) -> Iterator[DefinitionProblem]:
    """What no program could keep or handle: depth, masses, NaN, NUL, keys that differ only in spelling.

    Walks without recursion, so that a document of any depth is refused and not crashed on.
    """
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while stack:
        item, path = stack.pop()
        if len(path) > MAX_DEPTH:
            yield DefinitionProblem(TOO_DEEP, pointer(*path[:8]), {"limit": MAX_DEPTH})
            return
        if isinstance(item, (dict, list)) and len(item) > MAX_ENTRIES:
            values = {"count": len(item), "limit": MAX_ENTRIES}
            yield DefinitionProblem(TOO_MANY, pointer(*path), values)
            continue
        if isinstance(item, dict):
            seen: set[str] = set()
            for key, inner in item.items():
                if not isinstance(key, str) or not _is_storable(key):
                    yield DefinitionProblem(BAD_TEXT, pointer(*path))
                    continue
                name = unicodedata.normalize("NFC", key)
                if name in seen:
                    yield DefinitionProblem(DUPLICATE_KEY, pointer(*path, key), {"name": name[:63]})
                seen.add(name)
                stack.append((inner, (*path, key)))
        elif isinstance(item, list):
            stack.extend((inner, (*path, index)) for index, inner in enumerate(item))
        else:
            yield from _unstorable_leaf(item, path)


def _unstorable_leaf(item: Any, path: tuple[str | int, ...]) -> Iterator[DefinitionProblem]:
    if isinstance(item, str):
        if not _is_storable(item):
            yield DefinitionProblem(BAD_TEXT, pointer(*path))
    elif isinstance(item, (int, float)) and not (math.isfinite(item) and abs(item) < 2**63):
        yield DefinitionProblem(NOT_A_NUMBER, pointer(*path))
    elif item is not None and not isinstance(item, (bool, int, float)):
        yield DefinitionProblem(NOT_A_VALUE, pointer(*path))


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def field_problems(kind: str, document: Document) -> list[DefinitionProblem]:
    """Fields of unknown types, and settings that their type's own meta-schema refuses."""
    if kind not in ("object", "feedback"):
        return []
    problems: list[DefinitionProblem] = []
    for key, field in sorted(document["fields"]["properties"].items()):
        place = ("fields", "properties", key)
        checker = type_validator(field["x-type"])
        if checker is None:
            values = {"type": field["x-type"]}
            problems.append(DefinitionProblem(UNKNOWN_TYPE, pointer(*place, "x-type"), values))
        elif not (accepts_type := type_accepts(field["x-type"])) or not accepts_type(field):
            problems.extend(complaints(checker, field, prefix=place, limit=MAX_PROBLEMS))
    return problems


__all__ = ["FIELD_TYPES", "canonical", "check", "checksum", "normalised", "pretty", "read", "unstorable"]
