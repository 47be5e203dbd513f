import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from tiny import TwoPhases, tiny_config
from torch.utils.data import Dataset

from i2vkit.apis.train import train
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.hooks import GeneratorEMAHook, IterationSeedHook, SampleStripHook
from i2vkit.engine.saving import SafeCheckpointHook
from i2vkit.media import read_image
from i2vkit.registry import DATASETS, METRICS, MODELS
from i2vkit.structures import VideoSample


@DATASETS.register_module()
class Videos(Dataset):
    """Black videos."""

    def __len__(self):
        return 3

    def __getitem__(self, key):
        sample = VideoSample(metainfo=dict(name=f"clip {key}", driving_name=f"clip {key}"))
        sample.truth = torch.zeros(3, 4, 16, 16, dtype=torch.uint8)
        return dict(inputs=torch.zeros(4), data_samples=sample)


@MODELS.register_module()
class Painter(TwoPhases):
    """Also makes videos, all of the brightness that the generator's first weight says."""

    def val_step(self, data):
        assert not self.training
        for sample in data["data_samples"]:
            sample.generated = torch.full_like(sample.truth, 200)
            sample.weight = self.generator[0].weight.clone()
        return data["data_samples"]


@METRICS.register_module()
class RisesThenFalls(BaseMetric):
    """0, 1, 2, 1, ...: the third validation is the best; ``seen`` are the weights that were validated."""

    default_prefix = None
    scores = (0.0, 1.0, 2.0, 1.0)
    seen = []

    def process(self, data_batch, data_samples):
        self.results.append(data_samples[0])

    def compute_metrics(self, results):
        self.seen.append(results[0]["weight"])
        return dict(ssim_improvement=np.float64(self.scores[(len(self.seen) - 1) % 4]))


def config(folder, hooks, iterations=4):
    RisesThenFalls.seen.clear()
    return tiny_config(
        folder,
        iterations,
        model=dict(type=Painter),
        train_cfg=dict(type="IterBasedTrainLoop", max_iters=iterations, val_interval=1),
        val_cfg=dict(type="ValLoop"),
        val_dataloader=dict(
            batch_size=1, num_workers=0, dataset=dict(type=Videos), sampler=dict(type="DefaultSampler", shuffle=False)
        ),
        val_evaluator=dict(rises=dict(type=RisesThenFalls)),
        default_hooks=dict(
            checkpoint=dict(type=SafeCheckpointHook, interval=2, save_best="ssim_improvement", rule="greater")
        ),
        custom_hooks=dict(seed=dict(type=IterationSeedHook), **hooks),
    )


@pytest.mark.parametrize("other", [dict(seed=2), dict(iter=3), dict(rank=1)])
def test_all_random_numbers_follow_from_seed_iteration_and_process(other):
    def drawn(**changes):
        runner = SimpleNamespace(**dict(seed=1, iter=2, rank=0) | changes)
        IterationSeedHook().before_train_iter(runner, 0)
        return random.random(), np.random.random(), torch.rand(()).item()

    assert drawn() == drawn()
    assert all(one != two for one, two in zip(drawn(), drawn(**other), strict=True))


def test_samples_are_drawn_and_the_best_checkpoint_is_kept(tmp_path):
    train(config(tmp_path, dict(strips=dict(type=SampleStripHook, interval=2, num=2))))
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["0000002.png", "0000004.png"]
    picture = read_image(tmp_path / "samples" / "0000004.png")
    assert (picture == 200).all(axis=2).mean() > 0.1
    assert [path.name for path in tmp_path.glob("best_*")] == ["best_ssim_improvement_iter_3.pth"]
    assert load_checkpoint_file(tmp_path / "iter_4.pth")["message_hub"]["runtime_info"]["best_score"] == 2.0


def test_the_average_covers_the_generator_and_resumes(tmp_path):
    average = dict(ema=dict(type=GeneratorEMAHook, momentum=0.25))
    runner = train(config(tmp_path, average, iterations=3))
    ema = next(hook for hook in runner.hooks if isinstance(hook, GeneratorEMAHook))
    assert {name.split(".")[0] for name, _ in ema.ema_model.module.named_parameters()} == {"0", "2"}
    saved = load_checkpoint_file(tmp_path / "iter_3.pth")
    live, mean = runner.model.state_dict(), ema.ema_model.module.state_dict()
    assert not torch.equal(live["generator.0.weight"], mean["0.weight"])
    assert torch.equal(saved["state_dict"]["generator.0.weight"], mean["0.weight"])
    assert torch.equal(saved["ema_state_dict"]["module.0.weight"], live["generator.0.weight"])
    assert torch.equal(saved["state_dict"]["discriminators.frame.weight"], live["discriminators.frame.weight"])
    assert torch.equal(RisesThenFalls.seen[-1], mean["0.weight"])  # validated with the average

    resumed = train(config(tmp_path, average, iterations=5), resume=True)
    straight = train(config(tmp_path / "straight", average, iterations=5))
    for name, value in straight.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value)
    one, other = (load_checkpoint_file(path / "iter_5.pth") for path in (tmp_path, tmp_path / "straight"))
    assert torch.equal(one["state_dict"]["generator.2.bias"], other["state_dict"]["generator.2.bias"])
