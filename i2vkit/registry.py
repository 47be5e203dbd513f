"""Every registry of i2vkit on one page.

The first group are children of mmengine's roots, so that mmengine's Runner finds our parts in them under the scope
``i2vkit`` (every config sets ``default_scope = "i2vkit"``). The second group has one registry per role; a name given as
a string in a config is looked up in the registry of the slot in which it stands.
"""

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry

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


def _role(name: str, location: str) -> Registry:
    return Registry(name, scope=SCOPE, locations=[location])


# What a video is made of.
CONTENT_ENCODERS = _role("content encoder", "i2vkit.models.encoders")
MOTION_ENCODERS = _role("motion encoder", "i2vkit.models.encoders")
FRAME_ENCODERS = _role("frame encoder", "i2vkit.models.encoders")
MOTION_GENERATORS = _role("motion generator", "i2vkit.models.motion_generators")
DECODERS = _role("decoder", "i2vkit.models.decoders")
HEADS = _role("head", "i2vkit.models.heads")
REFINERS = _role("refiner", "i2vkit.models.refiners")
CONDITION_GENERATORS = _role("condition generator", "i2vkit.models.condition_generators")
ADAPTERS = _role("adapter", "i2vkit.models.layers")
# What judges it.
DISCRIMINATORS = _role("discriminator", "i2vkit.models.discriminators")
VIEWS = _role("view", "i2vkit.models.discriminators")
ADVERSARIAL_LOSSES = _role("adversarial loss", "i2vkit.models.losses")
LOSSES = _role("loss", "i2vkit.models.losses")
# What it is made from, and how it is scored.
LAYOUTS = _role("layout", "i2vkit.datasets")
PAIRINGS = _role("pairing", "i2vkit.datasets")
PROTOCOLS = _role("protocol", "i2vkit.evaluation.protocols")

ROLES: dict[str, Registry] = {
    registry.name: registry for registry in list(globals().values()) if isinstance(registry, Registry)
}
