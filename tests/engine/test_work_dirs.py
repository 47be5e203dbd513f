"""A training touches its own work dir only, and a used one is not used again by accident."""

import shutil

import pytest
from mmengine.evaluator import BaseMetric
from tiny import tiny_config

from i2vkit.apis.train import train
from i2vkit.datasets.samplers import PositionSampler
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.work_dirs import check_work_dir, latest_checkpoint
from i2vkit.errors import ConfigError
from i2vkit.registry import METRICS


@METRICS.register_module()
class Scores(BaseMetric):
    """The score of the n-th validation of this process is the n-th of ``values``."""

    values: list[float] = []

    def process(self, data_batch, data_samples):
        self.results.append(1)

    def compute_metrics(self, results):
        return {"score": Scores.values.pop(0)}


def scored_config(folder, iterations, scores):
    """A training that validates after each iteration, with these scores."""
    Scores.values = list(scores)
    cfg = tiny_config(folder, iterations)
    cfg.val_dataloader = {**cfg.train_dataloader, "num_workers": 0, "persistent_workers": False}
    cfg.val_dataloader.update(dataset=dict(type="ValidatedNumbers"), sampler=dict(type=PositionSampler, ordered=True))
    cfg.val_cfg, cfg.val_evaluator = dict(type="ValLoop"), dict(score=dict(type=Scores))
    cfg.train_cfg.val_interval = 1
    cfg.model.type = "ValidatedTwoPhases"
    cfg.default_hooks.checkpoint.update(save_best="score", rule="greater", max_keep_ckpts=2)
    return cfg


def names(folder):
    return sorted(path.name for path in folder.glob("*.pth"))


def test_a_resumed_run_in_a_new_folder_leaves_the_other_folder_alone(tmp_path):
    train(scored_config(tmp_path / "one", 2, [0.5, 0.25]))
    before = {path: path.read_bytes() for path in (tmp_path / "one").glob("*.pth")}
    assert names(tmp_path / "one") == ["best_score_iter_1.pth", "iter_1.pth", "iter_2.pth"]
    # 0.25 again for the validation of the checkpoint, then better than the best of the other folder.
    train(scored_config(tmp_path / "two", 4, [0.25, 0.75, 0.5]), resume=tmp_path / "one/iter_2.pth")
    assert {path: path.read_bytes() for path in (tmp_path / "one").glob("*.pth")} == before
    assert names(tmp_path / "two") == ["best_score_iter_3.pth", "iter_3.pth", "iter_4.pth"]


def test_a_copied_work_dir_goes_on_by_itself(tmp_path):
    train(scored_config(tmp_path / "one", 2, [0.5, 0.25]))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    before = {path: path.read_bytes() for path in (tmp_path / "one").glob("*.pth")}
    assert latest_checkpoint(tmp_path / "two") == tmp_path / "two/iter_2.pth"
    train(scored_config(tmp_path / "two", 3, [0.25, 0.75]), resume=True)
    assert names(tmp_path / "two") == ["best_score_iter_3.pth", "iter_2.pth", "iter_3.pth"]
    assert {path: path.read_bytes() for path in (tmp_path / "one").glob("*.pth")} == before
    hub = load_checkpoint_file(tmp_path / "two/iter_3.pth")["message_hub"]["runtime_info"]
    assert (hub["best_ckpt"], hub["last_ckpt"]) == ("best_score_iter_3.pth", "iter_3.pth")


def test_a_note_with_a_path_of_another_folder_means_the_file_of_that_name(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for number in (4, 30):
            (tmp_path / folder / f"iter_{number}.pth").touch()
    (tmp_path / "two/last_checkpoint").write_text(str(tmp_path / "one/iter_4.pth"))
    assert latest_checkpoint(tmp_path / "two") == tmp_path / "two/iter_4.pth"
    (tmp_path / "two/iter_4.pth").unlink()
    assert latest_checkpoint(tmp_path / "two") == tmp_path / "two/iter_30.pth"


def test_a_validation_that_was_due_when_a_training_ended_is_made_up_for(tmp_path):
    class DiesError(Exception):
        pass

    cfg = scored_config(tmp_path, 3, [0.5])
    Scores.values = Values([0.5, DiesError])
    with pytest.raises(DiesError):
        train(cfg)
    assert names(tmp_path) == ["best_score_iter_1.pth", "iter_1.pth", "iter_2.pth"]
    train(scored_config(tmp_path, 3, [0.75, 0.25]), resume=True)
    assert names(tmp_path) == ["best_score_iter_2.pth", "iter_2.pth", "iter_3.pth"]
    # The checkpoint from which it went on knows of this validation now.
    hub = load_checkpoint_file(tmp_path / "iter_2.pth")["message_hub"]["runtime_info"]
    assert hub["best_ckpt"] == "best_score_iter_2.pth"


class Values(list):
    """A list whose exceptions are raised when they are taken."""

    def pop(self, index):
        value = super().pop(index)
        if not isinstance(value, float):
            raise value
        return value


def test_a_used_work_dir_is_refused_without_resume(tmp_path):
    train(tiny_config(tmp_path / "run", 1))
    before = (tmp_path / "run/iter_1.pth").read_bytes()
    with pytest.raises(ConfigError, match=r"has checkpoints of an earlier training \(iter_1.pth\).*--resume"):
        train(tiny_config(tmp_path / "run", 2), seed=9)
    assert (tmp_path / "run/iter_1.pth").read_bytes() == before
    with pytest.raises(ConfigError, match=r"has checkpoints of its own \(iter_1.pth\)"):
        check_work_dir(tmp_path / "run", tmp_path / "other/iter_4.pth")
    check_work_dir(tmp_path / "run", tmp_path / "run/iter_1.pth")
    for number in (2, 3, 4):
        (tmp_path / f"run/iter_{number}.pth").touch()
    with pytest.raises(ConfigError, match=r"training \(\.\.\., iter_2.pth, iter_3.pth, iter_4.pth\)"):
        check_work_dir(tmp_path / "run")
    check_work_dir(tmp_path / "new")
    with pytest.raises(ConfigError, match="is a file"):
        check_work_dir(tmp_path / "run/iter_1.pth")
