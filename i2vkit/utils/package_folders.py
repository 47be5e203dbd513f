"""The folders of installed packages."""

from importlib.util import find_spec
from pathlib import Path


def package_folder(name: str) -> Path:
    """Return the folder of an installed package. The package is found, not imported.

    Raises:
        ModuleNotFoundError: There is no such package.
    """
    spec = find_spec(name)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise ModuleNotFoundError(f"there is no package '{name}'")
    return Path(places[0])
