"""Pre-training: networks with known answers, on the same phases and losses as the GAN."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from i2vkit.engine.precision import in_own_precision
from i2vkit.models.clip_lengths import at_last_frame
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.models.training.phases import current_iteration, run_phases
from i2vkit.registry import MODELS, MOTION_ENCODERS, build_part
from i2vkit.structures import VideoBatch, VideoSample


@MODELS.register_module()
class CnnLstmClassifier(nn.Module):
    """A recurrent motion encoder with linear classifiers of frames and of clips.

    It predicts the class and the state of every frame, and the class of the clip from the LSTM output at the last true
    frame.

    Source: Kim et al., 2017.

    Args:
        encoder: Config of a motion encoder with a frame encoder, for instance ``CnnLstmEncoder``.
        image_size: Side of the frames, in pixels.
        num_labels: Number of classes.
        num_states: Number of states, for instance onset, apex and offset.
    """

    predicts = "sequence_class"

    def __init__(self, encoder: dict, image_size: int, num_labels: int, num_states: int = 3):
        super().__init__()
        self.num_labels, self.num_states = num_labels, num_states
        self.encoder = build_part(MOTION_ENCODERS, encoder, image_size=image_size)
        features = self.encoder.frame_encoder.features  # D, size of one frame's features
        self.frame_class = nn.Linear(features, num_labels)
        self.frame_state = nn.Linear(features, num_states)
        self.sequence_class = nn.Linear(self.encoder.spec.trajectory, num_labels)  # reads the states of the LSTM

    def forward(self, clip: VideoBatch, requested: Sequence[str]) -> dict[str, Tensor]:
        """Return those outputs that are requested, by name.

        They are "features" (B, T, D), which are always there, "frame_class" (B, T, L), "frame_state" (B, T, S) and
        "sequence_class" (B, L).
        """
        features = self.encoder.features(clip.driving)  # (B, C, T, H, W) -> (B, T, D)
        made = {"features": features}
        for name in ("frame_class", "frame_state"):
            if name in requested:
                made[name] = getattr(self, name)(features)
        if "sequence_class" in requested:
            outputs, _ = self.encoder.sequence(features)  # (B, T, D) -> (B, T, H)
            # (B, T, H) -> (B, H) -> (B, L).
            made["sequence_class"] = self.sequence_class(at_last_frame(outputs, clip.num_frames))
        return made

    def report(self, output: Tensor, clip: VideoBatch, samples: Sequence[VideoSample]) -> None:
        """Fill in ``scores`` (L,), the probabilities of the classes, and ``label``, the true class."""
        assert clip.label is not None, "a classifier is tested on data sets with labels"
        # One row (L,) a clip.
        for sample, row, label in zip(samples, output.softmax(dim=1).cpu(), clip.label.cpu(), strict=True):
            sample.scores, sample.label = row, label


class SupervisedContext:
    """One batch in a training step with labels. Every loss of a ``SupervisedModel`` is called with it.

    Args:
        model: The model that is trained.
        clip: The batch, on the model's device.
        iteration: The current iteration.
        requested: Names of the outputs that losses read.
    """

    def __init__(self, model: "SupervisedModel", clip: VideoBatch, iteration: int, requested: Sequence[str]):
        self.model, self.clip, self.iteration, self.requested = model, clip, iteration, requested
        self._outputs: dict[str, Tensor] | None = None

    def autocast(self) -> AbstractContextManager:
        """Return a context in which forward passes run in the model's precision."""
        return self.model.autocast_context(self.clip.driving.device)

    def after_update(self, parts: Sequence[str]) -> None:
        """Forget the outputs, which an update has made old; ``run_phase`` calls it."""
        self._outputs = None

    def output(self, name: str) -> Tensor:
        """Return an output of the network in full precision. The network runs once for each update."""
        if self._outputs is None:
            self._outputs = self.model.network(self.clip, self.requested)  # all outputs in one forward pass
        return self._outputs[name].float()  # losses are computed in fp32


@MODELS.register_module()
class SupervisedModel(PhasedModel):
    """A network that is trained on known properties of clips.

    The network is called with a clip and the names of the requested outputs. Its ``predicts`` is the output that tests
    need, and its ``report(output, clip, samples)`` fills that in.

    Args:
        network: Config of the network, for instance ``CnnLstmClassifier`` or ``MotionRegressor``.
        image_size: Side of the frames, in pixels.
        phases: As of ``PhasedModel``.
        labels: Names of the classes in the order of their indices; empty where there are no classes.
        frozen: As of ``PhasedModel``.
        pretrained: As of ``PhasedModel``.
        data_preprocessor: As of ``PhasedModel``.
        precision: As of ``PhasedModel``.
        channels_last: As of ``PhasedModel``.
    """

    def __init__(
        self,
        network: dict,
        image_size: int,
        phases: dict[str, dict],
        labels: Sequence[str],
        frozen: Sequence[str] = (),
        pretrained: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
        precision: str = "fp32",
        channels_last: bool = False,
    ):
        super().__init__(phases, data_preprocessor, frozen, pretrained, precision, channels_last)
        self.image_size, self.labels = image_size, list(labels)
        self.network = build_part(MODELS, network, image_size=image_size, num_labels=len(self.labels))
        self.check_losses(lambda loss: loss.check(self))  # a loss refuses a network without its output
        self.finish()

    @in_own_precision
    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Run the phases of this iteration on one batch; return every loss by name."""
        clip: VideoBatch = self.data_preprocessor(data, training=True)["clip"]
        iteration = current_iteration()
        running = [phase for phase in self.phases if phase.runs_at(iteration)]
        # Sorted, so that every run of the network has the same order of operations.
        requested = sorted({name for phase in running for loss in phase.losses for name in loss.outputs})
        return run_phases(SupervisedContext(self, clip, iteration, requested), self, optim_wrapper)

    @torch.no_grad()
    def test_step(self, data: dict) -> list[VideoSample]:
        """Fill in the report of the network: ``scores`` and ``label`` of a classifier, ``poses`` of a pose LSTM."""
        self.eval()
        ready = self.data_preprocessor(data, training=False)
        clip, samples = ready["clip"], ready["samples"]
        predicts = self.network.predicts  # the one output that ``report`` reads
        with self.autocast_context(clip.driving.device):
            output = self.network(clip, [predicts])[predicts].float()  # (B, ...)
        self.network.report(output, clip, samples)
        return samples

    val_step = test_step
