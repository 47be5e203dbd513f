"""What a test holds does not grow with the number of its videos: neither tensors nor arrays."""

import gc
import tracemalloc

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from narrow import SIZE, gan_config

from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import PackClip, ReadFrames, Resample
from i2vkit.evaluation import run as testing
from i2vkit.evaluation.metrics import MotionAccuracy, Mse, Psnr, PsnrPerBatch, Ssim
from i2vkit.media import write_image
from i2vkit.registry import MODELS

FRAMES, FEW, MANY = 4, 8, 24
VIDEO = 3 * FRAMES * SIZE * SIZE  # bytes


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("clips"), np.random.default_rng(0)
    for person in range(MANY):
        for t in range(FRAMES):
            frame = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
            write_image(folder / f"P{person:02d}/a/clip/{t:03d}.png", frame)
    return folder


class Held(Hook):
    """Bytes of tensors and of arrays that are held after the last batch."""

    def before_test(self, runner):
        """From here on arrays are counted."""
        tracemalloc.start()

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """The last batch counts alone, so that all that was kept before is seen."""
        if batch_idx + 1 < len(runner.test_dataloader):
            return
        del data_batch, outputs
        gc.collect()
        storages = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in tensors()}
        arrays = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)])
        tracemalloc.stop()
        self.tensors, self.arrays = sum(storages.values()), sum(trace.size for trace in arrays.traces)


def tensors() -> list[torch.Tensor]:
    """Tensors with memory of their own; those of other tests that only stand for some (fake, meta) have none."""
    kinds = (torch.Tensor, torch.nn.Parameter)
    return [x for x in gc.get_objects() if type(x) in kinds and x.layout is torch.strided and x.device.type != "meta"]


def held(root, number, folder, monkeypatch) -> Held:
    """What a test of ``number`` videos holds."""
    dataset = dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root=str(root)),
        people=[f"P{person:02d}" for person in range(number)],
        pipeline=dict(window=dict(type=Resample, length=FRAMES), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
    )
    loader = dict(batch_size=8, num_workers=0, dataset=dataset, sampler=dict(type=PositionSampler, ordered=True))
    kinds = (Ssim, Psnr, Mse, MotionAccuracy)
    evaluators = {kind.__name__: dict(type=kind) for kind in kinds}
    evaluators |= dict(psnr_per_batch=dict(type=PsnrPerBatch, batch_size=8))
    cfg = Config(
        dict(
            model=gan_config(labels=["a"]),
            test_dataloader=loader | dict(collate_fn=dict(type="collate_clips")),
            test_evaluator=evaluators,
        )
    )
    model = MODELS.build(cfg.model)
    torch.save({"state_dict": model.state_dict()}, folder / "model.pth")
    del model
    hook, build = Held(), testing.build_runner
    with monkeypatch.context() as patch:
        patch.setattr(
            testing,
            "build_runner",
            lambda cfg, model, dataset, work_dir, hooks, *others: build(
                cfg, model, dataset, work_dir, [*hooks, hook], *others
            ),
        )
        result = testing.test(cfg, folder / "model.pth", out=folder / "out")
    assert result["generated"] == result["scored"] == number
    return hook


def test_what_is_held_does_not_grow_with_the_videos(root, tmp_path, monkeypatch):
    few, many = (held(root, number, tmp_path, monkeypatch) for number in (FEW, MANY))
    assert few.tensors > 0 and abs(many.tensors - few.tensors) < VIDEO
    assert many.arrays - few.arrays < VIDEO


def test_clips_that_are_kept_would_be_seen(root, tmp_path, monkeypatch):
    monkeypatch.setattr(testing, "uncached_data_options", lambda cfg: {"cache": "memory"})
    few, many = (held(root, number, tmp_path, monkeypatch) for number in (FEW, MANY))
    assert many.arrays - few.arrays >= (MANY - FEW) * VIDEO
