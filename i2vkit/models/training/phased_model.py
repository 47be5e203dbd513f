"""The base class of the two models: paths to parts, freezing, pre-trained parts, and the phases."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import nn

from i2vkit.engine.checkpoints import load_weights
from i2vkit.engine.precision import check_precision, precision
from i2vkit.engine.work_dirs import latest_checkpoint
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
    """A model that is trained in phases.

    Args:
        phases: Phases by name, see ``build_phases``.
        data_preprocessor: Config of the data preprocessor; None takes ``ClipPreprocessor``.
        frozen: Paths of parts that never train. They stay in eval mode and have no optimiser state, while gradients
            still pass through them.
        pretrained: By name ``dict(part=path, checkpoint=file, prefix=..., help=...)``. The file, or the newest
            checkpoint of a work directory, is loaded before training starts. A checkpoint of this model that is loaded
            later overrides it.
        precision: "fp32"; "tf32", which rounds the operands of a GPU's convolutions and matrix products to 10 bits; or
            "bf16", which runs forward passes in bf16 autocast and the rest as "tf32".
        channels_last: If true, lay the weights of convolutions out with the channels last. This changes no value and
            may be faster on a GPU.

    Raises:
        ConfigError: For a path without a part, a phase that updates nothing, and as ``build_phases``.
    """

    def __init__(
        self,
        phases: dict[str, dict],
        data_preprocessor: dict | None,
        frozen: Sequence[str],
        pretrained: dict[str, dict] | None,
        precision: str,
        channels_last: bool = False,
    ):
        super().__init__(data_preprocessor=MODELS.build(data_preprocessor or dict(type="ClipPreprocessor")))
        self.precision = check_precision(precision)
        self.phases: tuple[Phase, ...] = build_phases(phases)
        self.frozen = [frozen] if isinstance(frozen, str) else list(frozen)
        self.pretrained = list(named_entries(pretrained, "pretrained", "model.pretrained").values())
        for entry in self.pretrained:
            if missing := [key for key in ("part", "checkpoint") if not isinstance(entry.get(key), str | Path)]:
                raise ConfigError(f"an entry of model.pretrained has no {missing[0]}: give it part and checkpoint")
        self.channels_last = channels_last

    def finish(self) -> None:
        """Check every path of the config and freeze parts. A subclass calls it once it has built its parts.

        Raises:
            ConfigError: If there is no part at a path, or everything that a phase updates is frozen.
        """
        # A slot that nothing reads is not built; a config may name it all the same.
        self.frozen = [path for path in self.frozen if not self._is_unread(path)]
        self.pretrained = [entry for entry in self.pretrained if not self._is_unread(entry["part"])]
        for phase in self.phases:
            for path in (*phase.updates, *phase.eval_modules):  # raises for a path without a part
                self.get_part(path)
            for path, other in permutations(phase.updates, 2):
                if f"{path}.".startswith(f"{other}."):
                    raise ConfigError(
                        f"phase '{phase.name}' updates '{path}', which is in '{other}' already: leave one of them out"
                    )
        for path in self.frozen:
            self.get_part(path).requires_grad_(False)
        # Only now is it known which parameters train at all.
        for phase in self.phases:
            if not any(self.trainable_parameters(module) for module in self.phase_modules(phase.name)):
                raise ConfigError(f"phase '{phase.name}' updates {phase.updates}, where everything is frozen or empty")
        # Registered, so that buffers of losses move to the device with the model.
        self.losses = nn.ModuleList(loss for phase in self.phases for loss in phase.losses)
        if self.channels_last:
            to_channels_last_(self)  # after all parts are built
        self.train(self.training)  # puts the frozen parts into eval mode

    def check_losses(self, check: Callable[[Loss], None]) -> None:
        """Call ``check`` with every loss of every phase.

        Raises:
            ConfigError: The error that ``check`` raises, with the option that leaves this loss out.
        """
        for phase in self.phases:
            for loss in phase.losses:
                try:
                    check(loss)
                except ConfigError as error:
                    option = f"model.phases.{phase.name}.losses.{loss.name}=None"
                    raise ConfigError(f"{error}; set {option} to leave this loss out") from error

    def _is_unread(self, path: str) -> bool:
        """Return true, and log it, if a path leads to a slot that is empty because nothing reads its part."""
        part: object = self
        for name in path.split("."):
            # A name that is not there is not empty either: ``get_part`` refuses it with a better message.
            part = getattr(part, name, self)
            if part is None:
                print_log(f"{path} is not built: there is nothing to freeze or to load", "current")
                return True
        return False

    def get_part(self, path: str) -> nn.Module:
        """Return the part at a path, for instance "generator.decoder".

        Raises:
            ConfigError: If there is none; the message names the parts that there are.
        """
        part: nn.Module = self
        for name in path.split("."):
            children = dict(part.named_children())
            if name not in children:  # attributes that are no modules do not count
                raise ConfigError(
                    f"there is no part '{path}' in the model; beside '{name}' stand: {', '.join(children)}"
                )
            part = children[name]
        return part

    def phase_modules(self, name: str) -> list[nn.Module]:
        """Return the modules that a phase updates."""
        phase = next(phase for phase in self.phases if phase.name == name)  # names are unique
        return [self.get_part(path) for path in phase.updates]

    def trainable_parameters(self, part: nn.Module | None = None) -> list[nn.Parameter]:
        """Return the parameters of a part, by default of the model, that are not frozen for the whole training."""
        # ``requires_grad`` does not tell: inside a phase it is false for all other parts too.
        frozen = {id(p) for path in self.frozen for p in self.get_part(path).parameters()}
        return [p for p in (part or self).parameters() if id(p) not in frozen]

    def train(self, mode: bool = True) -> "PhasedModel":
        """Set training or eval mode; frozen parts stay in eval mode."""
        super().train(mode)  # sets all modules, the frozen ones too
        for path in self.frozen:
            self.get_part(path).eval()
        return self

    def init_weights(self) -> None:
        """Load the pre-trained parts. The runner calls this when training starts.

        Raises:
            CheckpointError: If a file is missing; the message has the command that makes it.
        """
        # Modules that a pre-trained part fills: their own files would be read for nothing.
        later = {id(module) for entry in self.pretrained for module in self.get_part(entry["part"]).modules()}
        for module in self.modules():
            # No checkpoint holds the weights of frozen backbones: they come from their own files in any case.
            if isinstance(module, FrozenBackbone) or (isinstance(module, TimmBackbone) and id(module) not in later):
                module.load_pretrained()
        for entry in self.pretrained:
            path = Path(entry["checkpoint"])
            if not path.exists():
                raise CheckpointError(
                    f"the pre-trained weights of '{entry['part']}' are not there: {path.absolute()}"
                    + (f"\nmake them with: {entry['help']}" if entry.get("help") else "")
                )
            # A work directory stands for its newest checkpoint.
            path = latest_checkpoint(path) if path.is_dir() else path
            # A prefix selects the part within the file.
            load_weights(self.get_part(entry["part"]), path, prefix=entry.get("prefix"))
            print_log(f"{entry['part']} loaded from {path}", "current")

    @contextmanager
    def autocast_context(self, device: torch.device) -> Iterator[None]:
        """Run forward passes inside in the model's precision; weights and losses stay in fp32."""
        # The first sets the rounding of fp32 products, the second the dtype of forward passes.
        with precision(self.precision), autocast(device, self.precision == "bf16"):
            yield

    def forward(self, inputs: dict, data_samples: list | None = None, mode: str = "predict") -> list:
        """Run ``test_step``, for mmengine; training calls ``train_step``, evaluation ``val_step`` and ``test_step``."""
        return self.test_step(dict(inputs=inputs, data_samples=data_samples))
