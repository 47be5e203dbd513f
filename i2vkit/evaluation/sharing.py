"""Evaluation by several processes that share the samples."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.evaluator import BaseMetric, Evaluator


class SharingEvaluator(Evaluator):
    """An ``Evaluator`` that puts the results of several processes into the order of the samples.

    mmengine interleaves the results of the processes, one from each in turn, and leaves ``None`` out. Here every
    process fills its results up with ``None`` for the samples of the others, so processes need not take turns. Metrics
    that do not have one result for each sample keep mmengine's order. It is right for one result an image if processes
    take turns in images. Results are exchanged in the process group, since mmengine's exchange through files leaves a
    folder behind that several machines would have to share.

    Args:
        metrics: Metrics, or their configs.
        indices: The samples of this process in their order. None if all processes take turns, for instance with a
            sampler of mmengine, which may repeat some samples at the end.
    """

    def __init__(self, metrics: Sequence[dict | BaseMetric], indices: Sequence[int] | None = None):
        super().__init__(list(metrics))
        self.indices = indices
        for metric in self.metrics:
            metric.collect_device = "gpu"  # lets mmengine use the process group, even one of CPUs

    def evaluate(self, size: int) -> dict:
        """Gather the results of ``size`` samples and return the scores in all processes."""
        for metric in self.metrics:
            # A metric without one result for each sample cannot be sorted by samples.
            if self.indices is not None and len(metric.results) == len(self.indices):
                found = dict(zip(self.indices, metric.results, strict=True))
                metric.results[:] = [found.get(index) for index in range(size)]
        return super().evaluate(size)
