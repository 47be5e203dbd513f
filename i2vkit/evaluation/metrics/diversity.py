"""Diversity of the samples of one image."""

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
    """The mean absolute difference of all pairs of samples (C, T, H, W), uint8, on a scale of [0, 1]. It stores the
    samples.

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
        """The number of samples."""
        return len(self.videos)

    def add(self, video: Tensor) -> None:
        """Take another sample, of the shape of the others."""
        self.videos.append(video)

    def mean(self) -> float:
        """Return the mean over all pairs. It needs two samples."""
        # For sorted values x_1 <= ... <= x_n the differences of all pairs sum to sum_k (2 k - n - 1) x_k.
        n, total = self.count, 0.0
        weights = 2 * torch.arange(1, n + 1, dtype=torch.float64) - n - 1
        for frame in torch.stack(self.videos).unbind(2):
            # (n, C, H, W) -> (n, C * H * W), sorted over the n samples.
            total += (weights @ frame.flatten(1).sort(dim=0).values.double().cpu()).sum().item()
        return total / self.videos[0].numel() / 255 / (n * (n - 1) / 2)


class PairwiseLpips:
    """The mean LPIPS of all pairs of samples (3, T, H, W), uint8, frame by frame. It stores means of features only.

    LPIPS is a squared distance, so the mean over all pairs is twice the variance of the features. The variance is
    updated with each sample (Welford). N samples thus cost N forward passes and the memory of one sample, not N^2 / 2
    comparisons.
    """

    def __init__(self, network: LpipsNetwork) -> None:
        self.network, self.count = network, 0
        self.means: list[list[Tensor]] = []  # for each chunk of frames and each layer
        self.spread = 0.0

    def add(self, video: Tensor) -> None:
        """Take another sample, of the shape of the others."""
        self.count += 1
        # (3, T, H, W) -> (T, 3, H, W): frames are the batch of the network.
        frames = video.transpose(0, 1).to(self.network.shift.device).float() / 127.5 - 1
        chunks = [self.network(chunk) for chunk in frames.split(CHUNK)]
        if self.count == 1:
            self.means = chunks
            return
        total = 0.0
        for number, features in enumerate(chunks):
            # Welford's update: the spread grows by (x - old mean) (x - new mean).
            before = [f - mean for f, mean in zip(features, self.means[number], strict=True)]
            own = [mean + d / self.count for mean, d in zip(self.means[number], before, strict=True)]
            products = [d * (f - mean) for d, f, mean in zip(before, features, own, strict=True)]
            self.means[number] = own
            total += self.network.weigh(products).sum().item()
        self.spread += total / len(frames)

    def mean(self) -> float:
        """Return the mean over all pairs. It needs two samples."""
        # The mean over all pairs of |x - y|^2 is twice the sample variance.
        return 2 * self.spread / (self.count - 1)


class Diversity(BaseMetric):
    """The mean pairwise distance of the samples of one image, averaged over images. It is 0 if all samples are equal.

    Frames 1 to T-1 are compared. Samples of one image have the same ``name`` and follow each other. Only they are held
    at a time. There is no static baseline, since one repeated video has no diversity. After ``evaluate``, ``per_image``
    (main process) has a dict for each image. With several processes each needs whole images:
    ``PositionSampler(keep_images=True)``.

    Args:
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".
    """

    name = ""
    skipped: str | None = None
    extractor: dict[str, str] = {}

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_image: list[dict] = []
        self._known: dict = {}
        self._pairs: PairwiseL1 | PairwiseLpips | None = None
        self._shape: tuple[int, ...] = ()  # of the samples of the present image

    @abstractmethod
    def start(self) -> PairwiseL1 | PairwiseLpips:
        """Return an object that compares the samples of the next image."""

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Take a batch of samples.

        Raises:
            DataError: An image has one sample, or its samples do not follow each other, differ in size or are not
                uint8.
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
                        f"{self.name}: the samples of {name!r} do not follow each other in the list of samples"
                    )
                self._known = {key: sample[key] for key in META if key in sample and key != "seed"}
                self._pairs, self._shape = self.start(), tuple(video.shape)
            if tuple(video.shape) != self._shape:
                raise DataError(
                    f"{self.name}: samples of {name!r} differ in shape, {self._shape} and {tuple(video.shape)}"
                )
            self._pairs.add(video)

    def _finish(self) -> None:
        """Store the row of the image whose samples are complete."""
        if self._pairs is None:
            return
        if self._pairs.count < 2:
            raise DataError(f"{self.name}: image {self._known['name']!r} has one sample; diversity needs two or more")
        self.results.append(self._known | {self.name: self._pairs.mean()})
        self._pairs = None

    def evaluate(self, size: int) -> dict:
        """Finish the last image, then evaluate as mmengine does."""
        self._finish()
        return super().evaluate(size)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the mean over the images, or nothing without images.

        Raises:
            DataError: Samples of one image went to several processes.
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
        if not results:
            return {}
        return {self.name: fmean(row[self.name] for row in results)}


@METRICS.register_module()
class DiversityL1(Diversity):
    """Diversity by the absolute difference of pixels, on a scale of [0, 1]. It needs no weights. See ``Diversity``."""

    name = "diversity_l1"

    def start(self) -> PairwiseL1:
        """Return a comparison by pixels."""
        return PairwiseL1()


@METRICS.register_module()
class DiversityLpips(Diversity):
    """Diversity by LPIPS. Without the weights it is left out, and the log says what to fetch. See ``Diversity``.

    Source: Dual-MTGAN, table II.

    Args:
        backbone: "alex" or "vgg". The paper does not say which. By default "alex", as in the ``lpips`` package.
        backbone_path: As in ``load_lpips``.
        linear_path: As in ``load_lpips``.
        backbone_sha256: As in ``load_lpips``.
        linear_sha256: As in ``load_lpips``.
        prefix: As in ``Diversity``.
        collect_device: As in ``Diversity``.

    Raises:
        CheckpointError: A file of weights is the wrong one.
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
        """Return a comparison by LPIPS."""
        assert self.network is not None  # without it the metric is skipped
        return PairwiseLpips(self.network)
