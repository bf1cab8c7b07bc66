"""A worked example of a plug-in: a field type and a report in one file, without a change of the core."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, select

from builder.charts.chart import Chart
from builder.charts.report import Asked, Report, bars
from builder.db.records import Record
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.labels import Label
from builder.fieldtypes.base import FieldContext, InvalidValue, stripped
from builder.fieldtypes.text import Text
from builder.queries.visibility import visible

VAT_NUMBER = r"^[A-Z]{2}[0-9A-Z]{2,12}(?!\n)$"


class VatNumber(Text):
    """A European VAT number: two letters of the country, then 2 to 12 letters or digits; spaces, dots and
    dashes are left out, small letters become large.
    """

    key = "vat_number"
    label = Label.of({"en": "VAT number", "zh_Hans": "欧盟增值税号"})
    icon = "receipt"
    settings = {
        "x-country": {
            "title": "Country",
            "description": "Only numbers of this country, by its two letters; empty: of any.",
            "x-title-zh_Hans": "国家",
            "x-description-zh_Hans": "仅限该国的税号（两位字母）；留空则不限。",
            "type": "string",
            "pattern": "^[A-Z]{2}$",
        }
    }

    def params(self, document: Any) -> dict[str, Any]:
        return {"max_length": 14, "country": document.get("x-country", "")}

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        country = definition.params["country"]
        return {
            "type": "string",
            "pattern": VAT_NUMBER.replace("[A-Z]{2}", country, 1) if country else VAT_NUMBER,
        }

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        number = re.sub(r"[\s.-]", "", stripped(text)).upper()
        if not number:
            return None
        if not re.search(self.schema(definition)["pattern"], number):
            raise InvalidValue("“%(value)s” is not a VAT number.", value=text[:80])
        return number


class Ages(Report):
    """How long the open records have been in their stage, of those that the reader may see."""

    key = "ages"
    label = Label.of({"en": "Age in stage", "zh_Hans": "阶段停留时长"})
    description = Label.of(
        {"en": "Open records by how long they have stood still.", "zh_Hans": "按停留时长统计进行中的记录。"}
    )
    BANDS = ((7, "≤ 7"), (30, "8–30"), (90, "31–90"), (None, "> 90"))

    def chart(self, asked: Asked) -> Chart:
        wanted = select(Record.stage_entered_at).where(Record.outcome == "open", Record.deleted_at.is_(None))
        allowed = visible(asked.actor, None)
        if allowed is not None:
            wanted = wanted.where(allowed)
        counts = dict.fromkeys((label for _, label in self.BANDS), 0)
        for entered_at, count in asked.session.execute(
            wanted.add_columns(func.count()).group_by(Record.stage_entered_at)
        ):
            days = (asked.now - entered_at).days if entered_at else 0
            counts[next(label for most, label in self.BANDS if most is None or days <= most)] += count
        words = {"en": ("Days", "Records"), "zh_Hans": ("天数", "记录数")}
        headers = words.get(asked.locale, words["en"])
        return bars(
            self.label.text(asked.locale), self.description.text(asked.locale), headers, list(counts.items())
        )
