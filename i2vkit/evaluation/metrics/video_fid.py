"""Video FID: the Frechet distance of what a network for actions sees in videos."""

from __future__ import annotations

from i2vkit.evaluation.metrics.frechet_metric import FrechetMetric
from i2vkit.registry import METRICS


@METRICS.register_module()
class VideoFid(FrechetMetric):
    """Frechet distance of the vectors of a 3D ResNeXt-101 trained on Kinetics; less is better. See ``FrechetMetric``.

    Source: ImaGINator, sec. 4.2. It is not FVD, which looks through I3D: numbers of the two do not compare. The paper
    does not say how its frames were scaled, nor which 16 it took; the first is here as that network was trained, and of
    the second all (``ResNext3dEmbedder``).

    Args:
        embedder: of the registry ``VIDEO_EMBEDDERS``; ResNeXt-101 by default. Its weights elsewhere than in
            ``data/extractors``: ``dict(type=ResNext3dEmbedder, weights=..., sha256=...)``.
        prefix, collect_device: as in ``FrechetMetric``.
    """

    name = "video_fid"

    def __init__(self, embedder: dict | None = None, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(embedder or {"type": "ResNext3dEmbedder"}, prefix, collect_device)
