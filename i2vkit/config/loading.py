"""Loading of configs: they are read, changed by a variant and by options, checked and completed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.config.lazy import LazyAttr, LazyObject

from i2vkit.config.checking import check_config
from i2vkit.config.data_facts import fill_in_facts
from i2vkit.config.finding import CONFIG_FOLDER, find_config, find_experiment
from i2vkit.config.overriding import override
from i2vkit.config.swaps import classes_in, refuse_unread
from i2vkit.config.variants import VARIANTS, Variant, chain, listed_variants, make_variants
from i2vkit.datasets.loaders import SPLITS, complete_loader
from i2vkit.errors import ConfigError
from i2vkit.values import refuse_values

_VARIANT = "variant"


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
