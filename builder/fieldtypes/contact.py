"""E-mail, telephone and web addresses: ways to reach people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import is_empty
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import END, FILTERABLE_LENGTH, FieldContext, InvalidValue, stripped
from builder.fieldtypes.text import Text

EMAIL_LENGTH = 254
URL_LENGTH = 2000
_HOST_PART = r"[^\u0000-\u002c\u002e\u002f:-@\[-`{-\u007f]+"
EMAIL_PATTERN = r'^[^\u0000-\u0020"(),:;<>@\[\\\]\u007f]{1,64}@' + _HOST_PART + rf"(\.{_HOST_PART})+" + END
URL_PATTERN = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://[^\u0000-\u0020\"<>\\^`{|}/?#\u007f][^\u0000-\u0020\"<>\\^`{|}\u007f]*" + END
)
PHONE_PATTERN = rf"^\+[1-9][0-9]{{3,14}}(;ext=[0-9]{{1,11}})?{END}"
_URL = re.compile(URL_PATTERN)
_EMAIL = re.compile(EMAIL_PATTERN)
# A part before the @ that is right with any domain.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]{1,30}(\.[A-Za-z0-9_+-]{1,30})?")


class Email(Text):
    """An e-mail address, kept as typed; whether it receives mail is not asked."""

    key = "email"
    label = Label.of({"en": "E-mail", "zh_Hans": "电子邮件"})
    icon = "mail"
    widget = "email"
    match_kind = "email"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"max_length": EMAIL_LENGTH}

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "maxLength": EMAIL_LENGTH, "pattern": EMAIL_PATTERN}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        try:
            if len(source) > EMAIL_LENGTH or not _EMAIL.search(source):
                raise InvalidValue(N_("“%(value)s” is not an e-mail address."), value=source[:80])
            local, _, domain = source.rpartition("@")
            _validate_email("a@" + domain if _PLAIN_LOCAL.fullmatch(local) else source)
        except EmailNotValidError:
            raise InvalidValue(N_("“%(value)s” is not an e-mail address."), value=source[:80]) from None
        return source

    def href(self, definition: FieldDefinition, value: JsonValue) -> str | None:
        return None if is_empty(value) else f"mailto:{value}"


@lru_cache(maxsize=4096)
def _validate_email(address: str) -> None:
    """Many people of one company have one domain: what passed once is not asked again.

    Errors: EmailNotValidError.
    """
    validate_email(address, check_deliverability=False, test_environment=True)


class Phone(Text):
    """A telephone number in E.164 with its extension: ``+8613800138000``, ``+12125550100;ext=12``.

    Numbers without a country code are read as numbers of the workspace's region (``ctx.region``).
    """

    key = "phone"
    label = Label.of({"en": "Phone", "zh_Hans": "电话"})
    icon = "phone"
    widget = "phone"
    match_kind = "phone"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"max_length": 40} | ({"region": document["x-region"]} if "x-region" in document else {})

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "maxLength": 40, "pattern": PHONE_PATTERN}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        region = str(definition.params.get("region") or ctx.region)
        try:
            number = phonenumbers.parse(source[:250], region)
        except NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number) or len(source) > 250:
            raise InvalidValue(
                N_("“%(value)s” is not a phone number. Write it with its country code, as in %(example)s."),
                value=source[:80],
                example=_example(region),
            )
        stored = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        return f"{stored};ext={number.extension}" if number.extension else stored

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if is_empty(value):
            return ""
        try:
            number = phonenumbers.parse(str(value).replace(";ext=", " ext. "))
        except NumberParseException:
            return str(value)
        return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)

    def href(self, definition: FieldDefinition, value: JsonValue) -> str | None:
        return None if is_empty(value) else f"tel:{value}"

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return [] if is_empty(value) else [self.text(definition, value, ctx)]


def _example(region: str) -> str:
    number = phonenumbers.example_number(region)
    return (
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) if number else "+1 212 555 0100"
    )


class Url(Text):
    """A web address that begins with http:// or https://, kept as typed; nothing else can become a link."""

    key = "url"
    label = Label.of({"en": "Web address", "zh_Hans": "网址"})
    icon = "link"
    widget = "url"
    match_kind = "domain"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        longest = FILTERABLE_LENGTH if document.get("x-filterable") else URL_LENGTH
        return {"max_length": int(document.get("maxLength", longest))}

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "maxLength": definition.params["max_length"], "pattern": URL_PATTERN}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        if not _URL.search(source):
            raise InvalidValue(
                N_("“%(value)s” is not a web address. It begins with https:// or http://."), value=source[:80]
            )
        return source

    def href(self, definition: FieldDefinition, value: JsonValue) -> str | None:
        return str(value) if isinstance(value, str) and _URL.search(value) else None
