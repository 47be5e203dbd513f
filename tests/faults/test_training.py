"""A short training is killed, or its disk fails, at each of its interruption points, and ends all the same."""

import re
from functools import partial

import pytest
from mmengine.evaluator import BaseMetric
from tiny import Numbers, ValidatedNumbers, tiny_config

from faults.interruptions import FAILING, KILLED, chosen, every_point, run
from i2vkit.apis.train import train
from i2vkit.datasets.samplers import PositionSampler
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.hooks import GeneratorEMAHook
from i2vkit.engine.work_dirs import checkpoints_in
from i2vkit.registry import METRICS

ITERATIONS = 4


@METRICS.register_module()
class MeanOutput(BaseMetric):
    """A score that depends on the weights and grows, so that every validation finds a new best checkpoint."""

    def __init__(self):
        super().__init__(prefix="")
        self.prefix = None

    def process(self, data_batch, data_samples):
        self.results += [float(sample.abs().mean()) for sample in data_samples]

    def compute_metrics(self, results):
        return {"score": sum(results)}


def config(folder):
    """Two phases, an average, a schedule, a validation every second iteration with a best checkpoint, three kept."""
    cfg = tiny_config(folder, ITERATIONS)
    cfg.param_scheduler = dict(
        decay=dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=1, end=4, by_epoch=False)
    )
    cfg.custom_hooks.ema = dict(type=GeneratorEMAHook, momentum=0.25)
    cfg.model.type = "ValidatedTwoPhases"
    cfg.val_dataloader = dict(cfg.train_dataloader, sampler=dict(type=PositionSampler, ordered=True))
    cfg.val_dataloader["dataset"] = dict(type=ValidatedNumbers)
    cfg.val_cfg, cfg.val_evaluator = dict(type="ValLoop"), dict(score=dict(type=MeanOutput))
    cfg.train_cfg.val_interval = 2
    cfg.default_hooks.checkpoint.update(save_best="score", rule="greater", max_keep_ckpts=2)
    return cfg


def go_on(folder):
    """Train on from the newest checkpoint, or anew if there is none, as a user does."""
    train(config(folder), resume=bool(checkpoints_in(folder)))


def ends(folder):
    """Everything that a training leaves and that does not name its time: file by file, with their contents."""
    found = {}
    for path in sorted(folder.glob("*.pth")):
        content = load_checkpoint_file(path)
        for key in ("time", "experiment_name", "mmengine_version"):
            content["meta"].pop(key)
        for key in ("eta", "cfg", "experiment_name", "mmengine_version"):
            content["message_hub"]["runtime_info"].pop(key, None)
        found[path.name] = content
    found["last_checkpoint"] = (folder / "last_checkpoint").read_text()
    found["hidden"] = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
    return found


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool((one == other).all()) if hasattr(one, "all") else one == other


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The uninterrupted training: its end, and the kinds of its interruption points."""
    train(config(tmp_path_factory.mktemp("first")))  # imports here what each of the forked processes would
    folder = tmp_path_factory.mktemp("straight")
    code, kinds, error = run(partial(train, config(folder)), folder, data_of=Numbers)
    assert code == 0, error
    end = ends(folder)
    assert list(end) == ["best_score_iter_4.pth", "iter_3.pth", "iter_4.pth", "last_checkpoint", "hidden"]
    return end, kinds


def test_interruption_points_are_of_every_kind(straight):
    kinds = straight[1]
    assert len(kinds) > 150
    assert {"open", "write", "fsync", "rename", "remove", "mkdir", "sample", "hook after_train_iter"} <= set(kinds)


@every_point
def test_a_killed_training_goes_on_to_the_same_end(straight, tmp_path, every):
    end, kinds = straight
    wrong, killed = [], 0
    for number in chosen(kinds, every, ("rename", "fsync", "remove", "hook after_val_epoch")):
        folder = tmp_path / str(number)
        code, _, error = run(partial(train, config(folder)), folder, number, data_of=Numbers)
        assert code in (KILLED, 0), (number, kinds[number], error)  # the number of log lines varies by one or two
        killed += code == KILLED
        code, _, error = run(partial(go_on, folder), folder)
        if code or not same(end, ends(folder)):
            wrong.append((number, kinds[number], error))
    assert not wrong and killed >= (len(kinds) - 3 if every else 1)


@every_point
def test_a_training_whose_disk_fails_says_so_and_goes_on_to_the_same_end(straight, tmp_path, every):
    end, kinds = straight
    wrong = []
    failing = [number for number in chosen(kinds, every, ("open", "rename")) if kinds[number] in FAILING]
    for number in failing:
        folder = tmp_path / str(number)
        code, _, error = run(partial(train, config(folder)), folder, number, "fail", Numbers)
        clear = code == 0 or (error[0].endswith("Error") and "No space left on device" in error[1])
        if not clear or (code and error[0] == "OSError"):
            wrong.append((number, kinds[number], error))
            continue
        code, _, error = run(partial(go_on, folder), folder)
        if code or not same(end, ends(folder)):
            wrong.append((number, kinds[number], error))
    assert failing and not wrong


def test_a_training_whose_worker_dies_says_so_and_goes_on_to_the_same_end(straight, tmp_path):
    def dying():
        cfg = config(tmp_path)
        cfg.train_dataloader.update(num_workers=1, dataset=dict(type="DyingNumbers"))
        train(cfg)

    code, _, error = run(dying, tmp_path)
    assert code == 1 and error[0] == "TrainingError"
    assert re.search(r"a process that loads data .*num_workers.*--resume", error[1]), error[1]
    code, _, error = run(partial(go_on, tmp_path), tmp_path)
    assert code == 0, error
    assert same(straight[0], ends(tmp_path))
