"""An emulated GPU: tensors say that they lie on ``cuda:0``, compute on the CPU and refuse what CUDA refuses.

Inside ``with emulated_cuda() as cuda:`` there is a device "cuda:0": ``model.to("cuda:0")`` and ``torch.zeros(3,
device="cuda:0")`` work, the numbers are those of the CPU, and training really trains. What a machine without a GPU
hides comes to light:

* Operands on different devices raise (a CPU tensor without dimensions may join, as on CUDA), and so do ``numpy()`` and
  the backward pass through a recurrent layer of cuDNN in eval mode. Pickling raises too, which CUDA allows: a file
  that holds tensors of a GPU needs one to be read.
* ``cuda.counts`` says how often, and at which line of i2vkit, the host waited for the device and data were copied. The
  host waits for a value that it reads (``item``, ``tolist``, ``if tensor``), for a size that values decide
  (``nonzero``, indexing by a mask and its backward pass, ``unique``, ``masked_select``, ``repeat_interleave`` without
  ``output_size``), for ``equal``, for a copy to it, and for ``multinomial`` without replacement or of one draw, which
  checks its input so in some versions of PyTorch.

Mixed precision is not emulated: autocast may be entered and leaves these tensors as they are. All that is changed is
restored on exit; tensors made inside are of no use outside.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from emulated_cuda.device import CPU, CUDA, Counts, CudaTensor, Emulation
from emulated_cuda.recurrent import recurrent

__all__ = ["Counts", "CudaTensor", "Emulation", "emulated_cuda"]


def _loading(original: Callable) -> Callable:
    """``torch.load`` that takes the emulated GPU for ``map_location`` too."""

    def load(file, map_location=None, **settings):
        on_cuda = isinstance(map_location, str | torch.device) and torch.device(map_location).type == "cuda"
        read = original(file, map_location=CPU if on_cuda else map_location, **settings)
        return tree_map(lambda leaf: leaf.to(CUDA) if on_cuda and isinstance(leaf, Tensor) else leaf, read)

    return load


@contextmanager
def emulated_cuda() -> Iterator[Emulation]:
    """An emulated GPU inside; its ``counts`` say what it was asked.

    Changed inside are: PyTorch's stack of dispatch modes; that ``torch.tensor`` makes its values on the CPU and then
    copies them; torch's LSTM and GRU; ``torch.load``; that autocast asks for no GPU; cuDNN, which is off; the device
    that mmengine gives to a Runner.
    """
    emulation, lifts = Emulation(), torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with (
            mock.patch.object(torch._VF, "lstm", recurrent("lstm", emulation.counts)),
            mock.patch.object(torch._VF, "gru", recurrent("gru", emulation.counts)),
            mock.patch.object(torch, "load", _loading(torch.load)),
            mock.patch("torch.cuda.amp.common.amp_definitely_not_available", lambda: False),
            mock.patch("torch.cuda.is_bf16_supported", lambda *_, **__: True),
            mock.patch("mmengine.device.utils.DEVICE", "cuda:0"),
            torch.backends.cudnn.flags(enabled=False),
            emulation,
        ):
            yield emulation
    finally:
        torch._C._set_only_lift_cpu_tensors(lifts)
