"""Names of experiments: where the file of a config or variant is."""

from __future__ import annotations

from os.path import isdir, isfile
from pathlib import Path

from i2vkit.config.variants import listed_variants, no_variant
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names

CONFIG_FOLDER = Path(__file__).parents[1] / "configs"


def find_experiment(name_or_path: str | Path, variant: str | None = None) -> tuple[Path, str | None]:
    """Return the file of a config, and the key of its variant if ``variant`` or the name means one.

    Raises:
        ConfigError: There is no such config or variant. The message gives the nearest names.
    """
    path = Path(name_or_path)
    name = _name_of(path)
    if not isfile(path) and variant is None and name in (found := _variants_by_name()):  # noqa: PTH113
        return found[name]
    path = find_config(name_or_path)
    if variant is not None and variant not in (known := dict.fromkeys(listed_variants(path).values())):
        raise ConfigError(no_variant(variant, known, path))
    return path, variant


def find_config(name_or_path: str | Path) -> Path:
    """Return the file of a config: a path as it is, or a name among those that are installed with i2vkit.

    Raises:
        ConfigError: There is no such config. The message gives the nearest names.
    """
    path = Path(name_or_path)
    if isfile(path):  # noqa: PTH113  unlike ``Path.is_file`` it is false for names that are too long
        if path.suffix != ".py":
            raise ConfigError(f"{path} is no config: a config is a Python file, NAME.py")
        return path.resolve()
    if isdir(path):  # noqa: PTH112
        raise ConfigError(f"{path} is a folder: give the config file in it")
    name = _name_of(path)
    if name not in config_names():
        raise ConfigError(
            f"there is no config '{str(name_or_path)[:100]}', neither a file nor by name; nearest: "
            f"{closest_names(name, experiment_names())}"
        )
    return CONFIG_FOLDER / f"{name}.py"


def experiment_names() -> list[str]:
    """Return the names of all configs that are installed with i2vkit, and of all their variants."""
    return sorted([*config_names(), *_variants_by_name()])


def config_names() -> list[str]:
    """Return the names of all configs that are installed with i2vkit."""
    files = (path.relative_to(CONFIG_FOLDER) for path in CONFIG_FOLDER.rglob("*.py"))
    return sorted(path.with_suffix("").as_posix() for path in files if not path.as_posix().startswith("_"))


def _variants_by_name() -> dict[str, tuple[Path, str]]:
    """Return the variants of all installed configs by the name of the experiment, in the config's folder."""
    found = {}
    for name in config_names():
        path = CONFIG_FOLDER / f"{name}.py"
        for experiment, key in listed_variants(path).items():
            found[Path(name).with_name(experiment).as_posix()] = (path, key)
    return found


def _name_of(path: Path) -> str:
    return path.as_posix().removeprefix("configs/").removesuffix(".py")
