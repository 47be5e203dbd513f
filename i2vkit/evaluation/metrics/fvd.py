"""FVD: the Frechet distance of I3D features of videos."""

from __future__ import annotations

from i2vkit.evaluation.metrics.frechet_metric import FrechetMetric
from i2vkit.registry import METRICS


@METRICS.register_module()
class Fvd(FrechetMetric):
    """Frechet video distance, with vectors of I3D trained on Kinetics-400. Lower is better. See ``FrechetMetric``.

    Source: Unterthiner et al., "Towards accurate generative models of video: a new metric and challenges" (2018). The
    network is a TorchScript file, by default StyleGAN-V's, which gives the same values as the paper's own network.

    Args:
        embedder: A part of the registry ``VIDEO_EMBEDDERS``. By default I3D. If its file is not in ``data/extractors``:
            ``dict(type=I3dEmbedder, path=..., sha256=...)``.
        prefix: As in ``FrechetMetric``.
        collect_device: As in ``FrechetMetric``.
    """

    name = "fvd"

    def __init__(self, embedder: dict | None = None, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(embedder or {"type": "I3dEmbedder"}, prefix, collect_device)
