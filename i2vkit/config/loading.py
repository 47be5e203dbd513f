"""Loading of configs: they are found by name, changed from the command line, and checked so that every key is read."""

from __future__ import annotations

from collections.abc import Iterator
from os.path import isdir, isfile
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
    registries_of,
    resolve,
    slot_below,
)
from i2vkit.config.swaps import classes_in, refuse_unread, reset_swapped_parts
from i2vkit.config.values import check_top_level, check_values_at
from i2vkit.config.variants import VARIANTS, Variant, chain, listed_variants, make_variants, no_variant
from i2vkit.datasets.loaders import SPLITS, complete_loader
from i2vkit.engine.compiling import compile_options
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names
from i2vkit.utils.named import named_entries
from i2vkit.values import refuse_values

CONFIG_FOLDER = Path(__file__).parents[1] / "configs"
_VARIANT = "variant"
_CHANGES = "_i2vkit_changes"  # an attribute of the Config, which is no key of it


def load_config(name_or_path: str | Path, options: dict[str, Any] | None = None, variant: str | None = None) -> Config:
    """Load a config, apply a variant and options, and check every key.

    The name of an experiment is that of a config or of one of its variants: "imaginator_mug_no_fusion" is
    "imaginator_mug" as its variant "no_fusion". The result then has the key ``variant``, and its ``filename`` is the
    experiment's.

    If an option changes the ``type`` of a part, the old part's arguments are dropped and those given beside it stay.
    Imports, functions and names that begin with ``_`` are left out of the result. The values that a model leaves to its
    data (``fill_in_facts``) and data loaders to the machine (``complete_loader``) are filled in.

    Args:
        name_or_path: Name of a config of i2vkit or of a variant, or the path of a config file.
        options: Values by dotted keys, as ``--cfg-options`` gives them.
        variant: Key of a variant of the config.

    Returns:
        The config, ready for ``train``, ``test`` and ``I2VInferencer``.

    Raises:
        ConfigError: There is no such config or variant, the file does not run, or a part, argument or key is unknown.
            The message gives the nearest name.
    """
    refuse_values(
        config=(name_or_path, str | Path), options=(options, dict[str, Any] | None), variant=(variant, str | None)
    )
    path, variant = find_experiment(name_or_path, variant)
    cfg = read_config(path)
    if not cfg:  # a base may have private names only
        raise ConfigError(f"{path} is no config: it defines no key, such as model = dict(...)")
    try:
        if variant is not None:
            apply_variant(cfg, path, variant)
        before = classes_in(cfg) if options else {}
        override(cfg, options or {})
        check_config(cfg)
        if options:
            refuse_unread(cfg, before)
        fill_in_facts(cfg)
    except ImportError as error:  # a config's imports run when they are first used
        raise ConfigError(f"{path}: {error}") from error
    if cfg.get("data_preprocessor") and cfg.get("model"):  # the Runner reads it at the top, but only in training
        cfg.model.setdefault("data_preprocessor", cfg.pop("data_preprocessor"))
    for split in SPLITS:
        if loader := cfg.get(f"{split}_dataloader"):
            complete_loader(loader, split)
    return cfg


def read_config(path: Path) -> Config:
    """Read a config file with its bases, without checks.

    Raises:
        ConfigError: The file does not run.
    """
    try:
        parsed = Config.fromfile(path, lazy_import=True)
    except RecursionError as error:
        raise ConfigError(
            f"{path} cannot be read: it reads itself, by the bases that it names in read_base()"
        ) from error
    except (Exception, SystemExit) as error:  # whatever a user's file raises when it runs
        raise ConfigError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    public = {key: value for key, value in dict.items(parsed._cfg_dict) if not _is_private(key, value)}
    public.pop(VARIANTS, None)
    # Its text is written into every log and checkpoint, and yapf would take about a second each time.
    return Config(public, filename=str(path), format_python_code=False)


def read_variants(path: Path) -> dict[str, Variant]:
    """Read the variants that a config file defines itself, by key. Variants of its bases are not among them.

    Raises:
        ConfigError: The file does not run, or its variants are not as ``Variant`` describes them.
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
    """Convert a value of a config to plain dicts.

    Imports stay lazy, or the config could not be written to a file any more.
    """
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in dict.items(value)}
    return type(value)(map(_as_written, value)) if isinstance(value, list | tuple) else value


def apply_variant(cfg: Config, path: Path, key: str) -> None:
    """Make ``cfg``, of the file ``path``, the variant ``key``, in place.

    Raises:
        ConfigError: There is no such variant, or one of its options is wrong.
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


def _name_of(path: Path) -> str:
    return path.as_posix().removeprefix("configs/").removesuffix(".py")


def _variants_by_name() -> dict[str, tuple[Path, str]]:
    """Return the variants of all installed configs by the name of the experiment, in the config's folder."""
    found = {}
    for name in config_names():
        path = CONFIG_FOLDER / f"{name}.py"
        for experiment, key in listed_variants(path).items():
            found[Path(name).with_name(experiment).as_posix()] = (path, key)
    return found


def experiment_names() -> list[str]:
    """Return the names of all configs that are installed with i2vkit, and of all their variants."""
    return sorted([*config_names(), *_variants_by_name()])


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


def config_names() -> list[str]:
    """Return the names of all configs that are installed with i2vkit."""
    files = (path.relative_to(CONFIG_FOLDER) for path in CONFIG_FOLDER.rglob("*.py"))
    return sorted(path.with_suffix("").as_posix() for path in files if not path.as_posix().startswith("_"))


def _is_private(key: str, value: Any) -> bool:
    """Return True if a name of a config file is an import, a helper or marked as private."""
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

    Swapped parts, and their consequences, are logged and kept for ``changes_of``.

    Args:
        cfg: The config, changed in place.
        options: Values by dotted keys.
        log: Log and keep the swaps. Default True.

    Raises:
        ConfigError: A part does not exist, or a key neither exists nor could.
    """
    before = classes_in(cfg)
    changes: list[str] = []
    tree: dict = {}
    for key, value in _flat(options):
        node = tree
        for name in key[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{'.'.join(key)} and a key above it are both set")
        node[key[-1]] = value
    _merge(cfg._cfg_dict, tree, "", None, changes)
    model = cfg.get("model")
    if isinstance(model, dict) and isinstance(model.get("frozen"), str):
        model["frozen"] = [model["frozen"]]  # model.frozen=generator.decoder means the one part, not its letters
    after = classes_in(cfg)
    # A part that an option loads or adds has no earlier weights that could be stale.
    if swapped := {path for path in after if path in before and after[path] != before[path]}:
        changes += reset_swapped_parts(cfg.model, swapped)
    if not log:
        return
    for line in changes:
        print_log(line, "current")
    object.__setattr__(cfg, _CHANGES, [*changes_of(cfg), *changes])  # copies of a Config keep its attributes


def changes_of(cfg: Config) -> list[str]:
    """Return the lines of ``override`` about ``cfg``: swapped parts and the consequences.

    Copies of a config have the same.
    """
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
        if not isinstance(old, list) and not present:
            _must_be_known(old, key, value, where, path, slot)
        current = old[index] if present else None
        if not isinstance(value, dict) or _empties(value, current):
            old[index] = value
        elif isinstance(current, dict | list) and not _swaps(current, value, where, below, changes):
            _merge(current, value, where, below, changes)
        elif "type" in value or not below or key in NAMED or _is_plain_dict(old, slot, path, key):
            if present and current is None and below:
                changes.append(f"{where}: None -> {name_of(value['type'])}")
            old[index] = ConfigDict(value)
        else:
            raise ConfigError(f"there is no part at '{where}'; give {where}.type too")


def _empties(value: dict, current: Any) -> bool:
    """Return True if an option ``{}`` takes all entries away. A part keeps its arguments, since it has a type."""
    return not value and isinstance(current, dict) and "type" not in current


def _is_plain_dict(old: dict | list, slot: tuple[Registry, ...] | None, path: str, key: str) -> bool:
    """Return True if ``key`` is an argument that takes a dict without a type, such as ``optim_wrapper.clip_grad``."""
    if key in EXTRA_KEYS.get(path, ()):
        return True
    return isinstance(old, dict) and registries_of(key) is None and key in (allowed_keys(old, slot, path) or ())


def _index(values: list, key: str, where: str) -> int:
    if not key.isdigit() or int(key) >= len(values):
        raise ConfigError(f"'{where}': there is a list of {len(values)} entries; give a number below {len(values)}")
    return int(key)


def _must_be_known(old: dict, key: str, value: Any, where: str, path: str, slot: tuple[Registry, ...] | None) -> None:
    """Check a new key: an argument of the part, a new part among named ones, or a key of the top level."""
    if "type" in old:
        return  # check_config knows the arguments of the class, which may be about to change
    if not path and key in REFUSED:
        return  # check_config says why
    known = TOP_LEVEL if not path else allowed_keys(old, slot, path)
    if (known is not None and key in known) or (slot and isinstance(value, dict) and "type" in value):
        return
    raise ConfigError(f"no key '{where}' in the config; nearest: {closest_names(key, {*(known or ()), *old})}")


def _swaps(old: dict | list, new: dict, where: str, slot: tuple[Registry, ...] | None, changes: list[str]) -> bool:
    """Return True if ``new`` replaces ``old`` by another part. ``changes`` then gets a line about it."""
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
    """Raise ``ConfigError`` for the first key that nothing would read, with the nearest valid one, and for the first
    value that its key does not take.
    """
    for key, value in cfg._cfg_dict.items():
        if key in REFUSED:
            raise ConfigError(f"the key '{key}' would not be read: {REFUSED[key]}")
        if key not in TOP_LEVEL:
            raise ConfigError(
                f"no key '{key}' at the top of a config; nearest: {closest_names(key, TOP_LEVEL)} "
                f"(names of the file's own start with '_')"
            )
        _check(value, key, slot_below({}, None, key))
    check_top_level(cfg._cfg_dict)
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
        check_values_at(value, slot, path)
