"""Time and memory by section. A section is a part of a forward pass, or a phase of a training step."""

from __future__ import annotations

import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary


class Watcher(Protocol):
    """An object that is notified when another section begins. Sections may recur."""

    def enter(self, section: str) -> None:
        """End the section before and begin ``section``."""


class Stopwatch:
    """A watcher that measures the ``seconds`` of every section by a clock that counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: Counter = Counter()
        self._clock, self._section, self._since = clock, "", clock()

    def enter(self, section: str) -> None:
        """Count the time from now on for ``section``."""
        now = self._clock()
        self.seconds[self._section] += now - self._since  # type: ignore[assignment]  # typeshed counts in ints only
        self._section, self._since = section, now


class TensorMemory(TorchDispatchMode):
    """A context that measures in ``peaks`` the most bytes that tensors hold at once in each section.

    It follows each storage from the operation that makes it until it is freed. The storages of ``known`` tensors
    (weights, inputs) are left out. The result is the same on every machine, since it does not include the workspace of
    kernels and the reserves of the allocator.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.held = 0
        self.peaks: Counter[str] = Counter()
        self._section = ""
        self._seen = WeakIdKeyDictionary()
        for tensor in known:
            self._seen[tensor.untyped_storage()] = True

    def enter(self, section: str) -> None:
        """Count the memory from now on for ``section``."""
        self._section = section
        self.peaks[section] = max(self.peaks[section], self.held)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run one operation and follow the storages of its results."""
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._follow(tensor.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        """Count a new storage until it is freed."""
        if storage in self._seen:
            return
        self._seen[storage] = True
        self.held += storage.nbytes()
        # The storage is released when its last tensor is gone.
        weakref.finalize(storage, self._release, storage.nbytes()).atexit = False
        self.peaks[self._section] = max(self.peaks[self._section], self.held)

    def _release(self, size: int) -> None:
        self.held -= size


def storage_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes that ``tensors`` hold together, counting shared storages once.

    >>> frames = torch.zeros(4, 8)
    >>> storage_bytes([frames, frames[1:], torch.zeros(2)])
    136
    """
    # Keep the wrappers alive. Otherwise a new one could get the id of one that has been freed.
    storages = [tensor.untyped_storage() for tensor in tensors]
    return sum({id(storage): storage.nbytes() for storage in storages}.values())


@contextmanager
def watching(parts: Mapping[str, Iterable[nn.Module]], watcher: Watcher) -> Iterator[None]:
    """Notify ``watcher`` inside the context when a module of ``parts`` (by section) begins and ends its forward pass.

    The time between these modules belongs to the section "".
    """
    sections, hooks = [""], []

    def begin(section: str) -> None:
        sections.append(section)
        watcher.enter(section)

    def end() -> None:
        sections.pop()
        watcher.enter(sections[-1])

    for section, modules in parts.items():
        for module in modules:
            hooks.append(module.register_forward_pre_hook(lambda *_, own=section: begin(own)))
            hooks.append(module.register_forward_hook(lambda *_: end()))
    try:
        watcher.enter("")
        yield
    finally:
        watcher.enter("")
        for hook in hooks:
            hook.remove()
