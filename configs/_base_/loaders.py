"""What the data loaders of all sets share: an order of clips that a resumed training takes up, one tensor a field.

A set adds batch size and data set; validation goes through its clips once, in order. The number of workers and pinned
memory are left to the machine (``complete_loader`` in i2vkit/datasets/loaders.py): 2 workers, or beside a GPU 8 and
pinned memory, never more than there are cores. To choose: ``train_dataloader["num_workers"] = 4``.
"""

from i2vkit.datasets import PositionSampler, collate_clips

# No training step reads the samples with their videos, so that they are not sent.
train_dataloader = dict(sampler=dict(type=PositionSampler), collate_fn=dict(type=collate_clips, samples=False))
val_dataloader = dict(sampler=dict(type=PositionSampler, ordered=True), collate_fn=dict(type=collate_clips))
test_dataloader = dict(sampler=dict(type=PositionSampler, ordered=True), collate_fn=dict(type=collate_clips))
