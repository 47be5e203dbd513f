"""Facts in ``metrics.json`` that the scores of a test depend on."""

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
    """Return the frames of a clip that were scored, and their size.

    Returns:
        ``frames``: the name of the transform that chooses them, with ``length`` and ``stride`` (None if it has none).
        ``resize``: the ``size`` (height, width), the methods that shrink and enlarge, and the side of the square that
        is cut out of the middle before, or "largest". It is None if frames keep their size.

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
    """Return the ``precision`` of a model, the flags ``tf32`` while it runs, and its ``device``.

    On a CPU the flags have no effect: everything that is not in bf16 is computed in fp32. A model without the attribute
    ``precision`` computes in fp32.

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
    """Return file and SHA-256 of a checkpoint, and its iteration and the seed of its training if it contains them."""
    meta = load_checkpoint_file(path).get("meta")
    known = {key: meta[name] for key, name in (("iteration", "iter"), ("seed", "seed")) if meta and name in meta}
    return {"file": str(path), "sha256": file_digest(path)} | known


def frozen_network_facts(model: nn.Module) -> dict[str, dict[str, str | None]]:
    """Return the pre-trained networks that training used, by discriminator or loss: names, and SHA-256 of weights.

    A model that was trained against a network gets a better score from a metric that uses the same network.
    """
    facts: dict[str, dict[str, str | None]] = {}
    for path, module in unwrapped(model).named_modules():
        if networks := getattr(module, "frozen_networks", None):
            facts[getattr(module, "name", ".".join(path.split(".")[:2]))] = dict(networks)
    return facts


def shared_network_warnings(facts: dict[str, dict[str, str | None]], metrics: Sequence[Any]) -> dict[str, str]:
    """Return a warning, by name, for every metric whose feature extractor was also used in training.

    Extractors are the same if their weights have the same SHA-256 (its first 8 digits), or if the file is named after
    the network.

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
    """Return True if ``extractor`` contains the network."""
    own = None if sha256 is None else sha256.lower()[:8]
    return any(file.startswith(network) or digest[:8] == own for file, digest in extractor.items())


def data_facts(dataset: dict) -> dict[str, Any]:
    """Return the root of the clips in a data set's config, and the part of each clip that is used."""
    reader, truth = dataset["reader"], dataset.get("truth")
    shares = list(dataset.get("temporal_split", (0.0, 1.0)))
    return {"root": str(reader.get("root")), "truth": truth and str(truth.get("root")), "temporal_split": shares}
