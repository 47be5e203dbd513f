"""Every model family on an emulated GPU: the same numbers as on the CPU, devices that fit, few waits and copies."""

import copy
from collections import Counter

import narrow
import numpy as np
import pytest
import torch
from emulated_cuda import CudaTensor, emulated_cuda
from mmengine.hooks import Hook
from narrowed import FRAMES, STEPS, at_iteration, batch_for, build, counted_step, frames_of, narrowed
from tiny import tiny_config
from torch.utils._pytree import tree_leaves
from torch.utils.data import Dataset

from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.apis.train import train
from i2vkit.config.finding import experiment_names
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.hooks import GeneratorEMAHook, IterationSeedHook
from i2vkit.engine.saving import SafeCheckpointHook
from i2vkit.errors import ConfigError
from i2vkit.models.losses import FeatureSimilarityLoss
from i2vkit.registry import DATASETS, HOOKS
from i2vkit.structures import VideoSample

NAMES = [f"{name}-{iteration}" for name, iteration in STEPS]


def tensors_of(optimizers) -> list[torch.Tensor]:
    """The states of all optimisers but the numbers of their steps, which unfused ones keep on the CPU."""
    states = [state for _, wrapper in optimizers.items() for state in wrapper.optimizer.state.values()]
    return [value for state in states for name, value in state.items() if name != "step"]


def steps(cfg, iteration: int, device: str, number: int = 2) -> tuple[list[dict[str, float]], object, object, dict]:
    """The losses of the first steps, model, optimisers and batch."""
    model, optimizers = build(cfg, device)
    at_iteration(iteration)
    data = batch_for(model, frames_of(cfg))
    losses = []
    for step in range(number):
        torch.manual_seed(step)  # emulated tensors draw from the generator of the CPU
        losses.append({name: float(value) for name, value in model.train_step(data, optimizers).items()})
    return losses, model, optimizers, data


@pytest.mark.parametrize("name, iteration", STEPS, ids=NAMES)
def test_a_training_step_waits_twice_at_most_copies_its_batch_alone_and_has_the_losses_of_the_cpu(name, iteration):
    cfg = narrowed(name)
    with emulated_cuda() as cuda:
        found, model, optimizers, data = steps(cfg, iteration, "cuda:0")
        assert all(isinstance(value, CudaTensor) for value in [*model.parameters(), *model.buffers()])
        assert tensors_of(optimizers) and all(isinstance(value, CudaTensor) for value in tensors_of(optimizers))
        cuda.counts.clear()
        log = model.train_step(data, optimizers)
        assert all(value.device.type == "cpu" for value in log.values())  # so that logging them does not wait
        assert cuda.counts.synchronisations.total() <= 2, cuda.counts
        assert cuda.counts.copies.total() == len(data["inputs"]), cuda.counts
    expected, *_ = steps(cfg, iteration, "cpu")
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-5)


def looks_through_vgg(cfg) -> bool:
    """Whether a loss asks for weights that have to be fetched."""
    losses = [loss for phase in cfg.model.phases.values() if phase for loss in phase.losses.values() if loss]
    return any(loss.type is FeatureSimilarityLoss for loss in losses)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(experiment_names()))
def test_no_config_waits_more_than_twice_a_step_or_copies_more_than_its_batch(name):
    cfg = narrowed(name)
    if looks_through_vgg(cfg):
        pytest.skip("tests/models/test_feature_loss.py has it")
    # At the end all schedules have begun; penalties of every 16th iteration are in.
    for iteration in (0, (cfg.train_cfg.max_iters - 1) // 16 * 16):
        counts, fields = counted_step(name, iteration)
        assert counts.synchronisations.total() <= 2, counts
        assert counts.copies.total() == fields, counts


@pytest.mark.parametrize("name", dict.fromkeys(name for name, _ in STEPS))
def test_validation_and_test_steps_give_on_the_cpu_what_the_cpu_gives(name):
    cfg = narrowed(name)
    model, _ = build(cfg)
    data = batch_for(model, model.generator.lengths.at_least(FRAMES) if hasattr(model, "generator") else FRAMES)
    expected = model.test_step(copy.deepcopy(data))
    with emulated_cuda():
        model.to("cuda:0")
        for step in (model.val_step, model.test_step):
            for found, sample in zip(step(copy.deepcopy(data)), expected, strict=True):
                values = {key: value for key, value in found.items() if isinstance(value, torch.Tensor)}
                assert values.keys() == {key for key, value in sample.items() if isinstance(value, torch.Tensor)}
                for key, value in values.items():
                    assert value.device.type == "cpu"
                    # A grey level, or what rounding makes of a number.
                    scale = 1 if value.dtype == torch.uint8 else 1e-3
                    assert torch.allclose(value.double(), sample.get(key).double(), atol=scale, equal_nan=True), key


def test_clips_of_different_lengths_cost_a_wait_for_every_look_at_their_true_frames_and_no_other():
    cfg = narrowed("dtgan_weizmann")
    with emulated_cuda() as cuda:
        model, optimizers = build(cfg, "cuda:0")
        data = narrow.batch(lengths=(8, 6))
        data["inputs"] = {name: data["inputs"][name] for name in ("driving", "label", "num_frames")}
        model.train_step(data, optimizers)
        cuda.counts.clear()
        model.train_step(data, optimizers)
    waits = Counter()
    for event, number in cuda.counts.synchronisations.items():
        waits[event.split(", ")[1].split(":")[0]] += number
    assert waits == {"models/training/phases.py": 2, "models/discriminators/views.py": 2}


def test_labels_are_checked_before_anything_is_copied():
    cfg = narrowed("imaginator_mug")
    with emulated_cuda() as cuda:
        model, optimizers = build(cfg, "cuda:0")
        data = batch_for(model, FRAMES)
        data["inputs"]["label"][1] = 99
        cuda.counts.clear()
        with pytest.raises(ConfigError, match="class indices"):
            model.train_step(data, optimizers)
    assert cuda.counts.copies.total() == cuda.counts.synchronisations.total() == cuda.counts.kernels == 0


@pytest.mark.parametrize(
    "name, driven, asked",
    [
        ("imaginator_mug", False, dict(label=1)),
        ("mocogan_mug", False, dict(label=0)),
        ("vgan_mug", False, {}),
        ("dtgan_weizmann", True, {}),
        ("dual_mtgan_weizmann", True, {}),
        ("dual_mtgan_weizmann", False, {}),
    ],
)
def test_one_seed_is_one_video_on_every_device(name, driven, asked, tmp_path, monkeypatch):
    # The emulated GPU is no device of this machine.
    monkeypatch.setattr("i2vkit.apis.inferencer.find_device", torch.device)
    cfg = narrowed(name)
    model, _ = build(cfg)
    with torch.no_grad():  # away from small initial values, so that motion and noise are seen
        for value in model.generator.parameters():
            value.add_(0.1 * torch.randn_like(value))
    torch.save({"state_dict": model.state_dict(), "meta": {}}, tmp_path / "model.pth")
    rng = np.random.default_rng(0)
    image = rng.integers(256, size=(narrow.SIZE, narrow.SIZE, 3), dtype=np.uint8)
    driving = rng.integers(256, size=(FRAMES, *image.shape), dtype=np.uint8) if driven else None
    asked = asked if driven else asked | dict(frames=FRAMES)
    call = dict(driving=driving, seed=3, side_by_side=False, **asked)
    expected = I2VInferencer(cfg, tmp_path / "model.pth", "cpu")(image, **call).frames
    with emulated_cuda():
        animate = I2VInferencer(cfg, tmp_path / "model.pth", "cuda:0")
        assert all(isinstance(value, CudaTensor) for value in animate.model.parameters())
        found = animate(image, **call).frames
    assert found.shape == expected.shape == (FRAMES, *image.shape)
    assert np.abs(found.astype(int) - expected).max() <= 1 and found.std() > 1


@DATASETS.register_module()
class LabelledNoise(Dataset):
    """Clips of noise drawn from the position."""

    def __len__(self):
        return 5

    def __getitem__(self, key):
        rng = torch.Generator().manual_seed(key[1])
        driving = torch.randint(0, 256, (3, 4, 32, 32), dtype=torch.uint8, generator=rng)
        return dict(inputs=dict(driving=driving, label=torch.tensor(key[0] % 3)), data_samples=VideoSample())


@HOOKS.register_module()
class WaitCounter(Hook):
    """Keeps what every iteration cost: ``seen`` has the waits of each, logging and averaging included."""

    priority = "LOWEST"
    cuda, seen = None, []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.cuda.counts.clear()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append(self.cuda.counts.synchronisations.total())


def run(folder, iterations: int, resume=False):
    """Train the narrow DTGAN with an averaged generator through a Runner."""
    hooks = dict(
        seed=dict(type=IterationSeedHook), ema=dict(type=GeneratorEMAHook, momentum=0.25), waits=dict(type=WaitCounter)
    )
    cfg = tiny_config(
        folder,
        iterations,
        model=narrow.gan_config(),
        custom_hooks=hooks,
        default_hooks=dict(checkpoint=dict(type=SafeCheckpointHook, interval=2)),
    )
    cfg.optim_wrapper.optimizer["fused"] = True
    cfg.train_dataloader.dataset = dict(type=LabelledNoise)
    with emulated_cuda() as cuda:
        WaitCounter.cuda, WaitCounter.seen = cuda, []
        return train(cfg, resume=resume)


def test_a_runner_trains_averages_saves_and_resumes_on_the_gpu(tmp_path):
    straight = run(tmp_path / "straight", 4)
    # Two a step: neither the log nor the average waits. Every second iteration saves.
    assert WaitCounter.seen[0] == WaitCounter.seen[2] == 2
    resumed = run(tmp_path / "resumed", 4, resume=tmp_path / "straight" / "iter_2.pth")
    for runner in (straight, resumed):
        ema = next(hook for hook in runner.hooks if isinstance(hook, GeneratorEMAHook))
        averaged = list(ema.ema_model.module.parameters())
        assert all(isinstance(value, CudaTensor) for value in [*runner.model.parameters(), *averaged])
        assert all(isinstance(value, CudaTensor) for value in tensors_of(runner.optim_wrapper))
        live = dict(runner.model.generator.named_parameters())
        moved = [not torch.equal(a.on_cpu, b.on_cpu) for a, b in zip(averaged, live.values(), strict=True)]
        assert any(moved)
    one, other = (load_checkpoint_file(tmp_path / name / "iter_4.pth") for name in ("straight", "resumed"))
    for part in ("state_dict", "ema_state_dict", "optimizer"):
        leaves = tree_leaves(one[part]), tree_leaves(other[part])
        assert len(leaves[0]) == len(leaves[1]) > 0
        for left, right in zip(*leaves, strict=True):
            if isinstance(left, torch.Tensor):
                assert left.device.type == "cpu" and torch.equal(left, right)
            else:
                assert left == right
