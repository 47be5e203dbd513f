"""Averaging of gradients over several processes, while the backward pass still runs.

Gradients are collected in buckets of some megabytes, one message each. A bucket is sent as soon as the backward pass
has made all of its gradients, while the pass goes on with earlier layers. DistributedDataParallel does the same, but
needs a single forward pass through ``module.forward``. A phase calls parts of the generator several times.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, distributed

from i2vkit.errors import TrainingError

# Sizes in MiB. The first bucket is small, so that the first message leaves early.
FIRST_BUCKET = 1.0
BUCKET = 25.0


class GradientBucket:
    """Gradients that are sent in one message.

    Every parameter has its place in the message, filled with zeros if it has no gradient. Behind all places is a flag
    for each, 1 if there is a gradient. So the messages of all processes always match, and a parameter whose gradient is
    missing in some processes gets the same mean in all of them.

    Args:
        parameters: Parameters of one type and one device.
    """

    def __init__(self, parameters: Sequence[Tensor]):
        self.parameters = list(parameters)
        self.arrived: set[int] = set()
        self._message: Tensor | None = None
        self._work: distributed.Work | None = None

    @property
    def is_complete(self) -> bool:
        """Return True once all gradients have arrived."""
        return len(self.arrived) == len(self.parameters)

    @property
    def is_sent(self) -> bool:
        """Return True while the message is on its way. The bucket then takes no gradient any more."""
        return self._message is not None

    @torch.no_grad()
    def send(self) -> None:
        """Pack the current gradients into a message and start to sum it over the processes."""
        gradients = [parameter.grad for parameter in self.parameters]
        places = [
            torch.zeros_like(parameter) if gradient is None else gradient
            for parameter, gradient in zip(self.parameters, gradients, strict=True)
        ]
        flags = places[0].new_ones(len(places))
        for number, gradient in enumerate(gradients):
            if gradient is None:
                flags[number] = 0
        self._message = torch.cat([*(place.reshape(-1) for place in places), flags])  # (N + number of parameters,)
        self._work = distributed.all_reduce(self._message, async_op=True)

    @torch.no_grad()
    def receive(self, processes: int) -> None:
        """Wait for the message and write the means into the gradients."""
        assert self._work is not None and self._message is not None  # ``send`` comes before
        self._work.wait()
        message = self._message.div_(processes)
        sizes = [parameter.numel() for parameter in self.parameters]
        *means, flags = message.split([*sizes, len(sizes)])
        missing = any(parameter.grad is None for parameter in self.parameters)
        seen = flags.tolist() if missing else []  # this waits for the device, so it is left out if possible
        pairs = []
        for number, (parameter, mean) in enumerate(zip(self.parameters, means, strict=True)):
            if parameter.grad is not None:
                pairs.append((parameter.grad.detach(), mean.view_as(parameter)))
            elif seen[number] > 0:  # another process has one
                parameter.grad = mean.view_as(parameter).clone()
        if pairs:
            torch._foreach_copy_([gradient for gradient, _ in pairs], [mean for _, mean in pairs])
        self.reset()

    def reset(self) -> None:
        """Empty the bucket. A message that is on its way is forgotten."""
        self.arrived.clear()
        self._message = self._work = None


def fill_buckets(
    parameters: Sequence[Tensor], first: float = FIRST_BUCKET, size: float = BUCKET
) -> list[GradientBucket]:
    """Put parameters into buckets from the last to the first, about the order in which a backward pass reaches them.

    The order follows from the parameters alone and stays, so that a resumed training adds in the same order too.

    Args:
        parameters: Parameters of any types and devices. A bucket has only one of each.
        first: MiB of the first bucket. Default 1.
        size: MiB of the others. A larger parameter has a bucket of its own. Default 25.
    """
    buckets: list[list[Tensor]] = []
    open_buckets: dict[tuple, list[Tensor]] = {}
    for parameter in reversed(parameters):
        kind = (parameter.dtype, parameter.device)
        bucket = open_buckets.get(kind)
        limit = (first if bucket is not None and bucket is buckets[0] else size) * 2**20
        if bucket is None or sum(p.nbytes for p in bucket) + parameter.nbytes > limit:
            bucket = open_buckets[kind] = []
            buckets.append(bucket)
        bucket.append(parameter)
    return [GradientBucket(bucket) for bucket in buckets]


class GradientAverager:
    """An averager of the gradients of some parameters over all processes.

    Inside :meth:`overlapping` a bucket is sent once all its gradients are there and all buckets before it are sent. The
    order of the messages is thus the same in all processes, in whatever order gradients come. :meth:`finish` sends the
    remaining buckets and waits for all. Outside :meth:`overlapping`, :meth:`finish` alone sends and waits. A parameter
    without a gradient keeps its bucket and those behind it waiting for :meth:`finish`. The means are right all the
    same, only later.

    The hooks stay on the parameters as long as the averager lives. Copies and pickles of a parameter do not have them.

    Args:
        parameters: The parameters of one optimiser.
        first: MiB of the first bucket, see :func:`fill_buckets`.
        size: MiB of the others.
    """

    def __init__(self, parameters: Iterable[Tensor], first: float = FIRST_BUCKET, size: float = BUCKET):
        self.buckets = fill_buckets(list(parameters), first, size)
        self._next = 0  # the bucket that is sent next
        self._is_overlapping = False
        handles = []
        for number, bucket in enumerate(self.buckets):
            for place, parameter in enumerate(bucket.parameters):
                if parameter.requires_grad:  # ``finish`` sends the gradients of the others
                    hook = partial(_arrived, weakref.ref(self), number, place)
                    handles.append(parameter.register_post_accumulate_grad_hook(hook))
        weakref.finalize(self, _remove, handles)

    @contextmanager
    def overlapping(self, wanted: bool = True) -> Iterator[None]:
        """Return a context in which the next backward pass sends its gradients while it runs.

        It must be the last one before :meth:`finish`.

        Args:
            wanted: If False, the context does nothing. Default True.
        """
        self._is_overlapping = wanted
        try:
            yield
        finally:  # after an error too, so that no message of it is left
            self._reset()

    def finish(self) -> None:
        """Replace every gradient by its mean over the processes."""
        self._is_overlapping = False
        self._send_up_to(len(self.buckets))
        processes = distributed.get_world_size()
        for bucket in self.buckets:
            bucket.receive(processes)
        self._next = 0

    def arrived(self, number: int, place: int) -> None:
        """Note that a gradient is complete. The backward pass calls this.

        Raises:
            TrainingError: The bucket is on its way already.
        """
        if not self._is_overlapping:
            return
        bucket = self.buckets[number]
        if bucket.is_sent:
            raise TrainingError(
                "a gradient changed after it was sent to the other processes: some part runs its backward pass in "
                "pieces. Give torch.utils.checkpoint use_reentrant=False"
            )
        bucket.arrived.add(place)
        complete = self._next
        while complete < len(self.buckets) and self.buckets[complete].is_complete:
            complete += 1
        self._send_up_to(complete)

    def _send_up_to(self, end: int) -> None:
        for bucket in self.buckets[self._next : end]:
            bucket.send()
        self._next = max(self._next, end)

    def _reset(self) -> None:
        self._is_overlapping, self._next = False, 0
        for bucket in self.buckets:
            bucket.reset()


def _arrived(averager: weakref.ref[GradientAverager], number: int, place: int, parameter: Tensor) -> None:
    """Run as the hook of a parameter. It holds the averager weakly, which would otherwise live as long as the model."""
    if (alive := averager()) is not None:
        alive.arrived(number, place)


def _remove(handles: list) -> None:
    for handle in handles:
        handle.remove()
