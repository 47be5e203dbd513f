"""The switch between the two forms of a layer: the reference form, and a fast one that computes the same numbers."""

from typing import Any

from torch import Tensor, nn

REFERENCE, FAST = "reference", "fast"

# The form of every layer by type of device: the one place to change it. "cpu" was measured (docs/performance.md). For
# "cuda" a measurement is still to come, as no GPU has run this code yet. Until then it follows from the costs that were
# counted of a forward pass at full width in fp32, without torch.compile: kernels, GFLOP, and GiB read and written,
# first of the reference form, then of the fast one. No form makes the host wait for the device. Fewer products and
# fewer bytes win, also over a few kernels more; where they disagree, bytes do: at its peaks an H100 needs 0.3 ms for
# the 165 GFLOP that the fast (1+2)D layers save in TF32, and 4 ms for the 12.7 GiB that they cost. Compiled, their
# passes over memory become one, and they may win after all.
FORMS: dict[str, dict[str, str]] = {
    # The five blocks of ImaGINator, 64 clips: 29, 1143, 10.4; 78, 978, 23.1.
    "TransposedConv1p2d": {"cpu": FAST, "cuda": REFERENCE},
    # 64 to 128 channels, 32 frames of 96x96: 2, 43.5, 0.39; 2, 19.3, 0.11. In 3D, 32 clips of 32 such frames: 2, 4175,
    # 11.8; 2, 1237, 2.8.
    "PooledConv": {"cpu": FAST, "cuda": FAST},
    # 512 to 64 channels, 32 frames from 48x48 to 96x96: 2, 174, 1.34; 3, 77, 0.22.
    "UpsampledConv": {"cpu": FAST, "cuda": FAST},
    # 128 dynamic channels and 64 static ones, 32 frames of 96x96: 2, 4.1, 0.64; 3, 2.8, 0.16.
    "StaticConv2d": {"cpu": FAST, "cuda": FAST},
    # As StaticConv2d; not measured by itself.
    "StaticTransposedConv2d": {"cpu": FAST, "cuda": FAST},
    # 512 dynamic channels and 256 static ones, 32 frames from 48x48 to 96x96 in eval mode: 11, 1131, 6.6; 22, 401,
    # 3.0. In training mode both are the same.
    "ResidualUp": {"cpu": FAST, "cuda": FAST},
    # Two labels of 256 frames of 64x64: 32, 108, 1.29; 57, 88, 1.19.
    "FrameDiscriminator": {"cpu": FAST, "cuda": FAST},
    # Two labels of 64 clips of 32 frames of 64x64: 32, 533, 3.6; 69, 370, 2.7.
    "VideoDiscriminator": {"cpu": FAST, "cuda": FAST},
}


class TwoForms(nn.Module):
    """A layer with two forms of the same mathematics and of the same parameters.

    A layer that ``FORMS`` does not name has the entry of its base class, or else the fast form.

    Attributes:
        reference: The form of this one layer: True is the reference form, False the fast one, None the one that
            ``FORMS`` names for the device.
    """

    reference: bool | None = None
    _forms: dict[str, str] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._forms = FORMS.get(cls.__name__, cls._forms)

    def takes_reference(self, x: Tensor) -> bool:
        """Return true if ``x``, an input, goes through the reference form."""
        if self.reference is not None:
            return self.reference
        # On the meta device, where costs are counted, as on a CPU; other devices as on CUDA.
        device = "cpu" if x.device.type in ("cpu", "meta") else "cuda"
        return self._forms.get(device) == REFERENCE


def choose_form(module: nn.Module, form: str | None, layer: str | None = None) -> list[TwoForms]:
    """Make the layers inside ``module`` compute in one form, on every device.

    Args:
        module: A model, or any part of it.
        form: "reference" or "fast", or None for the one that ``FORMS`` names for the device.
        layer: The name of a layer's class; by default all layers with two forms.

    Returns:
        The layers that were set.

    Examples:
        >>> from i2vkit.models.layers import PooledConv
        >>> [type(layer).__name__ for layer in choose_form(PooledConv(3, 4), "reference")]
        ['PooledConv']
    """
    reference = {None: None, REFERENCE: True, FAST: False}[form]
    layers = [m for m in module.modules() if isinstance(m, TwoForms) and layer in (None, type(m).__name__)]
    for each in layers:
        each.reference = reference
    return layers
