"""The shipped configs with narrow parts, batches for them, and a table of what a training step of each asks of a GPU.

``python tests/narrowed.py`` prints the table of narrow models, ``--full`` that of the configs as they are, which takes
minutes; names of configs choose among them.
"""

import sys

import narrow
import torch
from emulated_cuda import Counts, emulated_cuda
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapperDict
from torch import nn

from i2vkit.analysis.benchmark.generators import step_length
from i2vkit.analysis.benchmark.step import build_optimizers, random_batch
from i2vkit.config.loading import load_config
from i2vkit.models import PoseLstm
from i2vkit.registry import MODELS
from i2vkit.structures import VideoSample

# One config of each family, and the iteration at which its step is looked at.
STEPS = [
    ("cnn_lstm_weizmann", 0),
    ("cnn_lstm_weizmann", 300),
    ("dtgan_weizmann", 0),
    ("dual_mtgan_weizmann", 0),
    ("imaginator_mug", 0),
    ("vgan_mug", 0),
    ("mocogan_mug", 0),
    ("frgan_forecast_mug", 0),
    ("frgan_refine_mug", 0),
    ("pose_lstm_penn", 0),
    ("dtgan/cnn_lstm_recipe_faces_landmarks", 0),
    ("dual_mtgan/motion_recipe_weizmann", 0),
    ("dual_mtgan/dual_mtgan_recipe_faces_warp", 4000),  # with its divergence
    ("imaginator/imaginator_recipe_faces", 9000),  # with its discriminators
    ("monkey_net/monkey_net_recipe_faces", 0),
    ("fomm/fomm_recipe_faces", 0),
    ("mix/dtgan_warped", 0),
    ("mix/dtgan_projected", 8700 + 16 * 64),  # an iteration with its gradient penalties
]
FRAMES = 8  # that every narrow model can make
_KEPT = ("RandomFrames",)  # as the configs have them
_NARROW = narrow.NARROW | {
    "PoseLstm": dict(type=PoseLstm, observed=4, hidden=8),
    "FeatureMatchingLoss": dict(channel_weights=None),  # one for each block, of which narrow networks have fewer
}
_LEFT_OUT = ("PerceptualPyramidLoss",)  # needs weights that have to be fetched; test_first_order_losses.py has it


def narrowed(name: str, options: dict | None = None) -> Config:
    """A shipped config, in fp32, whose parts are as narrow as in ``narrow.NARROW``, for images of ``narrow.SIZE``."""
    cfg = load_config(name, options)
    cfg.model = _narrowed(cfg.model)
    cfg.model.image_size = narrow.SIZE
    if "precision" in cfg.model:
        cfg.model.precision = "fp32"  # the emulation has no other
    return cfg


def _narrowed(value):
    if isinstance(value, list | tuple):
        return [_narrowed(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = getattr(value.get("type"), "__name__", value.get("type"))
    if kind in _LEFT_OUT:
        return None
    own = {} if kind in _KEPT else _NARROW.get(kind, {})
    if value.get("halves_time") is False:  # a convolution takes three frames away, and narrow windows have four
        own = own | dict(widths=(4,), last_length=1)
    return {key: _narrowed(item) for key, item in value.items()} | own


def batch_for(model: nn.Module, frames: int, clips: int = 2) -> dict:
    """Random clips, one tensor a field, as the loaders hand them over, and samples to be filled in."""
    return random_batch(model, frames, clips) | {"data_samples": [VideoSample() for _ in range(clips)]}


def frames_of(cfg: Config, full: bool = False) -> int:
    """Frames of the clips of a training step: as the config says, where it is narrow ``FRAMES`` at most."""
    return step_length(cfg) if full else min(step_length(cfg), FRAMES)


def build(cfg: Config, device: str = "cpu") -> tuple[nn.Module, OptimWrapperDict]:
    """The model of a config with its first weights, and the optimisers that the config asks for."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(device).train()
    return model, build_optimizers(model, cfg.optim_wrapper)


def at_iteration(iteration: int) -> None:
    """Set the clock of all schedules."""
    MessageHub.get_current_instance().update_info("iter", iteration)


def counted_step(name: str, iteration: int, full: bool = False) -> tuple[Counts, int]:
    """What the second training step of a config asks of a GPU, and the number of fields of its batch."""
    cfg = load_config(name) if full else narrowed(name)
    with emulated_cuda() as cuda:
        model, optimizers = build(cfg, "cuda:0")
        at_iteration(iteration)
        data = batch_for(model, frames_of(cfg, full))
        for _ in range(2):  # the first makes the states of the optimisers
            cuda.counts.clear()
            model.train_step(data, optimizers)
    return cuda.counts, len(data["inputs"])


def main(arguments: list[str]) -> None:
    """Print the table, and the lines behind it with ``--lines``."""
    full, lines = "--full" in arguments, "--lines" in arguments
    names = [argument for argument in arguments if not argument.startswith("--")]
    head = ("config (iteration)", "synchronisations", "copies to the device", "fields of the batch", "kernels")
    print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|")
    for name, iteration in STEPS:
        if not names or name in names:
            counts, fields = counted_step(name, iteration, full)
            waits, copies = counts.synchronisations.total(), counts.copies.total()
            print(f"| {name} ({iteration}) | {waits} | {copies} | {fields} | {counts.kernels} |", flush=True)
            if lines:
                print(counts)


if __name__ == "__main__":
    main(sys.argv[1:])
