"""Configs: found by name, changed from the command line, and checked so that no key goes unread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.logging import print_log
from mmengine.registry import Registry

from i2vkit.config.data_facts import fill_in_facts
from i2vkit.config.slots import (
    EXTRA_KEYS,
    NAMED,
    REFUSED,
    TOP_LEVEL,
    allowed_keys,
    holds_names,
    name_of,
    resolve,
    slot_below,
)
from i2vkit.config.swaps import classes_in, reset_swapped_parts
from i2vkit.config.variants import VARIANTS, Variant, chain, listed_variants, make_variants, no_variant
from i2vkit.datasets.loaders import SPLITS, complete_loader
from i2vkit.engine.compiling import compile_options
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names
from i2vkit.utils.named import named_entries

CONFIG_FOLDER = Path(__file__).parents[1] / "configs"
_VARIANT = "variant"
_CHANGES = "_i2vkit_changes"  # an attribute of the Config, which is no key of it


def load_config(name_or_path: str | Path, options: dict[str, Any] | None = None, variant: str | None = None) -> Config:
    """The config of that name or path, as the ``variant`` of that name, with ``options`` applied and every key checked.

    A name is a config's, or that of one of its variants: "imaginator_mug_no_fusion" is "imaginator_mug" as its variant
    "no_fusion". The result then has the key ``variant``, and its ``filename`` is the experiment's.

    ``options`` maps dotted keys to values, as ``--cfg-options`` gives them. Where one changes the ``type`` of a part,
    the old part's arguments go and those given beside it stay. Imports, functions and names starting with ``_`` are the
    file's own business and are left out of the result. What the model leaves to its data (``fill_in_facts``) and data
    loaders to the machine (``complete_loader``) is filled in.

    Raises:
        ConfigError: no such config or variant; a file that does not run; an unknown part, argument or key, with the
            nearest.
    """
    path, variant = find_experiment(name_or_path, variant)
    cfg = read_config(path)
    try:
        if variant is not None:
            apply_variant(cfg, path, variant)
        override(cfg, options or {})
        check_config(cfg)
        fill_in_facts(cfg)
    except ImportError as error:  # imports of a config happen when they are looked at
        raise ConfigError(f"{path}: {error}") from error
    if cfg.get("data_preprocessor") and cfg.get("model"):  # the Runner's place for it, of which only training knows
        cfg.model.setdefault("data_preprocessor", cfg.pop("data_preprocessor"))
    for split in SPLITS:
        if loader := cfg.get(f"{split}_dataloader"):
            complete_loader(loader, split)
    return cfg


def read_config(path: Path) -> Config:
    """What a config file and its bases set, without checks.

    Raises:
        ConfigError: the file does not run.
    """
    try:
        parsed = Config.fromfile(path, lazy_import=True)
    except Exception as error:  # whatever a user's file raises when it runs
        raise ConfigError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    public = {key: value for key, value in dict.items(parsed._cfg_dict) if not _is_private(key, value)}
    public.pop(VARIANTS, None)
    # Its text is written into every log and checkpoint, and yapf would take about a second each time.
    return Config(public, filename=str(path), format_python_code=False)


def read_variants(path: Path) -> dict[str, Variant]:
    """The variants that a config file defines itself, by key; those of its bases are not its own.

    Raises:
        ConfigError: the file does not run, or its variants are not as ``Variant`` describes them.
    """
    if not listed_variants(path):
        return {}
    try:
        return make_variants(_as_written(Config.fromfile(path, lazy_import=True)[VARIANTS]), path)
    except ConfigError:
        raise
    except Exception as error:  # whatever a user's file raises when it runs
        raise ConfigError(f"{path} cannot be read: {type(error).__name__}: {error}") from error


def _as_written(value: Any) -> Any:
    """A value of a config as plain dicts. Imports stay lazy, or the config could not be written to a file any more."""
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in dict.items(value)}
    return type(value)(map(_as_written, value)) if isinstance(value, list | tuple) else value


def apply_variant(cfg: Config, path: Path, key: str) -> None:
    """Make ``cfg``, of the file ``path``, the variant ``key``, in place.

    Raises:
        ConfigError: there is no such variant, or an option of it makes no sense.
    """
    steps = chain(read_variants(path), key, path)
    for step in steps:
        if step.data is not None:
            data = find_config(CONFIG_FOLDER / step.data)
            for name, value in dict.items(read_config(data)._cfg_dict):
                cfg._cfg_dict[name] = value  # as a whole: ConfigDict.update would merge it into what was there
        try:
            override(cfg, dict(step.options), log=False)
        except ConfigError as error:
            raise ConfigError(f"{path}, variant {step.key}: {error}") from error
    cfg._cfg_dict[_VARIANT] = key
    object.__setattr__(cfg, "_filename", str(path.with_name(f"{steps[-1].name}.py")))


def find_experiment(name_or_path: str | Path, variant: str | None = None) -> tuple[Path, str | None]:
    """The file of a config, and the key of its variant, if one is meant by ``variant`` or by the name.

    Raises ``ConfigError`` with the nearest names.
    """
    path = Path(name_or_path)
    name = _name_of(path)
    if not path.is_file() and variant is None and name in (found := _variants_by_name()):
        return found[name]
    path = find_config(name_or_path)
    if variant is not None and variant not in (known := dict.fromkeys(listed_variants(path).values())):
        raise ConfigError(no_variant(variant, known, path))
    return path, variant


def _name_of(path: Path) -> str:
    return path.as_posix().removeprefix("configs/").removesuffix(".py")


def _variants_by_name() -> dict[str, tuple[Path, str]]:
    """The variants of all installed configs by the name of the experiment, in the config's folder."""
    found = {}
    for name in config_names():
        path = CONFIG_FOLDER / f"{name}.py"
        for experiment, key in listed_variants(path).items():
            found[Path(name).with_name(experiment).as_posix()] = (path, key)
    return found


def experiment_names() -> list[str]:
    """The names of all configs that are installed with i2vkit, and of all their variants."""
    return sorted([*config_names(), *_variants_by_name()])


def find_config(name_or_path: str | Path) -> Path:
    """The file of a config: a path as it is, or a name among those that are installed with i2vkit.

    Raises ``ConfigError`` with the nearest names.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path.resolve()
    name = _name_of(path)
    if name not in config_names():
        raise ConfigError(
            f"there is no config '{name_or_path}', neither a file nor by name; nearest: "
            f"{closest_names(name, experiment_names())}"
        )
    return CONFIG_FOLDER / f"{name}.py"


def config_names() -> list[str]:
    """The names of all configs that are installed with i2vkit."""
    files = (path.relative_to(CONFIG_FOLDER) for path in CONFIG_FOLDER.rglob("*.py"))
    return sorted(path.with_suffix("").as_posix() for path in files if not path.as_posix().startswith("_"))


def _is_private(key: str, value: Any) -> bool:
    """Whether a name of a config file is an import, a helper or marked as private."""
    return (
        key.startswith("_")
        or callable(value)
        or isinstance(value, LazyObject | LazyAttr | type(Path))
        or _is_module(value)
    )


def _is_module(value: Any) -> bool:
    return type(value).__name__ == "module"


def override(cfg: Config, options: dict[str, Any], log: bool = True) -> None:
    """Apply dotted ``options`` to ``cfg`` in place.

    What is swapped, and what follows from that, is logged, and kept for ``changes_of``, unless ``log`` is false.

    Raises:
        ConfigError: for a part that does not exist and a key that is neither there nor could be.
    """
    before, changes = classes_in(cfg), []
    tree: dict = {}
    for key, value in _flat(options):
        node = tree
        for name in key[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{'.'.join(key)} and a key above it are both set")
        node[key[-1]] = value
    _merge(cfg._cfg_dict, tree, "", None, changes)
    after = classes_in(cfg)
    # What an option loads or adds has no past that could be stale.
    if swapped := {path for path in after if path in before and after[path] != before[path]}:
        changes += reset_swapped_parts(cfg.model, swapped)
    if not log:
        return
    for line in changes:
        print_log(line, "current")
    object.__setattr__(cfg, _CHANGES, [*changes_of(cfg), *changes])  # copies of a Config take its attributes along


def changes_of(cfg: Config) -> list[str]:
    """What ``override`` said about ``cfg`` or what it is a copy of: the parts that were swapped, and what follows."""
    return vars(cfg).get(_CHANGES, [])


def _flat(options: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in options.items():
        path = (*above, *str(key).split("."))
        if isinstance(value, dict) and value:
            yield from _flat(value, path)
        else:
            yield path, value


def _merge(old: dict | list, new: dict, path: str, slot: tuple[Registry, ...] | None, changes: list[str]) -> None:
    for key, value in new.items():
        where = f"{path}.{key}" if path else key
        below = slot_below(old, slot, key)
        index = _index(old, key, where) if isinstance(old, list) else key
        present = isinstance(old, list) or key in old
        if not present:
            _must_be_known(old, key, value, where, path, slot)
        current = old[index] if present else None
        if not isinstance(value, dict):
            old[index] = value
        elif isinstance(current, dict | list) and not _swaps(current, value, where, below, changes):
            _merge(current, value, where, below, changes)
        elif "type" in value or not below or key in NAMED or key in EXTRA_KEYS.get(path, ()):
            if present and current is None and below:
                changes.append(f"{where}: None -> {name_of(value['type'])}")
            old[index] = ConfigDict(value)
        else:
            raise ConfigError(f"there is no part at '{where}'; give {where}.type too")


def _index(values: list, key: str, where: str) -> int:
    if not key.isdigit() or int(key) >= len(values):
        raise ConfigError(f"'{where}': a list of {len(values)} stands there; give a number below {len(values)}")
    return int(key)


def _must_be_known(old: dict, key: str, value: Any, where: str, path: str, slot: tuple[Registry, ...] | None) -> None:
    """A new key must be an argument of the part, a new part among named ones, or a key of the top level."""
    if "type" in old:
        return  # check_config knows the arguments of the class, which may be about to change
    if not path and key in REFUSED:
        return  # check_config says why
    known = TOP_LEVEL if not path else allowed_keys(old, slot, path)
    if (known is not None and key in known) or (slot and isinstance(value, dict) and "type" in value):
        return
    raise ConfigError(f"no key '{where}' in the config; nearest: {closest_names(key, {*(known or ()), *old})}")


def _swaps(old: dict | list, new: dict, where: str, slot: tuple[Registry, ...] | None, changes: list[str]) -> bool:
    """Whether ``new`` puts another part in the place of ``old``; then ``changes`` gets a line that says so."""
    if "type" not in new or not isinstance(old, dict) or "type" not in old:
        return False
    before, after = resolve(old["type"], slot, where), resolve(new["type"], slot, where)
    if before is after and (before is not None or old["type"] == new["type"]):
        return False
    dropped = ", ".join(name for name in old if name != "type" and name not in new)
    changes.append(
        f"{where}: {name_of(old['type'])} -> {name_of(new['type'])}"
        + (f"; arguments dropped: {dropped}" if dropped else "")
    )
    return True


def check_config(cfg: Config) -> None:
    """Raise ``ConfigError`` for the first key that nothing would read, with the nearest that something would."""
    for key, value in cfg._cfg_dict.items():
        if key in REFUSED:
            raise ConfigError(f"the key '{key}' would not be read: {REFUSED[key]}")
        if key not in TOP_LEVEL:
            raise ConfigError(
                f"no key '{key}' at the top of a config; nearest: {closest_names(key, TOP_LEVEL)} "
                f"(names of the file's own start with '_')"
            )
        _check(value, key, slot_below({}, None, key))
    compile_options(cfg.get("compile"))


def _check(value: Any, path: str, slot: tuple[Registry, ...] | None) -> None:
    if holds_names(path):
        named_entries(value, path.rpartition(".")[2], path)
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{path}.{index}", slot)
    elif isinstance(value, dict):
        known = allowed_keys(value, slot, path)
        for key, item in value.items():
            if known is not None and key not in known:
                owner = f"{name_of(value['type'])} takes" if "type" in value else "there is"
                raise ConfigError(f"{path}: {owner} no '{key}'; nearest: {closest_names(key, known)}")
            _check(item, f"{path}.{key}", slot_below(value, slot, key))
