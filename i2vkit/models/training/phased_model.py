"""What the two models, adversarial and supervised, share: paths to parts, freezing, pre-trained parts, the phases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from i2vkit.engine.checkpoints import latest_checkpoint, load_weights
from i2vkit.engine.precision import check_precision, precision
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.layers.frozen_features import FrozenBackbone
from i2vkit.models.layers.memory_format import to_channels_last_
from i2vkit.models.layers.timm_backbone import TimmBackbone
from i2vkit.models.losses.base import Loss
from i2vkit.models.training.autocast import autocast
from i2vkit.models.training.phases import Phase, build_phases
from i2vkit.registry import MODELS
from i2vkit.utils.named import named_entries


class PhasedModel(BaseModel):
    """A model trained in phases.

    ``frozen`` names parts by path that never train: they stay in eval mode and take no optimiser slot, while gradients
    still pass through them. ``pretrained`` has by name ``dict(part=path, checkpoint=file, prefix=..., help=...)``,
    where a work dir as file means its newest checkpoint, loaded before training starts (a checkpoint of this model
    loaded later has the last word). ``precision`` is "fp32", "tf32", which rounds the operands of a GPU's convolutions
    and matrix products to 10 bits, or "bf16", which runs forward passes in bf16 autocast and the rest as "tf32".
    ``channels_last`` lays the weights of convolutions out with the channels last, which changes no value and may be
    faster on a GPU.
    """

    def __init__(
        self,
        phases: dict[str, dict],
        data_preprocessor: dict | None,
        frozen: list[str],
        pretrained: dict[str, dict],
        precision: str,
        channels_last: bool = False,
    ):
        super().__init__(data_preprocessor=MODELS.build(data_preprocessor or dict(type="ClipPreprocessor")))
        self.precision = check_precision(precision)
        self.phases: tuple[Phase, ...] = build_phases(phases)
        self.frozen = list(frozen)
        self.pretrained = list(named_entries(pretrained, "pretrained", "model.pretrained").values())
        self.channels_last = channels_last

    def finish(self) -> None:
        """Checks every path of the config and freezes; called once the parts are there."""
        self.frozen = [path for path in self.frozen if not self._is_unread(path)]
        self.pretrained = [entry for entry in self.pretrained if not self._is_unread(entry["part"])]
        for phase in self.phases:
            for path in (*phase.updates, *phase.eval_modules):
                self.get_part(path)
        for path in self.frozen:
            self.get_part(path).requires_grad_(False)
        for phase in self.phases:
            if not any(self.trainable_parameters(module) for module in self.phase_modules(phase.name)):
                raise ConfigError(f"phase '{phase.name}' updates {phase.updates}, where everything is frozen or empty")
        # Registered, so that buffers of losses move to the device with the model.
        self.losses = nn.ModuleList(loss for phase in self.phases for loss in phase.losses)
        if self.channels_last:
            to_channels_last_(self)
        self.train(self.training)

    def check_losses(self, check: Callable[[Loss], None]) -> None:
        """Call ``check`` with every loss of every phase.

        Raises:
            ConfigError: What ``check`` raises, with the option that leaves this loss out.
        """
        for phase in self.phases:
            for loss in phase.losses:
                try:
                    check(loss)
                except ConfigError as error:
                    option = f"model.phases.{phase.name}.losses.{loss.name}=None"
                    raise ConfigError(f"{error}; set {option} to leave this loss out") from error

    def _is_unread(self, path: str) -> bool:
        """Whether a path leads to a slot that is empty, as nobody reads what would stand there; says so in the log."""
        part: nn.Module | None = self
        for name in path.split("."):
            part = getattr(part, name, self)
            if part is None:
                print_log(f"{path} is not built: there is nothing to freeze or to load", "current")
                return True
        return False

    def get_part(self, path: str) -> nn.Module:
        """The part at a path.

        Raises:
            ConfigError: if there is none, with the parts that are there.
        """
        part: nn.Module = self
        for name in path.split("."):
            children = dict(part.named_children())
            if name not in children:
                raise ConfigError(
                    f"there is no part '{path}' in the model; beside '{name}' stand: {', '.join(children)}"
                )
            part = children[name]
        return part

    def phase_modules(self, name: str) -> list[nn.Module]:
        """The modules that a phase updates."""
        phase = next(phase for phase in self.phases if phase.name == name)
        return [self.get_part(path) for path in phase.updates]

    def trainable_parameters(self, part: nn.Module | None = None) -> list[nn.Parameter]:
        """The parameters of a part, by default of all, that train outside all phases: those not frozen for good."""
        frozen = {id(p) for path in self.frozen for p in self.get_part(path).parameters()}
        return [p for p in (part or self).parameters() if id(p) not in frozen]

    def train(self, mode: bool = True) -> "PhasedModel":
        """As usual, but what is frozen stays in eval mode."""
        super().train(mode)
        for path in self.frozen:
            self.get_part(path).eval()
        return self

    def init_weights(self) -> None:
        """Load what was trained before (the runner calls this when training starts).

        Raises:
            CheckpointError: if a file is missing, with the command that makes it.
        """
        later = {id(module) for entry in self.pretrained for module in self.get_part(entry["part"]).modules()}
        for module in self.modules():
            # No checkpoint holds what is frozen: that is read from its own file, whatever is loaded later.
            if isinstance(module, FrozenBackbone) or (isinstance(module, TimmBackbone) and id(module) not in later):
                module.load_pretrained()
        for entry in self.pretrained:
            path = Path(entry["checkpoint"])
            if not path.exists():
                raise CheckpointError(
                    f"the pre-trained weights of '{entry['part']}' are not there: {path.absolute()}"
                    + (f"\nmake them with: {entry['help']}" if entry.get("help") else "")
                )
            path = latest_checkpoint(path) if path.is_dir() else path
            load_weights(self.get_part(entry["part"]), path, prefix=entry.get("prefix"))
            print_log(f"{entry['part']} loaded from {path}", "current")

    @contextmanager
    def autocast_context(self, device: torch.device) -> Iterator[None]:
        """Inside, forward passes run in the model's precision; weights and losses stay in fp32."""
        with precision(self.precision), autocast(device, self.precision == "bf16"):
            yield

    def forward(self, inputs: dict, data_samples: list | None = None, mode: str = "predict") -> list[Tensor]:
        """mmengine's entry; the work is in ``train_step``, ``val_step`` and ``test_step``."""
        return self.test_step(dict(inputs=inputs, data_samples=data_samples))
