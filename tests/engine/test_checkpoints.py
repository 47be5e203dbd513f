import pickle
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import tiny_config
from torch import nn

from i2vkit.apis.train import prepare, train
from i2vkit.engine.atomic_backend import existing
from i2vkit.engine.checkpoints import check_hash, checkpoint_file, load_checkpoint_file, load_weights
from i2vkit.engine.runner import NamedRunner
from i2vkit.engine.saving import SafeCheckpointHook, to_primitives
from i2vkit.errors import CheckpointError, ConfigError


class Planted:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A work dir after three iterations, with checkpoints 1 (gone: three are kept), ..., 4."""
    folder = tmp_path_factory.mktemp("trained")
    train(tiny_config(folder, 4))
    return folder


def test_checkpoints_load_bare_and_old_ones_go(trained):
    assert sorted(path.name for path in trained.glob("*.pth")) == ["iter_2.pth", "iter_3.pth", "iter_4.pth"]
    saved = torch.load(trained / "iter_4.pth", weights_only=True)
    assert saved["meta"]["iter"] == 4
    assert saved["message_hub"]["log_scalars"] == {}
    assert "train_cfg" in saved["meta"]["cfg"]  # kept for the reader, never run
    assert "cfg" not in load_checkpoint_file(trained / "iter_4.pth")["meta"]


@pytest.mark.parametrize("how", ["function", "resume", "load_from"])
@pytest.mark.parametrize("kind", ["torch", "pickle", "config text"])
def test_code_in_a_checkpoint_does_not_run(tmp_path, trained, how, kind):
    witness, path = tmp_path / "ran", tmp_path / "planted.pth"
    content = torch.load(trained / "iter_4.pth", weights_only=True)
    if kind == "config text":
        content["meta"]["config"] = f"from pathlib import Path\nPath({str(witness)!r}).touch()"
        torch.save(content, path)
    elif kind == "torch":
        torch.save({**content, "extra": Planted(witness)}, path)
    else:
        path.write_bytes(pickle.dumps({"state_dict": Planted(witness)}))

    def load():
        if how == "function":
            load_checkpoint_file(path)
        elif how == "resume":
            train(tiny_config(tmp_path / "run", 5), resume=path)
        else:
            train(tiny_config(tmp_path / "run", 1, load_from=str(path)))

    if kind == "config text":
        load()
    else:
        with pytest.raises(CheckpointError, match=r"refused|not a checkpoint"):
            load()
    assert not witness.exists()


def test_what_is_no_checkpoint_says_so(tmp_path, trained):
    whole = (trained / "iter_4.pth").read_bytes()
    for name, content, message in [
        ("cut.pth", whole[: len(whole) // 2], "is cut"),
        ("empty.pth", b"", "is cut"),
        ("text.pth", b"hello", "is not a checkpoint"),
        ("cut.safetensors", b"abc", "not a .safetensors file"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint_file(tmp_path / name)
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load_checkpoint_file(tmp_path / "absent.pth")


def test_weights_fit_exactly_or_not_at_all(tmp_path):
    model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    torch.save(
        {"state_dict": {f"generator.{name}": value for name, value in other.state_dict().items()}}, tmp_path / "a"
    )
    load_weights(model, tmp_path / "a", prefix="generator")
    assert torch.equal(model.weight, other.weight)
    save_file(nn.Linear(2, 3).state_dict(), tmp_path / "b.safetensors")
    load_weights(model, tmp_path / "b.safetensors")
    assert not torch.equal(model.weight, other.weight)
    before = model.weight.clone()
    for wrong, message in [
        (nn.Linear(2, 4), r"of another shape \(2\): weight \(4, 2\) instead of \(3, 2\)"),
        (nn.Linear(2, 3, bias=False), r"missing there \(1\): bias"),
        (nn.Bilinear(2, 2, 3), "another config"),
    ]:
        torch.save(wrong.state_dict(), tmp_path / "c")
        with pytest.raises(CheckpointError, match=message):
            load_weights(model, tmp_path / "c")
    for number, weights in enumerate(([torch.zeros(1)], {3: torch.zeros(1)}, None)):
        torch.save({"state_dict": weights}, tmp_path / f"unnamed{number}")
        for prefix in (None, "generator"):
            with pytest.raises(CheckpointError, match="its weights are not listed by name"):
                load_weights(model, tmp_path / f"unnamed{number}", prefix=prefix)
    assert torch.equal(model.weight, before)


@pytest.mark.parametrize("resume", [True, False])
def test_a_checkpoint_of_another_config_is_refused(tmp_path, trained, resume):
    saved = torch.load(trained / "iter_4.pth", weights_only=True)
    saved["state_dict"]["generator.9.weight"] = saved["state_dict"].pop("generator.0.weight")
    torch.save(saved, tmp_path / "other.pth")
    cfg = tiny_config(tmp_path, 5, load_from=str(tmp_path / "other.pth"), resume=resume)
    with pytest.raises(CheckpointError, match=r"another config.*generator.0.weight.*generator.9.weight"):
        train(cfg)


def test_weights_alone_cannot_be_resumed(tmp_path, trained):
    saved = torch.load(trained / "iter_4.pth", weights_only=True)
    torch.save({"state_dict": saved["state_dict"]}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="holds weights only"):
        train(tiny_config(tmp_path, 5), resume=tmp_path / "weights.pth")


def test_a_full_disk_leaves_the_checkpoints_before(tmp_path, monkeypatch):
    runner = NamedRunner.from_cfg(prepare(tiny_config(tmp_path, 3)))
    save, before = runner.save_checkpoint, {}

    def save_third_on_a_full_disk(out_dir, filename, *rest, **kwargs):
        if filename != "iter_3.pth":
            return save(out_dir, filename, *rest, **kwargs)
        before.update({path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()})
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            return save(out_dir, filename, *rest, **kwargs)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    monkeypatch.setattr(runner, "save_checkpoint", save_third_on_a_full_disk)
    with pytest.raises(CheckpointError, match=r"iter_3.pth cannot be saved: .*--resume"):
        runner.train()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert {"iter_1.pth", "iter_2.pth", "last_checkpoint"} <= before.keys()
    load_checkpoint_file(tmp_path / "iter_2.pth")


def test_free_space_is_that_of_the_folder_in_which_a_new_one_would_lie(tmp_path):
    assert existing(tmp_path / "run" / "checkpoints") == existing(tmp_path) == tmp_path


def test_one_checkpoint_is_not_enough():
    with pytest.raises(ConfigError, match="at least 2"):
        SafeCheckpointHook(max_keep_ckpts=1)


def test_plain_values():
    assert to_primitives({"a": np.float32(0.5), "b": (np.arange(2), Path("x")), 3: {None}}) == {
        "a": 0.5,
        "b": ([0, 1], "x"),
        3: {None},
    }


def test_hash(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    check_hash(tmp_path / "a", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    check_hash(tmp_path / "a", "BA7816BF")
    for wrong in ("", "ba", "00000000"):
        with pytest.raises(CheckpointError, match="SHA-256"):
            check_hash(tmp_path / "a", wrong)


def test_a_work_dir_means_its_best_checkpoint_and_else_its_newest(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        checkpoint_file(tmp_path)
    for name in ("iter_9.pth", "iter_10.pth"):
        (tmp_path / name).touch()
    assert checkpoint_file(tmp_path).name == "iter_10.pth"
    (tmp_path / "best_ssim_improvement_iter_9.pth").touch()
    assert checkpoint_file(tmp_path).name == "best_ssim_improvement_iter_9.pth"
    assert checkpoint_file(tmp_path / "iter_9.pth").name == "iter_9.pth"
    with pytest.raises(CheckpointError, match=r"there is no checkpoint .*iter_11"):
        checkpoint_file(tmp_path / "iter_11.pth")
