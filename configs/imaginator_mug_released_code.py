"""ImaGINator on MUG with the settings of the authors' code where they differ from the paper's (imaginator_mug.py).

Six expressions (no neutral clips), every frame instead of every second one, clips of at least 36 frames; 2e-4 for all
networks, L1 weight 100, the generator before the discriminators, no wrong-label negatives, frames of D_I drawn apart
for real and generated clips. Three things of the code are not taken over, none of which should move a result: its D_I
sees one frame index for the whole batch, its discriminators the very frames that the generator was scored on, and the
convolutions of encoder and discriminators begin with torch's biases. Expected result: none published for these
settings; the paper's numbers stand in imaginator_mug.py.

Memory of a training step: 5.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .imaginator_mug import *

_labels = ["anger", "disgust", "fear", "happiness", "sadness", "surprise"]
for _loader in (train_dataloader, val_dataloader):
    _loader["dataset"].update(labels=_labels, min_frames=36)
    _loader["dataset"]["window"]["stride"] = 1
test_dataloader = val_dataloader
protocols["initial_frames"].update(length=36, min_length=32)

_discriminators, _generator = model["phases"]["discriminators"], model["phases"]["generator"]
_discriminators["losses"]["frame_discriminator"]["same_indices"] = False
_discriminators["losses"]["video_discriminator"]["wrong_label"] = 0.0
_generator["losses"]["frame_l1"]["weight"] = 100.0
model["phases"] = dict(generator=_generator, discriminators=_discriminators)  # in this order
optim_wrapper["per_phase"] = dict()
