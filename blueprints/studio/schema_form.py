"""A form from any JSON Schema: paste it, see its form, fill it, check it. Nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.languages import language
from blueprints.messages import message, named, told
from blueprints.scope import scope
from blueprints.studio.area import studio
from builder.errors import FunnelwrightError, Invalid, Problem, TooLarge
from builder.forms.schema_form.drawing import drawn
from builder.forms.schema_form.form import SchemaForm, as_own, received, shown
from builder.forms.schema_form.nodes import ABSENT, Alternatives
from builder.forms.schema_form.own_fields import OwnFields
from builder.forms.schema_form.scalars import as_data_url
from builder.metadata.foreign.dialects import DIALECTS
from builder.metadata.foreign.reading import MAX_BYTES, ForeignSchema, as_text, read, read_json
from builder.metadata.grammar import GRAMMAR
from builder.services import adopted_forms as services
from builder.services.definitions import EDIT

PAGE = "pages/studio/schema_form.html"
BODY = "fragments/schema_form/body.html"
_LIVE = ('"if"', '"dependentSchemas"', '"dependentRequired"')


@dataclass(frozen=True)
class SchemaSource:
    """The texts as they were typed."""

    schema: str = ""
    ui: str = ""
    data: str = ""
    dialect: str = ""


@dataclass(frozen=True)
class OwnForm:
    """What the feedback form is to be called, and of which object it is."""

    key: str = ""
    name: str = ""
    object: str = ""


@studio.get("/json-schema")
def schema_form() -> Response:
    scope().require(EDIT)
    return _show(SchemaSource())


@studio.post("/json-schema")
def read_schema() -> Response:
    """The form of a schema; refused with JSON pointers and reasons."""
    scope().require(EDIT)
    source = _source()
    problems: list[tuple[str, str]] = []
    try:
        schema = _part("schema", lambda: read(source.schema, source.dialect), problems)
        ui = _part("ui", lambda: _json(source.ui, {}), problems)
        data = _part("data", lambda: _json(source.data, ABSENT), problems)
        if schema is None or problems:
            return _show(source, problems=problems, status=422)
        form = shown(schema, ui, data, _say, is_checked=data is not ABSENT)
    except FunnelwrightError as error:
        return _show(source, problems=_lines("schema", error), status=422)
    return _show(source, schema=schema, form=form)


@studio.post("/json-schema/form")
def fill_schema_form() -> Response:
    """The form again after a change, a button, or checked: then with the data or with what is wrong."""
    scope().require(EDIT)
    source, action = _source(), request.form.get("_action", "")
    try:
        schema, ui = read(source.schema, source.dialect), _json(source.ui, {})
        is_checked = action == "check"
        form = received(schema, ui, _pairs(), _say, action=action, is_checked=is_checked)
    except FunnelwrightError as error:
        return _show(source, problems=_lines("schema", error), status=422)
    result = as_text(form.data) if is_checked and form.is_valid and form.data is not ABSENT else None
    status = 422 if is_checked and not form.is_valid else 200
    return _show(source, schema=schema, form=form, result=result, status=status)


@studio.post("/json-schema/publish")
def publish_schema() -> Response:
    """Make what fields of ours can hold of the schema a feedback form of an object."""
    here = scope()
    here.require(EDIT)
    source = _source()
    wanted = OwnForm(*(request.form.get(name, "").strip() for name in ("key", "name", "object")))
    uow = here.unit_of_work()
    try:
        schema = read(source.schema, source.dialect)
        form = shown(schema, _json(source.ui, {}), ABSENT, _say)
    except FunnelwrightError as error:
        return _show(source, problems=_lines("schema", error), status=422)
    try:
        services.publish_new(uow, _document(as_own(schema), wanted))
    except Invalid as error:
        uow.rollback()
        problems = [(_field_of(problem), _pointed(problem)) for problem in error.problems]
        problems = problems or [("", message(error.message_key, error.values))]
        return _show(source, schema=schema, form=form, wanted=wanted, refused=problems, status=422)
    uow.commit()
    text = gettext("“%(name)s” is published. Stages can ask for it now.", name=wanted.name)
    return done(url_for("studio.schema_form"), text)


def _document(own: OwnFields, wanted: OwnForm) -> dict[str, Any]:
    return {
        "grammar": GRAMMAR,
        "kind": "feedback",
        "key": wanted.key,
        "label": {language(): wanted.name},
        "object": wanted.object,
        "fields": own.document,
    }


def _field_of(problem: Problem) -> str:
    """The control of the small form that a problem of the document is about."""
    part = problem.place.split("/")[1:2]
    return {"key": "key", "label": "name", "object": "object"}.get("".join(part), "")


def _show(
    source: SchemaSource,
    *,
    schema: ForeignSchema | None = None,
    form: SchemaForm | None = None,
    problems: list[tuple[str, str]] | None = None,
    result: str | None = None,
    wanted: OwnForm | None = None,
    refused: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    if form is None and request.htmx and not request.htmx.boosted:  # one on the page that cannot go on
        facts = {"root": None, "lines": problems, "result": None, "is_live": False, "refresh_url": ""}
        return make_response(render_template(BODY, **facts), status)
    return show_form(
        PAGE,
        fragment=BODY,
        source=source,
        dialects=[dialect.key for dialect in reversed(DIALECTS)],
        limit=MAX_BYTES,
        problems=problems or [],
        form=form,
        root=drawn(form) if form else None,
        is_live=bool(form and schema and _is_live(form, schema)),
        refresh_url=url_for("studio.fill_schema_form"),
        result=result,
        lines=_summary(form) if form else [],
        own=as_own(schema) if schema and form else None,
        wanted=wanted or OwnForm(),
        refused=refused or [],
        objects=scope().catalog.objects.values(),
        status=status,
    )


def _source() -> SchemaSource:
    """The texts of the form; a file takes the place of the pasted schema."""
    typed = {name: request.form.get(name, "") for name in ("schema", "ui", "data", "dialect")}
    file = request.files.get("schema_file")
    if file is not None and file.filename:
        typed["schema"] = file.read(MAX_BYTES * 2).decode("utf-8-sig", "replace")
    return SchemaSource(**typed)


def _pairs() -> Iterable[tuple[str, str]]:
    """What was posted; files as data URLs under the name of their control."""
    yield from request.form.items(multi=True)
    for name, file in request.files.items(multi=True):
        if file.filename:
            yield name, as_data_url(file.filename, file.mimetype, file.read())


def _json(text: str, otherwise: Any) -> Any:
    return read_json(text) if text.strip() else otherwise


def _part(name: str, make: Any, problems: list[tuple[str, str]]) -> Any:
    try:
        return make()
    except (Invalid, TooLarge) as error:
        problems.extend(_lines(name, error))
        return None


def _lines(name: str, error: FunnelwrightError) -> list[tuple[str, str]]:
    """One line a problem: its JSON pointer and the reason, pointing to the text that it is in."""
    lines = [(name, _pointed(problem)) for problem in error.problems]
    return lines or [(name, message(error.message_key, error.values))]


def _pointed(problem: Problem) -> str:
    return named(problem.place, told(problem)) if problem.place else told(problem)


def _summary(form: SchemaForm) -> list[tuple[str, str]]:
    return [
        (anchor, named(label, told(problem)) if label else told(problem))
        for anchor, label, problem in form.summary
    ]


def _say(key: str, values: Mapping[str, Any]) -> str:
    return message(key, values)


def _is_live(form: SchemaForm, schema: ForeignSchema) -> bool:
    """Whether what is shown depends on what is filled in."""
    words = json.dumps(schema.schema)
    is_conditional = any(word in words for word in _LIVE)
    return is_conditional or any(isinstance(node, Alternatives) for node in form.root.walk())
