"""The training step of a network with known answers as plain PyTorch."""

from __future__ import annotations

from typing import Any

from i2vkit.analysis.source.classes import ClassWriter
from i2vkit.analysis.source.gan_step import when
from i2vkit.analysis.source.text import format_number
from i2vkit.errors import ConfigError
from i2vkit.models.training.supervised_model import SupervisedModel

CONTEXT = '''@dataclass
class Context:
    """A batch and what the network makes of it.

    Args:
        clip: The batch.
        outputs: The outputs of the network, by name.
    """

    clip: VideoBatch
    outputs: dict[str, Tensor]

    def output(self, name: str) -> Tensor:
        """Return an output."""
        return self.outputs[name]'''


def step_lines(model: SupervisedModel, clipping: dict[str, float], writer: ClassWriter) -> list[str]:
    """Return ``train_step``: all phases of a step, in their order. The classes of losses are written too.

    Args:
        model: The model.
        clipping: The largest norm of the gradients of phases that clip them.
        writer: Writes the classes.
    """
    lines = [
        "    def train_step(self, clip: VideoBatch, iteration: int = 0) -> dict[str, Tensor]:",
        '        """Take one training step on a batch, and return all losses without their weights."""',
        "        losses = {}",
    ]
    for phase in model.phases:
        if phase.repeat != 1:
            raise ConfigError(f"phase '{phase.name}' repeats, which is not written as source: set repeat=1")
        lines += ["", f'        # Phase "{phase.name}" updates {", ".join(phase.updates)}.']
        pad = " " * 8
        if conditions := when(phase):
            lines.append(f"{pad}if {conditions}:")
            pad += " " * 4
        lines += [f"{pad}self.{path}.eval()  # its batch norms keep their statistics" for path in phase.eval_modules]
        requested = sorted({name for loss in phase.losses for name in loss.outputs})
        lines.append(f"{pad}context = Context(clip, self.network(clip, {requested!r}))")
        for loss in phase.losses:
            writer.add_object(loss)
            lines.append(f"{pad}{loss.name} = {type(loss).__name__}().forward(context)")
            lines.append(f'{pad}losses["{loss.name}"] = {loss.name}.detach()')
        lines.append(f"{pad}total = {' + '.join(_weighted(loss) for loss in phase.losses)}")
        optimizer = f'self.optimizers["{phase.name}"]'
        lines += [f"{pad}{optimizer}.zero_grad()", f"{pad}total.backward()"]
        if phase.name in clipping:
            lines.append(f'{pad}parameters = {optimizer}.param_groups[0]["params"]')
            lines.append(f"{pad}nn.utils.clip_grad_norm_(parameters, {format_number(clipping[phase.name])})")
        lines.append(f"{pad}{optimizer}.step()")
        lines += [f"{pad}self.{path}.train()" for path in phase.eval_modules]
    return [*lines, "        return losses"]


def _weighted(loss: Any) -> str:
    if len(loss.schedule) > 1:
        raise ConfigError(f"the schedule of loss '{loss.name}' is not written as source")
    weight = loss.schedule[0][1]
    return loss.name if weight == 1 else f"{format_number(weight)} * {loss.name}"
