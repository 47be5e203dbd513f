"""FVD: the Frechet distance of what I3D sees in videos."""

from __future__ import annotations

from i2vkit.evaluation.metrics.frechet_metric import FrechetMetric
from i2vkit.registry import METRICS


@METRICS.register_module()
class Fvd(FrechetMetric):
    """Frechet video distance: vectors of I3D trained on Kinetics-400; less is better. See ``FrechetMetric``.

    Source: Unterthiner et al., "Towards accurate generative models of video: a new metric and challenges" (2018). The
    network is a TorchScript file, by default StyleGAN-V's, which gives what the paper's own gives.

    Args:
        embedder: of the registry ``VIDEO_EMBEDDERS``; I3D by default. Its file elsewhere than in ``data/extractors``:
            ``dict(type=I3dEmbedder, path=..., sha256=...)``.
        prefix, collect_device: as in ``FrechetMetric``.
    """

    name = "fvd"

    def __init__(self, embedder: dict | None = None, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(embedder or {"type": "I3dEmbedder"}, prefix, collect_device)
