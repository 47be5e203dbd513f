"""Every registry of i2vkit on one page.

The first group are children of mmengine's roots, so that mmengine's Runner finds our parts in them under the scope
``i2vkit`` (every config sets ``default_scope = "i2vkit"``). The second group has one registry per role; a name given as
a string in a config is looked up in the registry of the slot in which it stands: ``build_part``.
"""

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from torch.nn import Module

from i2vkit.errors import ConfigError
from i2vkit.interfaces import check_built, check_class

SCOPE = "i2vkit"


def _child(root: str, *locations: str) -> Registry:
    parent = getattr(mmengine_registry, root)
    return Registry(parent.name, parent=parent, scope=SCOPE, locations=list(locations))


# mmengine looks a default scope up through any of its registries: every root needs a child of ours, used or not.
_CHILDREN = {
    name: _child(name)
    for name, value in vars(mmengine_registry).items()
    if isinstance(value, Registry)
    and name
    not in {
        "DATASETS",
        "DATA_SAMPLERS",
        "TRANSFORMS",
        "MODELS",
        "MODEL_WRAPPERS",
        "OPTIM_WRAPPER_CONSTRUCTORS",
        "HOOKS",
        "METRICS",
    }
}
DATASETS = _child("DATASETS", "i2vkit.datasets")
DATA_SAMPLERS = _child("DATA_SAMPLERS", "i2vkit.datasets")
TRANSFORMS = _child("TRANSFORMS", "i2vkit.datasets.transforms")
MODELS = _child("MODELS", "i2vkit.models")
MODEL_WRAPPERS = _child("MODEL_WRAPPERS", "i2vkit.engine")
OPTIM_WRAPPER_CONSTRUCTORS = _child("OPTIM_WRAPPER_CONSTRUCTORS", "i2vkit.engine")
HOOKS = _child("HOOKS", "i2vkit.engine")
METRICS = _child("METRICS", "i2vkit.evaluation.metrics")


# The base class of every role, by the role's name: a dotted path, so that this module imports none of them.
_INTERFACES: dict[str, str | type] = {}


def _role(name: str, location: str, interface: str) -> Registry:
    """A registry of parts that inherit from ``interface``, a class below ``i2vkit``, and are found in ``location``."""
    _INTERFACES[name] = f"{SCOPE}.{interface}"
    return Registry(name, scope=SCOPE, locations=[f"{SCOPE}.{location}"])


# What a video is made of.
CONTENT_ENCODERS = _role("content encoder", "models.encoders", "models.interfaces.ContentEncoder")
MOTION_ENCODERS = _role("motion encoder", "models.encoders", "models.interfaces.MotionEncoder")
FRAME_ENCODERS = _role("frame encoder", "models.encoders", "models.interfaces.FrameEncoder")
MOTION_GENERATORS = _role("motion generator", "models.motion_generators", "models.interfaces.MotionGenerator")
DECODERS = _role("decoder", "models.decoders", "models.interfaces.Decoder")
HEADS = _role("head", "models.heads", "models.interfaces.Head")
REFINERS = _role("refiner", "models.refiners", "models.interfaces.Refiner")
ADAPTERS = _role("adapter", "models.adapters", "models.interfaces.Adapter")
# What judges it.
DISCRIMINATORS = _role(
    "discriminator", "models.discriminators", "models.discriminators.interfaces.DiscriminatorNetwork"
)
VIEWS = _role("view", "models.discriminators", "models.discriminators.views.View")
AUGMENTATIONS = _role("augmentation", "models.discriminators", "models.discriminators.interfaces.Augmentation")
ADVERSARIAL_LOSSES = _role("adversarial loss", "models.losses", "models.losses.adversarial_losses.AdversarialCriterion")
LOSSES = _role("loss", "models.losses", "models.losses.base.Loss")
# What it is made from, and how it is scored.
READERS = _role("reader", "datasets", "datasets.interfaces.DatasetReader")
CONDITION_GENERATORS = _role("condition generator", "conditions", "conditions.interfaces.ConditionGenerator")
PAIR_SAMPLERS = _role("pair sampler", "datasets", "datasets.interfaces.PairSampler")
PROTOCOLS = _role("protocol", "evaluation.protocols", "evaluation.protocols.base.Protocol")
EMBEDDERS = _role("embedder", "evaluation.embedders", "evaluation.embedders.interfaces.Embedder")
VIDEO_EMBEDDERS = _role("video embedder", "evaluation.embedders", "evaluation.embedders.interfaces.VideoEmbedder")

ROLES: dict[str, Registry] = {
    registry.name: registry for registry in list(globals().values()) if isinstance(registry, Registry)
}


def add_role(name: str, interface: type) -> Registry:
    """Return a new registry for parts of a kind that i2vkit does not know, for a slot of your own.

    Args:
        name: What a part of this kind is called in messages and lists, for instance "motion smoother".
        interface: Base class of these parts. ``find_part`` refuses a class that does not fulfil it.

    Raises:
        ConfigError: if there is a role of that name.

    See also: ``add_slot`` in ``i2vkit/generator_slots.py``.
    """
    if name in ROLES:
        raise ConfigError(f"there is a role '{name}' already: register your parts there, or choose another name")
    ROLES[name] = Registry(name, scope=SCOPE)
    _INTERFACES[name] = interface
    return ROLES[name]


def remove_role(name: str) -> None:
    """Forget a role that ``add_role`` has added, with all that is registered in it."""
    del ROLES[name], _INTERFACES[name]


def closest_names(name: str, names: Iterable[str]) -> str:
    """What to suggest instead of an unknown ``name``: the nearest of ``names``, or all where none is near."""
    names = sorted(set(names))
    return ", ".join(get_close_matches(name, names, n=3, cutoff=0.5) or names) or "nothing at all"


def interface_of(registry: Registry) -> type | None:
    """The base class of the parts of ``registry``; None for the children of mmengine's roots, which have none."""
    path = _INTERFACES.get(registry.name)
    if path is None or ROLES.get(registry.name) is not registry:
        return None
    if isinstance(path, type):
        return path
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def part_names(registry: Registry) -> dict[str, Callable]:
    """Every part that ``registry`` or one above it knows, by name; imports them first."""
    parts: dict[str, Callable] = {}
    level: Registry | None = registry
    while level is not None:
        level.import_from_location()
        parts = {**level.module_dict, **parts}
        level = level.parent
    return parts


def find_part(registry: Registry, kind: str | Callable) -> Callable:
    """The class that ``kind`` means in the slot of ``registry``.

    A name, a dotted path (a dumped config has those) or the class itself. Raises ``ConfigError`` for an unknown name,
    for a class of another role, which a name with dots or a class would smuggle in otherwise, and for a class that does
    not fulfil the interface of its role.
    """
    parts = part_names(registry)
    if isinstance(kind, str):
        found = parts.get(kind.removeprefix(f"{SCOPE}.")) or _from_path(kind)
        roles = [role for role, other in ROLES.items() if kind in other.module_dict]
        if found is None and not roles:
            raise ConfigError(f"no {registry.name} is called '{kind}'; nearest: {closest_names(kind, parts)}")
        kind = found or ROLES[roles[0]].module_dict[kind]
        parts = part_names(registry)  # the module at a dotted path may have been imported, and registered, just now
    if kind in parts.values():
        if interface := interface_of(registry):
            check_class(registry.name, interface, kind)
        return kind
    name = getattr(kind, "__name__", kind)
    if roles := [role for role, other in ROLES.items() if kind in other.module_dict.values()]:
        raise ConfigError(f"'{name}' is made to be: {' or '.join(roles)}; it stands where this should: {registry.name}")
    raise ConfigError(f"'{name}' is not registered as a {registry.name}; those that are: {', '.join(sorted(parts))}")


def _from_path(path: str) -> Callable | None:
    """The object at a dotted path, or None."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name, None) if module else None
    except ImportError:
        return None


def arguments_of(part: Callable) -> dict[str, inspect.Parameter] | None:
    """The arguments that ``part`` takes by name; None where it takes any.

    A constructor that hands its ``**kwargs`` up takes those of its parents too. A class whose ``**kwargs`` are
    some more arguments lists their names in a class method ``more_arguments``; all of them may be left out.
    """
    if hasattr(part, "more_arguments"):
        own = inspect.signature(part.__init__).parameters.values()
        named = {p.name: p for p in own if p.kind is not p.VAR_KEYWORD and p.name != "self"}
        keyword = inspect.Parameter.KEYWORD_ONLY
        return named | {name: inspect.Parameter(name, keyword, default=None) for name in part.more_arguments()}
    if inspect.isclass(part):
        # These two take no argument of their own, whatever their signatures say.
        levels = [level for level in part.__mro__ if level not in (object, Module)]
        constructors = [vars(level)["__init__"] for level in levels if "__init__" in vars(level)]
    else:
        constructors = [part]
    takes: dict[str, inspect.Parameter] = {}
    for constructor in constructors:
        parameters = inspect.signature(constructor).parameters.values()
        by_name = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
        takes = {**{p.name: p for p in by_name}, **takes}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return takes
    return None if constructors else takes


def build_part(registry: Registry, cfg: dict | None, **given: Any) -> Any:
    """Build the part that ``cfg`` describes for the slot of ``registry``; None stays None.

    ``given`` comes from upstream: each is passed where the constructor takes an argument of that name, unless ``cfg``
    has it too. Raises ``ConfigError`` for an unknown part, one of another role, unknown or missing arguments, and a
    part that lacks what the interface of its role asks for.
    """
    if cfg is None:
        return None
    if not isinstance(cfg, dict) or "type" not in cfg:
        raise ConfigError(f"a {registry.name} is written dict(type=..., ...), not {cfg!r}")
    part = find_part(registry, cfg["type"])
    own = {name: value for name, value in cfg.items() if name != "type"}
    takes = arguments_of(part)
    if takes is None:
        return checked(registry, part(**{**given, **own}))
    if unknown := [name for name in own if name not in takes]:
        raise ConfigError(
            f"{registry.name} '{part.__name__}' takes no argument '{unknown[0]}'; nearest: "
            f"{closest_names(unknown[0], takes)}"
        )
    arguments = {name: value for name, value in {**given, **own}.items() if name in takes}
    if missing := [name for name, p in takes.items() if p.default is p.empty and name not in arguments]:
        raise ConfigError(f"{registry.name} '{part.__name__}' needs the argument '{missing[0]}'")
    return checked(registry, part(**arguments))


def checked(registry: Registry, built: Any) -> Any:
    """Return ``built``, if it fulfils the interface of its role; ``ConfigError`` names what it lacks."""
    if interface := interface_of(registry):
        check_built(registry.name, interface, built)
    return built
