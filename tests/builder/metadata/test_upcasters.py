"""Documents of grammar 0 become documents of grammar 1; those of the future are refused."""

from __future__ import annotations

from typing import Any

import pytest

from builder.metadata import documents
from builder.metadata.upcasters import UnknownGrammar, upcast
from tests.builder.metadata import samples


def _old_pipeline() -> dict[str, Any]:
    old = samples.changed(samples.PIPELINE, "grammar", to=0)
    old["transitions"] = "forward"
    old["stages"][0]["exit_marker"] = "Proposal accepted"
    return old


def test_the_exit_marker_of_grammar_0_becomes_a_marker() -> None:
    new = upcast(_old_pipeline())
    assert new["grammar"] == 1
    assert new["stages"][0]["marker"] == {"label": {"en": "Proposal accepted"}}
    assert "exit_marker" not in new["stages"][0]
    assert new["transitions"] == {"default": "forward"}


def test_the_old_document_itself_stays_as_it_was_stored() -> None:
    old = _old_pipeline()
    upcast(old)
    assert old["stages"][0]["exit_marker"] == "Proposal accepted"
    assert old["grammar"] == 0


def test_an_old_document_passes_the_check_of_today() -> None:
    assert documents.check("pipeline", _old_pipeline()) == []


def test_the_same_words_in_grammar_1_are_refused() -> None:
    document = samples.changed(samples.PIPELINE, "stages", 0, "exit_marker", to="Proposal accepted")
    assert [problem.place for problem in documents.check("pipeline", document)] == ["/stages/0/exit_marker"]


def test_a_document_of_today_is_handed_back_untouched() -> None:
    assert upcast(samples.PIPELINE) is samples.PIPELINE


def test_an_old_pack_brings_its_documents_along() -> None:
    old = {**samples.PACK, "grammar": 0, "pipelines": [_old_pipeline()]}
    del old["pipelines"][0]["grammar"]
    new = upcast(old)
    assert new["pipelines"][0]["stages"][0]["marker"]["label"] == {"en": "Proposal accepted"}
    assert documents.check("pack", new) == []


def test_a_document_from_the_future_is_refused_with_its_version() -> None:
    with pytest.raises(UnknownGrammar) as caught:
        upcast({**samples.ROLE, "grammar": 2})
    assert caught.value.values == {"version": 2, "known": 1}
    assert [problem.place for problem in documents.check("role", {**samples.ROLE, "grammar": 2})] == [
        "/grammar"
    ]


@pytest.mark.parametrize("version", [None, "1", True, -1, 1.5])
def test_a_document_without_a_version_is_refused(version: Any) -> None:
    with pytest.raises(UnknownGrammar):
        upcast({**samples.ROLE, "grammar": version})


def test_a_crooked_old_document_is_refused_and_not_crashed_on() -> None:
    assert documents.check("pipeline", {"grammar": 0, "kind": "pipeline", "stages": [1, {"exit_marker": 3}]})
