"""The folders that are not Python are found in a checkout; an unknown one is told."""

from __future__ import annotations

import pytest

from builder.resources import resource_folder


@pytest.mark.parametrize("name", ["schemas", "templates", "static", "translations"])
def test_the_folders_are_found(name: str) -> None:
    assert resource_folder(name).is_dir()


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="'nothing'"):
        resource_folder("nothing")
