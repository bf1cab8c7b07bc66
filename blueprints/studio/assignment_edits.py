"""The edits of *which process for whom*, one a POST, each made from the state that the person saw."""

from __future__ import annotations

from flask import url_for
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from blueprints.messages import message, told
from blueprints.scope import scope
from blueprints.studio.area import studio
from blueprints.studio.assignment import NEW, Plan, RuleForm, gone, known_rule, rule_form, show
from blueprints.studio.form_edits import seen
from blueprints.studio.rules import APPLY, plain_condition
from blueprints.workspace.shown import is_id
from builder.domain.conditions import ALWAYS, to_document
from builder.errors import Conflict, Invalid, NotFound
from builder.metadata.editing.assignment import (
    AssignDepartments,
    OrderRules,
    PutRule,
    RemoveRule,
    SetDefault,
    StepRule,
    SwitchRule,
)
from builder.metadata.editing.edit import Edit
from builder.queries.people import departments
from builder.services import designs as services


@studio.post("/processes/for/<object_key>/rules")
def put_process_rule(object_key: str) -> Response:
    """Keep a rule; every other button of the builder shows it again and keeps nothing."""
    plan = Plan.read(scope(), object_key)
    rule = request.form.get("rule", NEW)
    form = rule_form(plan, rule, request.form)
    if form is None:
        return show(plan, problems=[("", gone())], status=404)
    if request.form.get("_filter") != APPLY:
        return show(plan, rule, form)
    seen()
    form.problems = list(form.conditions.problems)
    if form.problems:
        return show(plan, rule, form, status=422)
    condition = form.conditions.condition()
    when = to_document(plain_condition(condition) if condition is not None else ALWAYS)
    return _make(plan, PutRule(form.label, when, form.pipeline, plan.pipelines, form.key), rule, form)


@studio.post("/processes/for/<object_key>/rules/<rule_key>/remove")
def remove_process_rule(object_key: str, rule_key: str) -> Response:
    plan = Plan.read(scope(), object_key)
    known_rule(plan, rule_key)
    return _make(plan, RemoveRule(rule_key))


@studio.post("/processes/for/<object_key>/rules/<rule_key>/switch")
def switch_process_rule(object_key: str, rule_key: str) -> Response:
    """Have the rule asked (``on``), or keep it without asking it."""
    plan = Plan.read(scope(), object_key)
    known_rule(plan, rule_key)
    return _make(plan, SwitchRule(rule_key, "on" in request.form))


@studio.post("/processes/for/<object_key>/order")
def order_process_rules(object_key: str) -> Response:
    """The order of the rules as sent, or with one moved up or down."""
    plan = Plan.read(scope(), object_key)
    for name, step in (("up", -1), ("down", 1)):
        if name in request.form:
            return _make(plan, StepRule(request.form[name], step))
    return _make(plan, OrderRules(tuple(request.form.getlist("rule"))))


@studio.post("/processes/for/<object_key>/default")
def set_default_process(object_key: str) -> Response:
    plan = Plan.read(scope(), object_key)
    return _make(plan, SetDefault(request.form.get("default", ""), plan.pipelines))


@studio.post("/processes/for/<object_key>/departments/<pipeline_key>")
def assign_departments(object_key: str, pipeline_key: str) -> Response:
    """Which departments may start a process; none ticked: everybody."""
    plan = Plan.read(scope(), object_key)
    if pipeline_key not in plan.pipelines:
        raise NotFound()
    known = [node.id for node in departments(plan.here.session)]
    edit = AssignDepartments(pipeline_key, _ids(request.form), known, plan.pipelines)
    return _make(plan, edit)


def _ids(form: MultiDict[str, str]) -> tuple[int, ...]:
    return tuple(int(text) for text in form.getlist("department") if is_id(text))


def _make(plan: Plan, edit: Edit, rule: str = "", form: RuleForm | None = None) -> Response:
    """Make an edit and show the page; what is refused is shown with what was typed, and 409 as it stands."""
    here = plan.here
    uow = here.unit_of_work()
    try:
        services.change(uow, "object", plan.key, seen(), edit)
    except Conflict as error:
        uow.rollback()
        problems = [("", message(error.message_key, error.values))]
        return show(Plan.read(here, plan.key), problems=problems, status=409)
    except Invalid as error:
        uow.rollback()
        problems = [(each.place, told(each)) for each in error.problems]
        if form is not None:
            form.problems, problems = problems, []
        return show(Plan.read(here, plan.key), rule, form, problems=problems, status=422)
    uow.commit()
    if request.htmx and not request.htmx.boosted:
        return show(Plan.read(here, plan.key))
    return redirect(url_for("studio.assignment", object_key=plan.key), 303)
