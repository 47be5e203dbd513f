import hashlib
from itertools import pairwise

import narrow
import pytest
import timm
import torch
from tiny import tiny_config
from torch.utils.data import Dataset

from i2vkit.apis.train import prepare, train
from i2vkit.config.loading import load_config
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.hooks import GeneratorEMAHook
from i2vkit.engine.work_dirs import latest_checkpoint
from i2vkit.errors import CheckpointError
from i2vkit.models.discriminators import DiffAugment
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss, FrameL1Loss
from i2vkit.registry import DATASETS
from i2vkit.structures import VideoSample


def flat(value):
    """Everything in a nested structure, in order."""
    if isinstance(value, dict):
        return [item for key in value for item in (key, *flat(value[key]))]
    if isinstance(value, list | tuple):
        return [item for part in value for item in flat(part)]
    return [value]


def assert_same_bits(one, other):
    one, other = flat(one), flat(other)
    assert len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        assert torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right


@DATASETS.register_module()
class MovingPictures(Dataset):
    """Clips of noise drawn from the position."""

    def __len__(self):
        return 5

    def __getitem__(self, key):
        rng = torch.Generator().manual_seed(key[1])
        driving = torch.randint(0, 256, (3, 4, 32, 32), dtype=torch.uint8, generator=rng)
        inputs = dict(driving=driving, label=torch.tensor(key[0] % 3), num_frames=torch.tensor(4))
        return dict(inputs=inputs, data_samples=VideoSample())


def gan_config(folder, iterations, workers):
    """The narrow DTGAN: batch norm, dropout, a frozen encoder, two discriminators."""
    cfg = tiny_config(folder, iterations, workers, model=narrow.gan_config())
    cfg.train_dataloader.dataset = dict(type=MovingPictures)
    return cfg


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A work dir with checkpoints 1 and 2 of one run."""
    folder = tmp_path_factory.mktemp("straight")
    train(gan_config(folder, 2, 0))
    return folder


@pytest.mark.parametrize("workers", [0, 2])
def test_resumed_training_is_the_straight_one_bit_by_bit(straight, tmp_path, workers):
    train(gan_config(tmp_path, 2, workers), resume=straight / "iter_1.pth")
    straight, resumed = (load_checkpoint_file(folder / "iter_2.pth") for folder in (straight, tmp_path))
    for part in ("state_dict", "optimizer"):
        assert_same_bits(straight[part], resumed[part])


def late_config(folder, iterations):
    """A recipe in small: a discriminator that trains from iteration 2 and counts from 4 on, a few frames, an
    average.
    """
    model = narrow.gan_config(
        discriminators=dict(frame=narrow.discriminator()),
        decoded_frames=2,
        phases=dict(
            discriminators=dict(
                updates=["discriminators.frame"],
                losses=dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame")),
                begin=2,
            ),
            generator=dict(
                updates=["generator"],
                losses=dict(
                    frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", weight=[(3, 0.0), (4, 0.3)]),
                    frame_l1=dict(type=FrameL1Loss, weight=100.0),
                ),
            ),
        ),
    )
    cfg = tiny_config(folder, iterations, model=model)
    cfg.train_dataloader.dataset = dict(type=MovingPictures)
    cfg.default_hooks.checkpoint.max_keep_ckpts = 9
    cfg.custom_hooks.ema = dict(type=GeneratorEMAHook, momentum=0.25)
    cfg.param_scheduler = dict(
        decay=dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=1, end=5, by_epoch=False)
    )
    return cfg


def saved(folder, number):
    return load_checkpoint_file(folder / f"iter_{number}.pth")


def test_a_discriminator_joins_late_by_schedule_and_a_resumed_run_is_the_straight_one(tmp_path):
    train(late_config(tmp_path / "straight", 6))
    name = "discriminators.frame.network.blocks.0.0.weight"
    weights = [saved(tmp_path / "straight", number)["state_dict"][name] for number in range(1, 7)]
    # Iterations are counted from 0, so that the third one is the discriminator's first.
    assert [not torch.equal(*pair) for pair in pairwise(weights)] == [False, True, True, True, True]
    end = saved(tmp_path / "straight", 6)
    for start in (1, 3):  # before the discriminator trains, and before it counts
        train(late_config(tmp_path / f"from_{start}", 6), resume=tmp_path / f"straight/iter_{start}.pth")
        resumed = saved(tmp_path / f"from_{start}", 6)
        for part in ("state_dict", "ema_state_dict", "optimizer"):
            assert_same_bits(end[part], resumed[part])


def test_the_generator_feels_a_discriminator_from_the_iteration_of_its_schedule_on(tmp_path):
    """Up to there the run is bit by bit that of a config without the adversarial term."""
    plain = late_config(tmp_path / "plain", 6)
    del plain.model.phases.generator.losses.frame_adversarial
    train(late_config(tmp_path / "late", 6))
    train(plain)
    name = "generator.decoder.embedder.linear.weight"
    runs = [[saved(tmp_path / run, number)["state_dict"][name] for number in range(1, 7)] for run in ("late", "plain")]
    assert [torch.equal(*pair) for pair in zip(*runs, strict=True)] == [True] * 4 + [False] * 2


def test_resumed_training_through_frozen_features_is_the_straight_one(tmp_path):
    """No checkpoint holds the features of a projected discriminator: they are read from their own file again."""
    torch.manual_seed(3)
    weights = tmp_path / "features.pth"
    torch.save(timm.create_model("test_byobnet").state_dict(), weights)
    own = dict(pretrained=True, weights=str(weights), sha256=hashlib.sha256(weights.read_bytes()).hexdigest())

    def config(folder):
        cfg = gan_config(tmp_path / folder, 2, 0)
        frame = narrow.discriminator(
            "ProjectedFrameDiscriminator", "RandomFrames", "HingeLoss", augment=dict(type=DiffAugment)
        )
        frame["network"] = {**frame["network"], **own}
        cfg.model.discriminators["frame"] = frame
        return cfg

    train(config("straight"))
    train(config("resumed"), resume=tmp_path / "straight/iter_1.pth")
    straight, resumed = (load_checkpoint_file(tmp_path / folder / "iter_2.pth") for folder in ("straight", "resumed"))
    for part in ("state_dict", "optimizer"):
        assert_same_bits(straight[part], resumed[part])
    held = [name for name in straight["state_dict"] if ".features." in name]
    assert held == ["discriminators.frame.network.features._extra_state"]


def test_resumed_data_are_read_once_and_none_in_vain(tmp_path):
    train(tiny_config(tmp_path, 3))
    runner = train(tiny_config(tmp_path, 6), resume=True)
    assert runner.train_dataloader.dataset.read == list(range(6, 12))


def test_random_states_differ_between_seeds_and_iterations(tmp_path):
    weights = [
        train(tiny_config(tmp_path / name, 2), seed=seed).model.state_dict()
        for name, seed in (("one", 1), ("again", 1), ("two", 2))
    ]
    assert_same_bits(weights[0], weights[1])
    assert not torch.equal(weights[0]["generator.0.weight"], weights[2]["generator.0.weight"])


def test_latest_checkpoint_survives_a_cut_note_and_a_moved_folder(tmp_path):
    train(tiny_config(tmp_path / "a", 3))
    moved = (tmp_path / "a").rename(tmp_path / "b")
    assert latest_checkpoint(moved) == moved / "iter_3.pth"
    (moved / "last_checkpoint").write_text("")
    assert latest_checkpoint(moved) == moved / "iter_3.pth"


def test_two_trainings_within_a_second_have_logs_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr("mmengine.runner.runner.time.strftime", lambda *_: "20260101_000000")
    runners = [train(tiny_config(tmp_path / name, 1)) for name in ("one", "two")]
    assert runners[0].logger is not runners[1].logger
    for name in ("one", "two"):
        assert (tmp_path / name / "20260101_000000" / "20260101_000000.log").stat().st_size


def test_a_config_can_ask_to_resume_too(tmp_path):
    train(tiny_config(tmp_path, 2))
    cfg = prepare(tiny_config(tmp_path, 4, resume=True))
    assert cfg.load_from == str(tmp_path / "iter_2.pth")
    assert prepare(tiny_config(tmp_path / "other", 4), resume=tmp_path).load_from == str(tmp_path / "iter_2.pth")
    with pytest.raises(CheckpointError, match="nothing to resume"):
        prepare(tiny_config(tmp_path / "other", 4), resume=True)


def test_mixed_precision_is_the_models(tmp_path):
    assert prepare(tiny_config(tmp_path, 1), precision="bf16").model.precision == "bf16"
    cfg = prepare(tiny_config(tmp_path, 1), seed=3, deterministic=True)
    assert cfg.randomness == {"seed": 3, "deterministic": True}
    assert "precision" not in cfg.model


def test_algorithms_are_tried_out_unless_a_training_is_to_be_deterministic(tmp_path):
    cfg = load_config("dtgan_weizmann")
    assert prepare(cfg, tmp_path).env_cfg.cudnn_benchmark is True
    assert prepare(cfg, tmp_path, deterministic=True).env_cfg.cudnn_benchmark is False
    asked = load_config("dtgan_weizmann", {"randomness.deterministic": True})
    assert prepare(asked, tmp_path).env_cfg.cudnn_benchmark is False
    assert cfg.env_cfg.cudnn_benchmark is True and asked.env_cfg.cudnn_benchmark is True  # copies were changed
