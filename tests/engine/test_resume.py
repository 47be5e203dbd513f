import pytest
import torch
from tiny import tiny_config

from i2vkit.apis.train import train
from i2vkit.engine.checkpoints import latest_checkpoint, load_checkpoint_file


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


@pytest.mark.parametrize("workers", [0, 2])
def test_resumed_training_is_the_straight_one_bit_by_bit(tmp_path, workers):
    train(tiny_config(tmp_path / "straight", 6, workers))
    train(tiny_config(tmp_path / "resumed", 3, workers))
    runner = train(tiny_config(tmp_path / "resumed", 6, workers), resume=True)

    straight = load_checkpoint_file(tmp_path / "straight" / "iter_6.pth")
    resumed = load_checkpoint_file(tmp_path / "resumed" / "iter_6.pth")
    for part in ("state_dict", "optimizer"):
        assert_same_bits(straight[part], resumed[part])
    if not workers:  # where the reads are in this process: none in vain, none twice
        assert runner.train_dataloader.dataset.read == list(range(6, 12))


def test_random_states_differ_between_seeds_and_iterations(tmp_path):
    weights = [train(tiny_config(tmp_path / str(seed), 2), seed=seed).model.state_dict() for seed in (1, 1, 2)]
    assert_same_bits(weights[0], weights[1])
    assert not torch.equal(weights[0]["generator.0.weight"], weights[2]["generator.0.weight"])


def test_latest_checkpoint_survives_a_cut_note_and_a_moved_folder(tmp_path):
    train(tiny_config(tmp_path / "a", 3))
    moved = (tmp_path / "a").rename(tmp_path / "b")
    assert latest_checkpoint(moved) == moved / "iter_3.pth"
    (moved / "last_checkpoint").write_text("")
    assert latest_checkpoint(moved) == moved / "iter_3.pth"
