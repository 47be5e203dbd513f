"""The folder of a package is found without importing it."""

import sys
from pathlib import Path

import pytest

from i2vkit.utils.package_folders import package_folder


def test_package_is_found_and_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "breaks_at_import"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    assert package_folder("breaks_at_import") == Path(package) and "breaks_at_import" not in sys.modules
    for nothing in ("no_such_package", "this"):  # the second is a module, which has no folder
        with pytest.raises(ModuleNotFoundError, match=f"there is no package '{nothing}'"):
            package_folder(nothing)
