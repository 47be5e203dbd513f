"""The switch between the two forms of a layer: the reference form, and a fast one that computes the same numbers."""

from torch import Tensor, nn

REFERENCE, FAST = "reference", "fast"

# The form of every layer by type of device: the one place to change it. "cpu" was measured (docs/performance.md).
# No GPU has run this code yet: "cuda" follows from kernels, products and bytes read and written, which the comments
# count for the forward pass at full width in fp32, without torch.compile. No form makes the host wait for the device.
FORMS: dict[str, dict[str, str]] = {
    # The five blocks of ImaGINator, 64 clips: reference 29 kernels, 1143 GFLOP, 10.4 GiB; fast 78 kernels, 978 GFLOP,
    # 23.1 GiB. At its peaks an H100 needs 0.3 ms for those 165 GFLOP in TF32, and 4 ms for those 12.7 GiB. Compiled,
    # the passes over memory become one, and fast may win. On a CPU the products decide.
    "TransposedConv1p2d": {"cpu": FAST, "cuda": REFERENCE},
    # 64 to 128 channels, 32 frames of 96x96: reference 2 kernels, 43.5 GFLOP, 0.39 GiB, of which a map of full size is
    # kept for the backward pass; fast 6 kernels, most of them on the weight alone, 19.3 GFLOP, 0.11 GiB.
    # In 3D, 32 clips of 32 such frames: reference 4175 GFLOP, 11.8 GiB; fast 1237 GFLOP, 2.8 GiB.
    "PooledConv": {"cpu": FAST, "cuda": FAST},
    # 512 to 64 channels, 32 frames from 48x48 to 96x96: reference 2 kernels, 173.9 GFLOP, 1.34 GiB; fast 6 kernels,
    # most of them on the weight alone, 77.3 GFLOP, 0.22 GiB.
    "UpsampledConv": {"cpu": FAST, "cuda": FAST},
    # 128 moving channels and 64 that stand still, 32 frames of 96x96: reference 2 kernels, 4.1 GFLOP, 0.64 GiB; fast 3
    # kernels, 2.8 GFLOP, 0.16 GiB.
    "StillConv2d": {"cpu": FAST, "cuda": FAST},
    # In eval mode, 512 moving channels and 256 that stand still, 32 frames to 96x96: reference 11 kernels, 1131 GFLOP,
    # 6.6 GiB; fast 34 kernels, 401 GFLOP, 3.0 GiB.
    "ResidualUp": {"cpu": FAST, "cuda": FAST},
    # Two labels of 256 frames of 64x64: reference 32 kernels, 108 GFLOP, 1.29 GiB; fast 57 kernels, 88 GFLOP, 1.19 GiB.
    "FrameDiscriminator": {"cpu": FAST, "cuda": FAST},
    # Two labels of 64 clips of 32 frames of 64x64: reference 32 kernels, 533 GFLOP, 3.6 GiB; fast 69 kernels, 370
    # GFLOP, 2.7 GiB.
    "VideoDiscriminator": {"cpu": FAST, "cuda": FAST},
}


class TwoForms(nn.Module):
    """A layer with two forms of the same mathematics and of the same parameters.

    ``plain`` chooses for this one layer: True is the reference form, False the fast one, None what ``FORMS`` says of
    the device. A layer that ``FORMS`` does not name takes what its base class takes, or else the fast form.
    """

    plain: bool | None = None
    _forms: dict[str, str] = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._forms = FORMS.get(cls.__name__, cls._forms)

    def takes_reference(self, x: Tensor) -> bool:
        """Return true if ``x``, an input, is to go through the reference form."""
        if self.plain is not None:
            return self.plain
        # On the meta device, where costs are counted, as on a CPU; other devices as on CUDA.
        device = "cpu" if x.device.type in ("cpu", "meta") else "cuda"
        return self._forms.get(device) == REFERENCE


def choose_form(module: nn.Module, form: str | None, layer: str | None = None) -> list[TwoForms]:
    """Make the layers inside ``module`` compute in one form, on every device.

    Args:
        module: a model, or any part of it.
        form: "reference" or "fast", or None for what ``FORMS`` says of the device.
        layer: the name of a layer's class; by default all layers with two forms.

    Returns:
        The layers that were set.

    Examples:
        >>> from i2vkit.models.layers import PooledConv
        >>> [type(layer).__name__ for layer in choose_form(PooledConv(3, 4), "reference")]
        ['PooledConv']
    """
    plain = {None: None, REFERENCE: True, FAST: False}[form]
    layers = [m for m in module.modules() if isinstance(m, TwoForms) and layer in (None, type(m).__name__)]
    for each in layers:
        each.plain = plain
    return layers
