"""The CNN-LSTM of DTGAN's reference [12] (Kim et al., IEEE Trans. Affective Computing, 2017): encoder and pre-training.

Two phases one after the other by one command: the frame CNN with its five objectives, then the LSTM on its features
with the class from the last true step. The paper is known to us by its abstract, which names the five: class and state
of a frame are told, each is compact in the features, and states follow each other continuously. The states are there
for robustness to the intensity of an expression, which has no objective of its own. Widths, weights, numbers of
iterations and the optimiser are ours.
"""

from mmengine.config import read_base
from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import CnnLstmClassifier, SupervisedModel
from i2vkit.models.losses import (
    ClassCompactnessLoss,
    FrameClassLoss,
    SequenceClassLoss,
    StateClassLoss,
    StateCompactnessLoss,
    StateContinuityLoss,
)

with read_base():
    from .motion_encoders import _cnn_lstm_encoder

_frame_iterations = 300

model = dict(
    type=SupervisedModel,
    network=dict(type=CnnLstmClassifier, encoder=_cnn_lstm_encoder, num_states=3),
    phases=dict(
        frames=dict(
            updates=["network.encoder.frame_encoder", "network.frame_class", "network.frame_state"],
            losses=dict(
                frame_class=dict(type=FrameClassLoss, weight=1.0),
                class_compactness=dict(type=ClassCompactnessLoss, weight=0.1),
                frame_state=dict(type=StateClassLoss, weight=1.0),
                state_compactness=dict(type=StateCompactnessLoss, weight=0.1),
                state_continuity=dict(type=StateContinuityLoss, weight=0.5),
            ),
            end=_frame_iterations,
        ),
        sequence=dict(
            updates=["network.encoder.lstm", "network.sequence_class"],
            eval_modules=["network.encoder.frame_encoder"],
            losses=dict(sequence_class=dict(type=SequenceClassLoss)),
            begin=_frame_iterations,
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=5e-4, betas=(0.9, 0.999)),
    # Small: at the CNN's rate the LSTM soon holds the class alone, and where the body or face is just now, which DTGAN
    # must read from it, is lost (docs/results.md).
    per_phase=dict(sequence=dict(lr=3e-5)),
)

# Pre-trainings by a part of the five objectives, as options for variants.
_losses = "model.phases.frames.losses"
_classes_alone = {
    f"{_losses}.frame_state": None,
    f"{_losses}.state_compactness": None,
    f"{_losses}.state_continuity": None,
    "model.phases.frames.updates": ["network.encoder.frame_encoder", "network.frame_class"],
}
_states_alone = {
    f"{_losses}.frame_class": None,
    f"{_losses}.class_compactness": None,
    "model.phases.frames.updates": ["network.encoder.frame_encoder", "network.frame_state"],
}
