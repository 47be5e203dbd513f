"""How much the samples of one image differ from one another."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Literal

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from i2vkit.errors import DataError
from i2vkit.evaluation.metrics.base import META, check_frames
from i2vkit.evaluation.metrics.lpips import CHUNK, LpipsNetwork, LpipsWeights
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample


class PairwiseL1:
    """Mean absolute difference of all pairs of samples (C, T, H, W) uint8, on a scale of [0, 1]; keeps them.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.metrics.diversity import PairwiseL1
        >>> pairs = PairwiseL1()
        >>> for value in (0, 51, 255):  # differences of 0.2, 0.8 and 1.0
        ...     pairs.add(torch.full((3, 2, 4, 4), value, dtype=torch.uint8))
        >>> round(pairs.mean(), 6)
        0.666667
    """

    def __init__(self) -> None:
        self.videos: list[Tensor] = []

    @property
    def count(self) -> int:
        """How many samples there were."""
        return len(self.videos)

    def add(self, video: Tensor) -> None:
        """SampledClip one more sample, of the shape of the others."""
        self.videos.append(video)

    def mean(self) -> float:
        """The mean over all pairs; needs two samples."""
        # Of sorted values x_1 <= ... <= x_n the differences of all pairs sum to sum_k (2 k - n - 1) x_k.
        n, total = self.count, 0.0
        weights = 2 * torch.arange(1, n + 1, dtype=torch.float64) - n - 1
        for frame in torch.stack(self.videos).unbind(2):
            total += (weights @ frame.flatten(1).sort(dim=0).values.double().cpu()).sum().item()
        return total / self.videos[0].numel() / 255 / (n * (n - 1) / 2)


class PairwiseLpips:
    """Mean LPIPS of all pairs of samples (3, T, H, W) uint8, frames aligned in time; keeps means of features only.

    A squared distance, so that the mean over all pairs is twice the variance of the features, which is summed up sample
    by sample (Welford): N samples cost N looks and one sample's memory, not N^2 / 2 comparisons.
    """

    def __init__(self, network: LpipsNetwork) -> None:
        self.network, self.count = network, 0
        self.means: list[list[Tensor]] = []  # of a chunk of frames, of each layer
        self.spread = 0.0

    def add(self, video: Tensor) -> None:
        """SampledClip one more sample, of the shape of the others."""
        self.count += 1
        frames = video.transpose(0, 1).to(self.network.shift.device).float() / 127.5 - 1
        chunks = [self.network(chunk) for chunk in frames.split(CHUNK)]
        if self.count == 1:
            self.means = chunks
            return
        total = 0.0
        for number, features in enumerate(chunks):
            before = [f - mean for f, mean in zip(features, self.means[number], strict=True)]
            own = [mean + d / self.count for mean, d in zip(self.means[number], before, strict=True)]
            products = [d * (f - mean) for d, f, mean in zip(before, features, own, strict=True)]
            self.means[number] = own
            total += self.network.weigh(products).sum().item()
        self.spread += total / len(frames)

    def mean(self) -> float:
        """The mean over all pairs; needs two samples."""
        return 2 * self.spread / (self.count - 1)


class Diversity(BaseMetric):
    """Mean pairwise distance of the samples of one image, and its mean over the images; 0 where they are all the same.

    Compared are frames 1 to T-1. Samples of one image share their ``name``, stand together, and are all that is held at
    a time. There is no static baseline: one video repeated has none. After ``evaluate`` ``per_image`` (main process)
    holds a dict an image. Of several processes each needs whole images: ``PositionSampler(keep_images=True)``.

    Args:
        prefix: put before the names, as mmengine does; without one the names stand alone.
        collect_device: as mmengine has it.
    """

    name = ""
    skipped: str | None = None
    extractor: dict[str, str] = {}

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # The line above only keeps mmengine from warning that there is none.
        self.per_image: list[dict] = []
        self._known: dict = {}
        self._pairs: PairwiseL1 | PairwiseLpips | None = None
        self._shape = None

    @abstractmethod
    def start(self) -> PairwiseL1 | PairwiseLpips:
        """What compares the samples of the next image."""

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """SampledClip a batch of samples.

        Raises:
            DataError: an image with one sample, or samples that do not stand together, differ in size or are not uint8.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            if self.skipped:
                self.results.append({})
                continue
            name, video = sample["name"], sample["generated"][:, 1:]
            check_frames(name, video)
            if self._pairs is None or name != self._known["name"]:
                self._finish()
                if any(row["name"] == name for row in self.results):
                    raise DataError(
                        f"{self.name}: the samples of {name!r} do not stand together in the list of samples"
                    )
                self._known = {key: sample[key] for key in META if key in sample and key != "seed"}
                self._pairs, self._shape = self.start(), video.shape
            if video.shape != self._shape:
                raise DataError(f"{self.name}: samples of {name!r} are {tuple(self._shape)} and {tuple(video.shape)}")
            self._pairs.add(video)

    def _finish(self) -> None:
        """Make the row of the image whose samples have all come."""
        if self._pairs is None:
            return
        if self._pairs.count < 2:
            raise DataError(f"{self.name}: image {self._known['name']!r} has one sample; diversity needs two or more")
        self.results.append(self._known | {self.name: self._pairs.mean()})
        self._pairs = None

    def evaluate(self, size: int) -> dict:
        """As mmengine does, after the last image is done."""
        self._finish()
        return super().evaluate(size)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """The mean over the images.

        Raises:
            DataError: samples of one image came to several processes.
        """
        if self.skipped:
            return {}
        counts = Counter(row["name"] for row in results)
        if divided := [name for name, count in counts.items() if count > 1]:
            raise DataError(
                f"{self.name}: several processes share the samples of {divided[0]!r}: give the loader's sampler "
                f"keep_images=True"
            )
        self.per_image = results
        return {self.name: fmean(row[self.name] for row in results)}


@METRICS.register_module()
class DiversityL1(Diversity):
    """Diversity by the absolute difference of pixels, on a scale of [0, 1]; needs no weights. See ``Diversity``."""

    name = "diversity_l1"

    def start(self) -> PairwiseL1:
        """Nothing yet."""
        return PairwiseL1()


@METRICS.register_module()
class DiversityLpips(Diversity):
    """Diversity by LPIPS (Dual-MTGAN, table II). Without the weights the log says what to fetch, and it is left out.

    Args:
        backbone: "alex" or "vgg"; the paper does not say, and "alex" is what the ``lpips`` package takes.
        backbone_path, linear_path, backbone_sha256, linear_sha256: as in ``load_lpips``.
        prefix, collect_device: as in ``Diversity``.

    Raises:
        CheckpointError: a file of weights that is there is the wrong one.
    """

    name = "diversity_lpips"

    def __init__(
        self,
        backbone: Literal["alex", "vgg"] = "alex",
        backbone_path: str | None = None,
        linear_path: str | None = None,
        backbone_sha256: str | None = None,
        linear_sha256: str | None = None,
        prefix: str | None = None,
        collect_device: str = "cpu",
    ) -> None:
        super().__init__(prefix, collect_device)
        files = dict(backbone_path=backbone_path, linear_path=linear_path)
        hashes = dict(backbone_sha256=backbone_sha256, linear_sha256=linear_sha256)
        weights = LpipsWeights(self.name, backbone=backbone, **files, **hashes)
        self.network, self.skipped, self.extractor = weights.network, weights.skipped, weights.hashes

    def start(self) -> PairwiseLpips:
        """Nothing yet."""
        return PairwiseLpips(self.network)
