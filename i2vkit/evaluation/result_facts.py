"""What the numbers of a test depend on, as it stands in ``metrics.json``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from i2vkit.datasets.transforms import CenterCrop, Resize
from i2vkit.datasets.transforms.sampling import Sampling
from i2vkit.engine.checkpoints import load_checkpoint_file, unwrapped
from i2vkit.engine.precision import precision, tf32_flags
from i2vkit.models.generator_weights import file_digest


def frame_facts(pipeline: Sequence[Callable]) -> dict[str, dict | None]:
    """Which frames of a clip were scored, and in which size.

    ``frames``: the transform that takes them with its settings, ``length`` and ``stride`` (None where it has none).
    ``resize``: ``size`` (height, width), how frames are shrunk and enlarged, and whether a middle square was cut out
    before (its side, or "largest"); None where frames are taken as they lie.

    >>> from i2vkit.datasets.transforms import FirstFrames
    >>> frame_facts([FirstFrames(16, stride=2), Resize(64)])["frames"]
    {'by': 'FirstFrames', 'length': 16, 'stride': 2}
    """
    facts: dict[str, dict | None] = {"frames": None, "resize": None}
    crop = None
    for step in pipeline:
        if isinstance(step, Sampling):
            length = getattr(step, "length", getattr(step, "max_length", None))
            facts["frames"] = {"by": type(step).__name__, "length": length, "stride": getattr(step, "stride", None)}
        elif isinstance(step, CenterCrop):
            crop = step.size or "largest"
        elif isinstance(step, Resize):
            facts["resize"] = {"size": list(step.size), "shrinking": "area", "enlarging": "bilinear", "crop": crop}
    return facts


def precision_facts(model: nn.Module) -> dict[str, Any]:
    """Return what a model computes in: ``precision``, the flags ``tf32`` as they are set while it runs, ``device``.

    A CPU computes in fp32 whatever the flags say, but for what runs in bf16. A model without such an argument is one of
    fp32.

    >>> precision_facts(nn.Linear(1, 1))["tf32"]
    {'convolutions': False, 'matrix_products': False}
    """
    name = getattr(model, "precision", "fp32")
    device = next(model.parameters()).device
    with precision(name):
        flags = tf32_flags()
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return {"precision": name, "tf32": flags, "device": where}


def checkpoint_facts(path: str | Path) -> dict[str, Any]:
    """File and SHA-256 of a checkpoint, and its iteration and the seed of its training where it knows them."""
    meta = load_checkpoint_file(path).get("meta")
    known = {key: meta[name] for key, name in (("iteration", "iter"), ("seed", "seed")) if meta and name in meta}
    return {"file": str(path), "sha256": file_digest(path)} | known


def frozen_network_facts(model: nn.Module) -> dict[str, dict[str, str | None]]:
    """The pre-trained networks that training looked through, by discriminator or loss: names, and SHA-256 of weights.

    A model that was trained to please a network looks better to a metric that sees through the same one.
    """
    facts: dict[str, dict[str, str | None]] = {}
    for path, module in unwrapped(model).named_modules():
        if networks := getattr(module, "frozen_networks", None):
            facts[getattr(module, "name", ".".join(path.split(".")[:2]))] = dict(networks)
    return facts


def shared_network_warnings(facts: dict[str, dict[str, str | None]], metrics: Sequence[Any]) -> dict[str, str]:
    """A warning for every metric that looks through a network that training looked through, by the metric's name.

    The same are weights of one SHA-256 (8 digits do), and files that are named after the network.

    >>> from types import SimpleNamespace
    >>> lpips = SimpleNamespace(name="lpips", extractor={"vgg16-397923af.pth": "397923af" + 56 * "0"})
    >>> print(shared_network_warnings({"features": {"vgg16": "397923af"}}, [lpips])["lpips"])
    looks through vgg16, as 'features' did in training: the score flatters this model
    """
    warnings = {}
    for metric in metrics:
        for owner, networks in facts.items():
            for network, sha256 in networks.items():
                if _looks_through(network, sha256, getattr(metric, "extractor", None) or {}):
                    warnings[metric.name] = (
                        f"looks through {network}, as '{owner}' did in training: the score flatters this model"
                    )
    return warnings


def _looks_through(network: str, sha256: str | None, extractor: dict[str, str]) -> bool:
    own = None if sha256 is None else sha256.lower()[:8]
    return any(file.startswith(network) or digest[:8] == own for file, digest in extractor.items())


def data_facts(dataset: dict) -> dict[str, Any]:
    """Where the clips of a data set's config lie, and which part of each is used."""
    reader, truth = dataset["reader"], dataset.get("truth")
    shares = list(dataset.get("temporal_split", (0.0, 1.0)))
    return {"root": str(reader.get("root")), "truth": truth and str(truth.get("root")), "temporal_split": shares}
