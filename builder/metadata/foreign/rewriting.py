"""From a schema of any dialect to an equal one of draft 2020-12.

The result is one document without ``$id``, anchors and bundled resources: every reference of the source is
resolved in its own dialect and becomes ``#/$defs/<name>`` (or ``#``). It has the same verdicts, except:

- draft-04 takes ``1.0`` for no integer; later drafts do.
- a dynamic reference (``$dynamicRef``, ``$recursiveRef``) that could mean several schemas is refused.

Refused with pointer and reason: references out of the document, to nothing, in a circle without an end, and
more work per value than ``MAX_WORK``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import lookup_recursive_ref

from builder.errors import N_, Invalid, Problem
from builder.metadata.foreign.dialects import ANNOTATIONS, DIALECTS, LATEST, REFUSED, Dialect, dialect_named
from builder.metadata.foreign.work import in_order, work_of
from builder.metadata.grammar import pointer

Schema: TypeAlias = "dict[str, Any] | bool"
Path: TypeAlias = "tuple[str | int, ...]"

MAX_SCHEMAS = 30_000
MAX_WORK = 5_000

REMOTE = N_("$ref: “%(ref)s” lies outside this document. Copy what it names into the document.")
NOWHERE = N_("$ref: “%(ref)s” names nothing in this document.")
NOT_A_SCHEMA = N_("$ref: “%(ref)s” names something that is not a schema.")
LOOP = N_("$ref: “%(ref)s” leads back to itself without an end.")
AMBIGUOUS = N_(
    "%(keyword)s: “%(ref)s” could mean several schemas here. Write $ref with the one that is meant."
)
TOO_LARGE = N_("The schema has more than %(limit)s parts.")
TOO_MUCH_WORK = N_("Here a value would have to be compared with more than %(limit)s schemas.")
UNKNOWN_INSIDE = N_("$schema: a part in the dialect “%(name)s” is not read.")


def rewritten(schema: Any, dialect: Dialect) -> Schema:
    """The equal schema of draft 2020-12. Errors: Invalid with a problem whose place is a JSON pointer."""
    if isinstance(schema, bool):
        return schema
    return _Rewriter(schema, dialect).document()


def _refuse(message: str, place: Path, **values: Any) -> Invalid:
    return Invalid(REFUSED, problems=(Problem(message, pointer(*place), values),))


def _known_documents() -> Registry[Any]:
    """The meta-schemas of the old drafts: the only documents besides the own one that a ``$ref`` may name."""
    return Registry().with_resources(
        (each.uri, each.specification.create_resource(each.validator.META_SCHEMA))
        for each in DIALECTS
        if each.is_old
    )


class _Rewriter:
    """One document on its way. ``names``: the name in ``$defs`` of each schema that a reference means, by
    identity and dialect; ``waiting``: those still to be rewritten."""

    def __init__(self, schema: Mapping[str, Any], dialect: Dialect) -> None:
        self.root = schema
        self.dialect = dialect
        resource = dialect.specification.create_resource(schema)
        registry = _known_documents().with_resource(resource.id() or "", resource)
        self.resolver = registry.resolver_with_root(resource)
        self.names: dict[tuple[int, str], str] = {}
        self.origins: dict[str, tuple[Path, str]] = {}
        self.waiting: list[tuple[str, Any, Any, Dialect, Path]] = []
        self.count = 0
        self.uses_unevaluated = False
        self.dynamic = _anchors(schema)

    def document(self) -> Schema:
        result = self._schema(self.root, self.resolver, self.dialect, (), is_entered=True)
        assert isinstance(result, dict)
        definitions: dict[str, Schema] = {}
        while self.waiting:
            name, contents, resolver, dialect, place = self.waiting.pop()
            definitions[name] = self._schema(contents, resolver, dialect, place, is_entered=True)
        # No ``$schema``: jsonschema would take it for a reason to leave a validator class that is our own.
        if definitions:
            result["$defs"] = dict(sorted(definitions.items()))
        self._check_work(result, definitions)
        return result

    def _schema(
        self, schema: Any, resolver: Any, dialect: Dialect, place: Path, *, is_entered: bool = False
    ) -> Schema:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            raise _refuse(NOT_A_SCHEMA, place, ref=pointer(*place))
        self.count += 1
        if self.count > MAX_SCHEMAS:
            raise _refuse(TOO_LARGE, place, limit=MAX_SCHEMAS)
        if not is_entered:
            dialect = _own_dialect(schema, dialect, place)
            resolver = resolver.in_subresource(dialect.specification.create_resource(schema))
        result: dict[str, Any] = {name: schema[name] for name in schema if name in ANNOTATIONS}
        if dialect.is_old and schema.get("$ref") is not None:
            return {**result, "$ref": self._reference(schema["$ref"], resolver, dialect, (*place, "$ref"))}
        result |= {name: schema[name] for name in schema if name in dialect.values}
        self._add_inner(result, schema, resolver, dialect, place)
        self._add_references(result, schema, resolver, dialect, place)
        _translate_limits(result, dialect)
        _translate_format(result, dialect)
        return result

    def _add_inner(
        self, result: dict[str, Any], schema: Mapping[str, Any], resolver: Any, dialect: Dialect, place: Path
    ) -> None:
        def inner(value: Any, *steps: str | int) -> Schema:
            return self._schema(value, resolver, dialect, (*place, *steps))

        for name in schema:
            value = schema[name]
            if name in dialect.one and name != "additionalItems":
                result[name] = inner(value, name)
            elif name in dialect.many:
                result[name] = [inner(each, name, at) for at, each in enumerate(value)]
            elif name in dialect.named:
                result[name] = {key: inner(each, name, key) for key, each in value.items()}
            elif name == "items" and isinstance(value, list):
                result["prefixItems"] = [inner(each, name, at) for at, each in enumerate(value)]
                if "additionalItems" in schema:
                    result["items"] = inner(schema["additionalItems"], "additionalItems")
                if not result["prefixItems"]:
                    del result["prefixItems"]
            elif name == "items":
                result["items"] = inner(value, name)
            elif name == "dependencies" and "dependencies" in dialect.validator.VALIDATORS:
                self._add_dependencies(result, value, inner)

    def _add_dependencies(self, result: dict[str, Any], value: Mapping[str, Any], inner: Any) -> None:
        names = {key: each for key, each in value.items() if isinstance(each, list)}
        schemas = {
            key: inner(each, "dependencies", key) for key, each in value.items() if not isinstance(each, list)
        }
        if names:
            result["dependentRequired"] = names
        if schemas:
            result["dependentSchemas"] = schemas

    def _add_references(
        self, result: dict[str, Any], schema: Mapping[str, Any], resolver: Any, dialect: Dialect, place: Path
    ) -> None:
        found = []
        if schema.get("$ref") is not None:
            found.append(self._reference(schema["$ref"], resolver, dialect, (*place, "$ref")))
        if dialect.key == "2019-09" and "$recursiveRef" in schema:
            if self.dynamic.count("") > 1:
                raise _refuse(AMBIGUOUS, (*place, "$recursiveRef"), keyword="$recursiveRef", ref="#")
            found.append(self._named(lookup_recursive_ref(resolver), dialect, (*place, "$recursiveRef"), "#"))
        if dialect.key == "2020-12" and "$dynamicRef" in schema:
            ref = schema["$dynamicRef"]
            if self.dynamic.count(ref.rpartition("#")[2]) > 1:
                raise _refuse(AMBIGUOUS, (*place, "$dynamicRef"), keyword="$dynamicRef", ref=ref[:120])
            found.append(self._reference(ref, resolver, dialect, (*place, "$dynamicRef")))
        if len(found) == 1:
            result["$ref"] = found[0]
        elif found:
            result["allOf"] = [*result.get("allOf", []), *({"$ref": ref} for ref in found)]

    def _reference(self, ref: str, resolver: Any, dialect: Dialect, place: Path) -> str:
        try:
            resolved = resolver.lookup(ref)
        except Unresolvable as error:
            address = ref.partition("#")[0]
            outside = bool(address) and not self._is_inside(resolver, address)
            raise _refuse(REMOTE if outside else NOWHERE, place, ref=ref[:120]) from error
        except (ValueError, TypeError, LookupError) as error:  # a pointer such as "#/allOf/x"
            raise _refuse(NOWHERE, place, ref=ref[:120]) from error
        return self._named(resolved, dialect, place, ref)

    def _is_inside(self, resolver: Any, address: str) -> bool:
        try:
            resolver.lookup(address)
        except Unresolvable:
            return False
        return True

    def _named(self, resolved: Any, dialect: Dialect, place: Path, ref: str) -> str:
        """Where in the result the schema stands that a reference means."""
        contents = resolved.contents
        if contents is self.root:
            return "#"
        if not isinstance(contents, (Mapping, bool)):
            raise _refuse(NOT_A_SCHEMA, place, ref=ref[:120])
        dialect = _own_dialect(contents, dialect, place)
        mark = (id(contents), dialect.key)
        if mark not in self.names:
            name = _free_name(ref, self.origins)
            self.names[mark] = name
            self.origins[name] = (place, ref)
            target = tuple(ref[2:].split("/")) if ref.startswith("#/") else place
            self.waiting.append((name, contents, resolved.resolver, dialect, target))
        return f"#/$defs/{self.names[mark]}"

    def _check_work(self, root: Schema, definitions: Mapping[str, Schema]) -> None:
        """Refuse circles, and references that multiply: how many schemas meet one and the same value."""
        work: dict[str, int] = {}
        order = in_order({"#": root, **{f"#/$defs/{name}": each for name, each in definitions.items()}})
        for ref, schema, is_circle in order:
            name = ref.removeprefix("#/$defs/")
            place, source = self.origins.get(name, ((), "#"))
            if is_circle:
                raise _refuse(LOOP, place, ref=source[:120])
            work[ref] = min(work_of(schema, work), MAX_WORK + 1)
            if work[ref] > MAX_WORK:
                raise _refuse(TOO_MUCH_WORK, place, limit=MAX_WORK)


def _own_dialect(schema: Any, dialect: Dialect, place: Path) -> Dialect:
    """A part of the document may say that it is in another dialect (a bundled resource)."""
    named = schema.get("$schema") if isinstance(schema, Mapping) else None
    if not isinstance(named, str):
        return dialect
    found = dialect_named(named)
    if found is None:
        raise _refuse(UNKNOWN_INSIDE, (*place, "$schema"), name=named[:120])
    return found


def _anchors(schema: Any) -> list[str]:
    """The names of all dynamic anchors, with ``""`` for each ``$recursiveAnchor``."""
    found, pending = [], [schema]
    while pending:
        here = pending.pop()
        if isinstance(here, Mapping):
            if isinstance(here.get("$dynamicAnchor"), str):
                found.append(here["$dynamicAnchor"])
            if here.get("$recursiveAnchor") is True:
                found.append("")
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return found


def _free_name(ref: str, taken: Mapping[str, Any]) -> str:
    """A name of plain characters, after the last part of the reference."""
    last = unquote(ref.rpartition("/")[2].rpartition("#")[2])
    base = re.sub(r"[^A-Za-z0-9._-]", "_", last)[:80] or "schema"
    number, name = 2, base
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _translate_limits(result: dict[str, Any], dialect: Dialect) -> None:
    """Draft-04: ``minimum`` with ``exclusiveMinimum: true``. A limit that is excluded needs its number."""
    if dialect.key != "draft-04":
        return
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if result.pop(exclusive, False) is True and limit in result:
            result[exclusive] = result.pop(limit)


def _translate_format(result: dict[str, Any], dialect: Dialect) -> None:
    """A format that the dialect does not check must not be checked later; forms may still use it."""
    name = result.get("format")
    if isinstance(name, str) and LATEST.knows_format(name) and not dialect.knows_format(name):
        result["x-format"] = result.pop("format")
