"""Where the files live that are not Python: schemas, templates, static, translations.

In a checkout they stand at the top of the tree, next to `builder/`; in an installed wheel they are carried
in `builder/house/`. Ask here instead of joining paths by hand.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_folder(name: str) -> Path:
    """The folder `name`, one of schemas, templates, static, translations.

    Errors: FileNotFoundError when the installation lacks it.
    """
    for folder in (_PACKAGE.parent / name, _PACKAGE / "house" / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the installation lacks its folder {name!r}")
