"""Samples shared by several processes: the results of all, in the order of the samples."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.evaluator import BaseMetric, Evaluator


class SharingEvaluator(Evaluator):
    """An ``Evaluator`` for several processes, which need not simply take turns.

    mmengine puts one result of each process after the other in turn, and leaves ``None`` out. So every process fills up
    its results with ``None`` for the samples of the others. A metric that has not one result a sample is left alone;
    mmengine's order is right for one result an image where processes take turns in images. Results travel through the
    process group: mmengine's own way by files leaves a folder behind, which several machines would have to share.

    Args:
        metrics: their configs, or metrics.
        indices: the samples of this process, in the order in which they come. None where all processes take turns, for
            instance by a sampler of mmengine, which may give some samples twice at the end.
    """

    def __init__(self, metrics: Sequence[dict | BaseMetric], indices: Sequence[int] | None = None):
        super().__init__(list(metrics))
        self.indices = indices
        for metric in self.metrics:
            metric.collect_device = "gpu"  # so mmengine calls the process group, of CPUs too

    def evaluate(self, size: int) -> dict:
        """Gather the results of ``size`` samples and compute the scores, which all processes get."""
        for metric in self.metrics:
            if self.indices is not None and len(metric.results) == len(self.indices):
                found = dict(zip(self.indices, metric.results, strict=True))
                metric.results[:] = [found.get(index) for index in range(size)]
        return super().evaluate(size)
