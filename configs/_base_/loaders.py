"""What the data loaders of all sets share: workers that stay, and an order of clips that a resumed training takes up.

A set adds batch size and data set; validation goes through its clips once, in order.
"""

from i2vkit.datasets import PositionSampler

_common = dict(num_workers=2, persistent_workers=True, collate_fn=dict(type="pseudo_collate"))

train_dataloader = dict(**_common, sampler=dict(type=PositionSampler))
val_dataloader = dict(**_common, sampler=dict(type=PositionSampler, ordered=True))
test_dataloader = dict(**_common, sampler=dict(type=PositionSampler, ordered=True))
