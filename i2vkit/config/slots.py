"""The registry of every place in a config, and the keys of dicts without a ``type``."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.dataset import BaseDataset  # noqa: F401  registers mmengine's data sets and functions
from mmengine.optim import OptimWrapper
from mmengine.registry import (
    EVALUATOR,
    LOG_PROCESSORS,
    LOOPS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    VISBACKENDS,
    VISUALIZERS,
    Registry,
)
from mmengine.runner import LogProcessor
from torch.utils.data import DataLoader

from i2vkit import registry as roles
from i2vkit.engine.compiling import OPTIONS
from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.registry import arguments_of, find_part

# fmt: off
# The keys of a config that mmengine's Runner reads. A test compares them with the installed Runner.
RUNNER_KEYS = frozenset({
    "default_scope", "experiment_name", "work_dir", "load_from", "resume", "launcher", "randomness", "env_cfg",
    "model", "data_preprocessor", "model_wrapper_cfg", "sync_bn", "compile", "activation_checkpointing",
    "efficient_conv_bn_eval", "optim_wrapper", "auto_scale_lr", "param_scheduler",
    "train_dataloader", "val_dataloader", "test_dataloader",
    "train_cfg", "val_cfg", "test_cfg", "val_evaluator", "test_evaluator",
    "default_hooks", "custom_hooks", "visualizer", "log_processor", "log_level",
})
# fmt: on
TOP_LEVEL = RUNNER_KEYS | {"protocols", "variant"}
# Keys that the Runner reads when it wraps a model by itself, with the reason why that never happens here.
REFUSED = {
    "find_unused_parameters": "it is an argument of DistributedDataParallel, which i2vkit does not use: several "
    "processes average the gradients that there are (docs/distributed.md). Leave it out",
}

# The registries of a part's type, by the key of the part or of the list or dict of names that holds it. The slots of a
# generator are in a table of their own, to which a config may add, see ``registries_of``.
SLOTS: dict[str, tuple[Registry, ...]] = {
    "model": (roles.MODELS,),
    "data_preprocessor": (roles.MODELS,),
    "model_wrapper_cfg": (roles.MODEL_WRAPPERS,),
    "frame_encoder": (roles.FRAME_ENCODERS,),
    "condition_generator": (roles.CONDITION_GENERATORS,),
    "network": (roles.DISCRIMINATORS, roles.MODELS),
    "embedder": (roles.EMBEDDERS, roles.VIDEO_EMBEDDERS),
    "view": (roles.VIEWS,),
    "augment": (roles.AUGMENTATIONS,),
    "window": (roles.TRANSFORMS,),
    "crop": (roles.TRANSFORMS,),
    "augmentation": (roles.TRANSFORMS,),
    "extra_steps": (roles.TRANSFORMS,),
    "adversarial": (roles.ADVERSARIAL_LOSSES,),
    "losses": (roles.LOSSES,),
    "dataset": (roles.DATASETS,),
    "reader": (roles.READERS,),
    "readers": (roles.READERS,),
    "pair_sampler": (roles.PAIR_SAMPLERS, roles.PROTOCOLS),
    "protocols": (roles.PROTOCOLS,),
    "pipeline": (roles.TRANSFORMS,),
    "sampler": (roles.DATA_SAMPLERS,),
    "batch_sampler": (roles.DATA_SAMPLERS,),
    "val_evaluator": (roles.METRICS, EVALUATOR),
    "test_evaluator": (roles.METRICS, EVALUATOR),
    "metrics": (roles.METRICS,),
    "optim_wrapper": (OPTIM_WRAPPERS,),
    "optimizer": (OPTIMIZERS,),
    "param_scheduler": (PARAM_SCHEDULERS,),
    "train_cfg": (LOOPS,),
    "val_cfg": (LOOPS,),
    "test_cfg": (LOOPS,),
    "default_hooks": (roles.HOOKS,),
    "custom_hooks": (roles.HOOKS,),
    "visualizer": (VISUALIZERS,),
    "vis_backends": (VISBACKENDS,),
    "log_processor": (LOG_PROCESSORS,),
}

# Slots that hold parts by name. An option may add such a dict as a whole.
NAMED = (
    "protocols",
    "default_hooks",
    "custom_hooks",
    "param_scheduler",
    "losses",
    "pipeline",
    "augmentation",
    "extra_steps",
    "val_evaluator",
    "test_evaluator",
)

# Keys that mmengine or our constructors read beside the arguments of the class, by path.
EXTRA_KEYS: dict[str, tuple[str, ...]] = {
    "*_dataloader": ("num_batch_per_epoch",),
    "optim_wrapper": ("constructor", "optimizer", "per_phase"),
    "*_hooks.*": ("priority",),
    "param_scheduler.*": ("convert_to_iter_based", "phases"),
}
_OF_NAMED = {SLOTS[key] for key in NAMED}

# Places that hold entries by name and never by position. Pipelines are not among them, because the data sets of other
# packages may take lists.
_NAMES_AT = (
    "custom_hooks",
    "param_scheduler",
    "val_evaluator",
    "test_evaluator",
    "model.phases",
    "model.phases.*.losses",
    "model.pretrained",
)


def _phase() -> Callable:
    from i2vkit.models.training.phases import Phase

    return Phase


def _pass() -> Callable:
    from i2vkit.models.training.passes import Pass

    return Pass


def _generator() -> Callable:
    from i2vkit.models.generator import Generator

    return Generator


def _discriminator() -> Callable:
    from i2vkit.models.discriminators.discriminator import Discriminator

    return Discriminator


def _randomness(seed: int | None = None, diff_rank_seed: bool = False, deterministic: bool = False) -> None:
    """The keys of ``randomness``."""


def _environment(
    cudnn_benchmark: bool = False,
    mp_cfg: dict | None = None,
    dist_cfg: dict | None = None,
    resource_limit: int | None = None,
) -> None:
    """The keys of ``env_cfg``."""


def _processes(
    mp_start_method: Literal["fork", "spawn", "forkserver"] | None = None, opencv_num_threads: int | None = None
) -> None:
    """The keys of ``env_cfg.mp_cfg``."""


def _scaling(enable: bool = False, base_batch_size: int = 1) -> None:
    """The keys of ``auto_scale_lr``."""


# The classes and functions that take the keys of dicts without a type, by path. Those of i2vkit are behind functions,
# so that only the classes that a config uses are imported.
UNTYPED: dict[str, Callable[[], Callable]] = {
    "*_dataloader": lambda: DataLoader,
    "model.generator": _generator,  # with the slots that a project has added
    "model.discriminators.*": _discriminator,
    "model.passes.*": _pass,
    "model.phases.*": _phase,
    "optim_wrapper": lambda: OptimWrapper,
    "log_processor": lambda: LogProcessor,
    "randomness": lambda: _randomness,
    "auto_scale_lr": lambda: _scaling,
    "env_cfg": lambda: _environment,
    "env_cfg.mp_cfg": lambda: _processes,
}
# Keys of dicts without a type for which no signature stands, by path.
NAMED_ONLY: dict[str, tuple[str, ...]] = {"compile": OPTIONS}
# Arguments that the key of a dict gives, and not a key in it.
_GIVEN_BY_NAME = {"model.phases.*": ("name",)}


def registries_of(key: str) -> tuple[Registry, ...] | None:
    """Return the registries in which a type at ``key`` is looked up, or None if there are none."""
    slot = GENERATOR_SLOTS.get(key)
    return SLOTS.get(key) if slot is None else (slot.registry,)


def holds_names(path: str) -> bool:
    """Return True if a config holds entries by name at ``path``, so that a list is refused."""
    return any(_matches(path, pattern) for pattern in _NAMES_AT)


def slot_below(parent: dict | list, slot: tuple[Registry, ...] | None, key: str) -> tuple[Registry, ...] | None:
    """Return the registries for ``key`` of ``parent``, which is itself in ``slot``.

    A list, and a dict of names (one without a type), pass their slot on. A part does not.
    """
    named = isinstance(parent, dict) and "type" not in parent
    if named and slot in _OF_NAMED:
        return slot  # an entry may have the name of a slot: a hook is called param_scheduler
    return registries_of(key) or (slot if named or isinstance(parent, list | tuple) else None)


def resolve(kind: str | Callable, slot: tuple[Registry, ...] | None, path: str) -> Callable | None:
    """Return the class that ``kind`` means at ``path``, or None for a name without a known registry.

    Raises:
        ConfigError: The name is unknown (the message gives the nearest), the class does not belong there, or it is
            neither.
    """
    kind = _imported(kind)
    if not isinstance(kind, str) and not callable(kind):
        raise ConfigError(f"{path}.type is {kind!r}, but takes a class or its name")
    if slot is None:
        return None if isinstance(kind, str) else kind
    problem = None
    for registry in slot:
        try:
            return find_part(registry, kind)
        except ConfigError as error:
            problem = problem or error
    raise ConfigError(f"{path}: {problem}")


def _imported(kind: Any) -> Any:
    """Return the class behind an import that a config file has not resolved yet."""
    return kind.build() if isinstance(kind, LazyObject | LazyAttr) else kind


def name_of(kind: str | Callable) -> str:
    """Return the name of a class that a config gives as a class or by name.

    Raises:
        ConfigError: It is neither.
    """
    kind = _imported(kind)
    if not isinstance(kind, str) and not callable(kind):
        raise ConfigError(f"a type is a class or its name, not {kind!r}")
    return kind if isinstance(kind, str) else kind.__name__


def owner_of(cfg: dict, slot: tuple[Registry, ...] | None, path: str) -> Callable | None:
    """Return the class or function that takes the keys of ``cfg`` as its arguments, or None if it is not known."""
    if "type" in cfg:
        return resolve(cfg["type"], slot, path)
    plain = next((owner for pattern, owner in UNTYPED.items() if _matches(path, pattern)), None)
    return plain() if plain is not None else None


def allowed_keys(cfg: dict, slot: tuple[Registry, ...] | None, path: str) -> Mapping[str, Any] | None:
    """Return the keys that are allowed in ``cfg``, or None if any key is."""
    for pattern, names in NAMED_ONLY.items():
        if _matches(path, pattern):
            return dict.fromkeys(("type", *names))
    owner = owner_of(cfg, slot, path)
    takes = arguments_of(owner) if owner is not None else None
    if takes is None:
        return None
    given = [name for pattern, names in _GIVEN_BY_NAME.items() if _matches(path, pattern) for name in names]
    extra = [name for pattern, names in EXTRA_KEYS.items() if _matches(path, pattern) for name in names]
    return {**{name: p for name, p in takes.items() if name not in given}, **dict.fromkeys(["type", *extra])}


def _matches(path: str, pattern: str) -> bool:
    """Return True if ``path`` fits ``pattern``. A pattern covers paths of its own depth only."""
    return path.count(".") == pattern.count(".") and fnmatchcase(path, pattern)
