"""The labels of the data against those of the model, when training and testing start."""

from types import SimpleNamespace

import narrow
import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.optim import Adam

from i2vkit.apis.train import train
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.engine.labels import check_data_labels
from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.errors import ConfigError
from i2vkit.evaluation.metrics import Psnr
from i2vkit.evaluation.run import test as run_test
from i2vkit.media import write_image
from i2vkit.models import ImageToVideoGan

BY_LABEL = dict(
    content_encoder=narrow.NARROW["ConvPyramidEncoder"],
    motion_encoder=None,
    motion_generator=narrow.NARROW["LabelFusion"],
    decoder=narrow.NARROW["TransposedConv1p2dDecoder"],
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One person and four labels, a clip of four frames each."""
    root = tmp_path_factory.mktemp("clips")
    for index, label in enumerate("abcd"):
        for t in range(4):
            write_image(root / "P1" / label / "clip" / f"{t}.png", np.full((32, 32, 3), 40 * index + t, np.uint8))
    return root


def config(root, labels=None, generator=BY_LABEL) -> Config:
    """A model of three labels, a, b and c, and data of all four, or of ``labels``."""
    loader = dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(
            type=ClipDataset,
            reader=dict(type=ClipFolder, root=str(root)),
            labels=labels,
            pipeline=dict(
                window=dict(type=FirstFrames, length=4), read=dict(type=ReadFrames), pack=dict(type=PackClip)
            ),
        ),
        sampler=dict(type=PositionSampler),
        collate_fn=dict(type="pseudo_collate"),
    )
    return Config(
        dict(
            default_scope="i2vkit",
            model=narrow.gan_config(generator=generator, frozen=[], discriminators={}, phases=PHASES),
            train_dataloader=loader,
            test_dataloader=loader | dict(sampler=dict(type=PositionSampler, ordered=True)),
            test_evaluator=dict(psnr=dict(type=Psnr)),
            test_cfg=dict(),
            randomness=dict(seed=0),
            train_cfg=dict(by_epoch=False, max_iters=1),
            optim_wrapper=dict(constructor=PhaseOptimWrapperConstructor, optimizer=dict(type=Adam, lr=1e-4)),
            default_hooks=dict(checkpoint=None),
            env_cfg=dict(dist_cfg=dict(backend="gloo")),
            log_processor=dict(by_epoch=False),
        )
    )


PHASES = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss"))))


def test_more_labels_in_the_data_than_in_the_model_are_refused_before_training(root, tmp_path, monkeypatch):
    steps, original = [], ImageToVideoGan.train_step

    def train_step(self, data, optim_wrapper):
        steps.append(data)
        return original(self, data, optim_wrapper)

    monkeypatch.setattr(ImageToVideoGan, "train_step", train_step)
    with pytest.raises(ConfigError, match=r"labels is \['a', 'b', 'c'\], and the training .*\['a', 'b', 'c', 'd'\]"):
        train(config(root), work_dir=tmp_path / "four")
    assert not steps
    train(config(root, labels=["a", "b", "c"]), work_dir=tmp_path / "three")
    assert len(steps) == 1


def test_and_before_a_test(root, tmp_path):
    cfg = config(root)
    torch.manual_seed(0)
    model = narrow.build(generator=BY_LABEL, frozen=[], discriminators={}, phases=PHASES)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "model.pth")
    with pytest.raises(ConfigError, match="the data have 4 labels"):
        run_test(cfg, tmp_path / "model.pth", out=tmp_path / "four")
    result = run_test(config(root, labels=["a", "b"]), tmp_path / "model.pth", out=tmp_path / "two")
    assert result["generated"] == 2


def test_a_class_that_means_something_else_is_refused_where_labels_are_read():
    by_label = narrow.build(generator=BY_LABEL, frozen=[], discriminators={}, phases={})
    with pytest.raises(ConfigError, match="class 1 is 'c' in the data and 'b' in the model, which reads classes"):
        check_data_labels(by_label, ["a", "c"])
    check_data_labels(by_label, ["a", "b"])
    check_data_labels(by_label, [])
    check_data_labels(narrow.build(), ["x", "y"])  # DTGAN does not read them
    telling = narrow.build(discriminators=dict(frame=narrow.discriminator(classify=True)), phases={})
    with pytest.raises(ConfigError, match="class 0 is 'x' in the data"):
        check_data_labels(telling, ["x"])
    check_data_labels(SimpleNamespace(), ["x", "y"])
    check_data_labels(SimpleNamespace(labels=[]), ["x", "y"])
