"""All registries of i2vkit.

The first group are children of mmengine's root registries, so that mmengine's Runner finds our parts under the scope
``i2vkit`` (every config sets ``default_scope = "i2vkit"``). The second group has one registry for each role. A name
that is given as a string in a config is looked up in the registry of its slot, see ``build_part``.
"""

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from torch.nn import Module

from i2vkit.errors import ConfigError
from i2vkit.interfaces import check_built, check_class
from i2vkit.values import check_arguments

SCOPE = "i2vkit"
_LISTED = 12  # names in a message, if none is near
# Values whose meaning an annotation decides. Objects of other types are whatever the caller has made.
PLAIN = (str, int, float, list, tuple, dict, Path, type(None))


class PartRegistry(Registry):
    """A registry whose classes check the values of their arguments when they are made, from a config or by hand."""

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        """Register a class or function. The constructor of a class checks its arguments first from now on."""
        super()._register_module(module, module_name, force)
        constructor = _own_constructor(module) if inspect.isclass(module) else None
        if constructor is not None:
            setattr(module, "__init__", _checking(constructor, f"{self.name} {module.__name__}"))  # noqa: B010


def _own_constructor(part: type) -> Callable | None:
    """Return the constructor of a class, if it or a class of ours above it defines one."""
    level = next(level for level in part.__mro__ if "__init__" in vars(level))
    constructor = vars(level)["__init__"]
    ours = level is part or level.__module__.split(".")[0] == SCOPE
    return constructor if ours and inspect.isfunction(constructor) else None


def _checking(constructor: Callable, where: str) -> Callable:
    """Return a constructor that raises ``ConfigError`` for values that ``constructor`` does not take."""
    if hasattr(constructor, "checks_values"):
        return constructor
    signature = inspect.signature(constructor)

    @wraps(constructor)
    def checked_constructor(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            given = signature.bind_partial(self, *args, **kwargs).arguments
        except TypeError:
            given = {}  # the call itself says what is wrong
        plain = {name: value for name, value in list(given.items())[1:] if isinstance(value, PLAIN)}
        check_arguments(constructor, plain, where)
        constructor(self, *args, **kwargs)

    checked_constructor.checks_values = True  # type: ignore[attr-defined]
    return checked_constructor


def _child(root: str, *locations: str) -> Registry:
    """Return a child of one of mmengine's root registries."""
    parent = getattr(mmengine_registry, root)
    return PartRegistry(parent.name, parent=parent, scope=SCOPE, locations=list(locations))


# mmengine looks up a default scope through any of its registries, so every root needs a child of ours, used or not.
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


# The base class of every role by the role's name. Those of i2vkit are dotted paths, so that this module imports none of
# them.
_INTERFACES: dict[str, str | type] = {}


def _role(name: str, location: str, interface: str) -> Registry:
    """Return a registry of parts in ``location`` that inherit from the class ``interface``. Both are relative to
    i2vkit.
    """
    _INTERFACES[name] = f"{SCOPE}.{interface}"
    return PartRegistry(name, scope=SCOPE, locations=[f"{SCOPE}.{location}"])


# Parts of the generator.
CONTENT_ENCODERS = _role("content encoder", "models.encoders", "models.interfaces.ContentEncoder")
MOTION_ENCODERS = _role("motion encoder", "models.encoders", "models.interfaces.MotionEncoder")
FRAME_ENCODERS = _role("frame encoder", "models.encoders", "models.interfaces.FrameEncoder")
MOTION_GENERATORS = _role("motion generator", "models.motion_generators", "models.interfaces.MotionGenerator")
DECODERS = _role("decoder", "models.decoders", "models.interfaces.Decoder")
HEADS = _role("head", "models.heads", "models.interfaces.Head")
REFINERS = _role("refiner", "models.refiners", "models.interfaces.Refiner")
ADAPTERS = _role("adapter", "models.adapters", "models.interfaces.Adapter")
# Parts of discriminators, and losses.
DISCRIMINATORS = _role(
    "discriminator", "models.discriminators", "models.discriminators.interfaces.DiscriminatorNetwork"
)
VIEWS = _role("view", "models.discriminators", "models.discriminators.views.View")
AUGMENTATIONS = _role("augmentation", "models.discriminators", "models.discriminators.interfaces.Augmentation")
ADVERSARIAL_LOSSES = _role("adversarial loss", "models.losses", "models.losses.adversarial_losses.AdversarialCriterion")
LOSSES = _role("loss", "models.losses", "models.losses.base.Loss")
# Parts of the data and of the evaluation.
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
        name: The name of the kind in messages and lists, for instance "motion smoother".
        interface: The base class of these parts. ``find_part`` refuses a class that does not fulfil it.

    Raises:
        ConfigError: A role of that name exists.

    See also: ``add_slot`` in ``i2vkit/generator_slots.py``.
    """
    if name in ROLES:
        raise ConfigError(f"there is a role '{name}' already: register your parts there, or choose another name")
    ROLES[name] = PartRegistry(name, scope=SCOPE)
    _INTERFACES[name] = interface
    return ROLES[name]


def remove_role(name: str) -> None:
    """Remove a role that ``add_role`` has added, with everything that is registered in it."""
    del ROLES[name], _INTERFACES[name]


def closest_names(name: str, names: Iterable[str]) -> str:
    """Return suggestions for an unknown ``name``: the nearest of ``names``, or the first of all if none is near."""
    names = sorted(set(names))
    if near := get_close_matches(name, names, n=3, cutoff=0.5):
        return ", ".join(near)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}" or "nothing at all"


def interface_of(registry: Registry) -> type | None:
    """Return the base class of the parts of ``registry``. It is None for the children of mmengine's roots."""
    path = _INTERFACES.get(registry.name)
    if path is None or ROLES.get(registry.name) is not registry:
        return None
    if isinstance(path, type):
        return path
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def part_names(registry: Registry) -> dict[str, Callable]:
    """Import the parts of ``registry`` and its parents, and return all of them by name."""
    parts: dict[str, Callable] = {}
    level: Registry | None = registry
    while level is not None:
        level.import_from_location()
        # Nearer registries win over their parents.
        parts = {**level.module_dict, **parts}
        level = level.parent
    return parts


def find_part(registry: Registry, kind: str | Callable) -> Callable:
    """Return the class that ``kind`` means in the slot of ``registry``.

    Args:
        registry: The registry of the slot.
        kind: A name, a dotted path (as in a dumped config) or the class itself.

    Raises:
        ConfigError: The name is unknown, the class has another role (which a dotted path or a class could bring in), or
            it does not fulfil the interface of its role.
    """
    parts = part_names(registry)
    if isinstance(kind, str):
        found = parts.get(kind.removeprefix(f"{SCOPE}.")) or _from_path(kind)
        # The name may be a part of another role, which the error should say.
        roles = [role for role, other in ROLES.items() if kind in other.module_dict]
        if found is None and not roles:
            raise ConfigError(f"no {registry.name} is called '{kind}'; nearest: {closest_names(kind, parts)}")
        kind = found or ROLES[roles[0]].module_dict[kind]
        parts = part_names(registry)  # importing the module of a dotted path may have registered the part just now
    if kind in parts.values():
        if interface := interface_of(registry):
            check_class(registry.name, interface, kind)
        return kind
    name = getattr(kind, "__name__", kind)
    if roles := [role for role, other in ROLES.items() if kind in other.module_dict.values()]:
        raise ConfigError(f"'{name}' is registered as: {' or '.join(roles)}; this place needs: {registry.name}")
    raise ConfigError(f"'{name}' is not registered as a {registry.name}; those that are: {', '.join(sorted(parts))}")


def _from_path(path: str) -> Callable | None:
    """Return the object at a dotted path, or None."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name, None) if module else None
    except ImportError:
        return None


def arguments_of(part: Callable) -> dict[str, inspect.Parameter] | None:
    """Return the arguments that ``part`` takes by name, or None if it takes any.

    A constructor that passes its ``**kwargs`` on also takes the arguments of its parents. If the ``**kwargs`` of a
    class stand for some more arguments, the class method ``more_arguments`` returns their names. All of these are
    optional.
    """
    if hasattr(part, "more_arguments"):
        own = inspect.signature(part.__init__).parameters.values()
        named = {p.name: p for p in own if p.kind is not p.VAR_KEYWORD and p.name != "self"}
        keyword = inspect.Parameter.KEYWORD_ONLY
        return named | {name: inspect.Parameter(name, keyword, default=None) for name in part.more_arguments()}
    if inspect.isclass(part):
        # object and Module take no arguments of their own, although their signatures say so.
        levels = [level for level in part.__mro__ if level not in (object, Module)]
        constructors = [vars(level)["__init__"] for level in levels if "__init__" in vars(level)]
    else:
        constructors = [part]
    takes: dict[str, inspect.Parameter] = {}
    for constructor in constructors:
        parameters = inspect.signature(constructor).parameters.values()
        by_name = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
        takes = {**{p.name: p for p in by_name}, **takes}
        # Without ``**kwargs`` nothing reaches the parents' constructors.
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return takes
    return None if constructors else takes


def build_part(registry: Registry, cfg: dict | None, **given: Any) -> Any:
    """Build the part that ``cfg`` describes for the slot of ``registry``. None stays None.

    Args:
        registry: The registry of the slot.
        cfg: ``dict(type=..., ...)`` with the arguments of the part, or None.
        given: Arguments from the caller. Each is passed if the constructor has a parameter of that name and ``cfg``
            does not set it.

    Raises:
        ConfigError: The part is unknown or has another role, arguments are unknown or missing, or the part does not
            fulfil the interface of its role.
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
    check_arguments(part, {name: own[name] for name in takes if name in own}, f"{registry.name} {part.__name__}")
    if missing := [name for name, p in takes.items() if p.default is p.empty and name not in arguments]:
        raise ConfigError(f"{registry.name} '{part.__name__}' needs the argument '{missing[0]}'")
    return checked(registry, part(**arguments))


def checked(registry: Registry, built: Any) -> Any:
    """Return ``built`` if it fulfils the interface of its role.

    Raises:
        ConfigError: It does not. The message names what is missing.
    """
    if interface := interface_of(registry):
        check_built(registry.name, interface, built)
    return built
