"""A test that two processes share finds and writes what one process does."""

import copy
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_rank
from narrow import NARROW, SIZE, gan_config
from processes import start_processes

from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.evaluation.embedders import NetworkEmbedder
from i2vkit.evaluation.metrics import (
    Accuracy,
    Appearance,
    ContentDistance,
    DiversityL1,
    FrechetMetric,
    LabelAccuracy,
    MotionAccuracy,
    Mse,
    PoseError,
    Psnr,
    PsnrPerBatch,
    Ssim,
)
from i2vkit.evaluation.protocols import Reconstruction, Stochastic
from i2vkit.evaluation.run import test as run_test
from i2vkit.evaluation.sharing import SharingEvaluator
from i2vkit.media import write_image
from i2vkit.registry import MODELS, VIDEO_EMBEDDERS
from i2vkit.structures import VideoSample

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="two processes would need two GPUs; with gloo, none")

FRAMES = 5
SAMPLING = dict(
    content_encoder=NARROW["ConvPyramidEncoder"],
    motion_encoder=NARROW["Conv3dEncoder"],
    motion_generator=NARROW["LstmUnroll"],
    decoder=NARROW["FrameDecoder"],
)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A model with a prior, and five clips: an odd number, of two labels."""
    root = tmp_path_factory.mktemp("clips")
    for number, name in enumerate(["P1/a", "P1/b", "P2/a", "P2/b", "P3/a"]):
        for t in range(FRAMES):
            frame = np.full((SIZE, SIZE, 3), 30 * (number + 1), dtype=np.uint8)
            frame[4 + 2 * t : 12 + 2 * t, 8 + number : 16 + number] = 230
            write_image(root / name / "clip" / f"{t}.png", frame)
    dataset = dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root=str(root)),
        pipeline=dict(
            window=dict(type=FirstFrames, length=FRAMES), read=dict(type=ReadFrames), pack=dict(type=PackClip)
        ),
    )
    model = gan_config(generator=SAMPLING, labels=[], discriminators={}, phases={}, frozen=[])
    return Config(
        dict(
            model=model,
            test_dataloader=dict(
                batch_size=2,
                num_workers=0,
                dataset=dataset,
                sampler=dict(type=PositionSampler, ordered=True),
                collate_fn=dict(type="pseudo_collate"),
            ),
            test_evaluator={kind.__name__: dict(type=kind) for kind in (Ssim, Psnr, Mse, Appearance, MotionAccuracy)}
            | dict(psnr_per_batch=dict(type=PsnrPerBatch, batch_size=3)),
            protocols=dict(
                reconstruction=dict(type=Reconstruction),
                stochastic=dict(type=Stochastic, num_samples=3, metrics=[dict(type=DiversityL1)]),
            ),
        ),
        format_python_code=False,
    )


@pytest.fixture(scope="module")
def checkpoint(config, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    with torch.no_grad():  # away from their small initial values, so that noise and motion are seen
        for value in model.generator.parameters():
            value.add_(0.3 * torch.randn_like(value))
    torch.save({"state_dict": model.state_dict(), "meta": {"iter": 40, "seed": 3}}, path)
    return path


def padded(config):
    """With mmengine's sampler, which gives one sample twice so that both processes have as many."""
    changed = copy.deepcopy(config)
    changed.test_dataloader["sampler"] = dict(type=DefaultSampler, shuffle=False)
    return changed


def single(config):
    """One sample: the second process has none."""
    changed = copy.deepcopy(config)
    changed.test_dataloader.dataset["people"] = ["P3"]
    changed["test_evaluator"] = dict(psnr=dict(type=Psnr))
    return changed


RUNS = {
    "reconstruction": (lambda config: config, dict(save_videos=True)),
    "stochastic": (lambda config: config, dict(protocol="stochastic", save_videos=True, precision="bf16")),
    "padded": (padded, dict(save_videos=True)),
    "single": (single, dict()),
}


def run_all(config, checkpoint, folder, launcher):
    return {
        name: json.loads(
            json.dumps(run_test(change(config), checkpoint, out=folder / name, launcher=launcher, **options))
        )
        for name, (change, options) in RUNS.items()
    }


@pytest.fixture(scope="module")
def folders(config, checkpoint, tmp_path_factory):
    """Results of one process and of two, and where they were written."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        told = start_processes(run_all, config, checkpoint, folder / "two", "pytorch")
        run_all(config, checkpoint, folder / "one", "none")
    assert told[0] == told[1]
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]
    return folder / "one", folder / "two", told[0]


def assert_close(one, two, where=""):
    assert type(one) is type(two), where
    if isinstance(one, dict):
        assert list(one) == list(two), where
        for key in one:
            assert_close(one[key], two[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(two), where
        for number, pair in enumerate(zip(one, two, strict=True)):
            assert_close(*pair, f"{where}.{number}")
    elif isinstance(one, float):
        assert two == pytest.approx(one, abs=1e-6, nan_ok=True), where
    else:
        assert one == two, where


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_write_what_one_writes(folders, name):
    one, two, told = folders
    results = [json.loads((folder / name / "metrics.json").read_text()) for folder in (one, two)]
    assert_close(*results)
    assert results[1] == told[name]
    assert (one / name / "samples.json").read_bytes() == (two / name / "samples.json").read_bytes()
    for kind in ("videos", "strips"):
        written = [{path.name: path.read_bytes() for path in (folder / name / kind).glob("*")} for folder in (one, two)]
        assert written[0] == written[1]
        assert bool(written[0]) == ("save_videos" in RUNS[name][1])


def test_every_sample_counts_once(folders):
    *_, told = folders
    names = [f"{name}/clip" for name in ("P1/a", "P1/b", "P2/a", "P2/b", "P3/a")]
    for name in ("reconstruction", "padded"):
        assert [row["name"] for row in told[name]["per_video"]] == names
    assert [row["name"] for row in told["stochastic"]["per_image"]] == names
    assert [row["seed"] for row in told["stochastic"]["per_video"]] == list(range(15))
    assert told["stochastic"]["precision"] == "bf16" and told["stochastic"]["scores"]["diversity_l1"] > 0
    assert told["reconstruction"]["precision"] == "fp32"
    assert len(told["single"]["per_video"]) == 1


@MODELS.register_module()
class FirstPixels(torch.nn.Module):
    """A fake embedder: the first pixel's colours of every frame."""

    def forward(self, frames):
        return frames[:, :, 0, 0]


@VIDEO_EMBEDDERS.register_module()
class MeanColours:
    """A fake embedder of videos: their mean colours."""

    name, hashes, min_frames = "mean colours", {}, 1

    def __call__(self, video):
        return video.float().mean(dim=(1, 2, 3))


def told_samples(count=7):
    """Samples that every metric can read."""
    rng = torch.Generator().manual_seed(0)
    for number in range(count):
        made = VideoSample(metainfo=dict(name=f"clip{number}", label_name="ab"[number % 2]))
        made.generated, made.truth = (torch.randint(256, (3, 4, 8, 8), generator=rng).to(torch.uint8) for _ in range(2))
        made.driving, made.image = made.truth.flip(1), made.truth[:, 0]
        made.label, made.scores = torch.tensor(number % 2), torch.rand(2, generator=rng)
        made.poses, made.true_poses, made.seen_poses = (torch.rand(4, 5, 2, generator=rng) for _ in range(3))
        yield made.to_dict()


class BrightClassifier:
    """Stands for a trained classifier: bright videos are of class a."""

    labels, hashes = ("a", "b"), {}

    def __init__(self, *_):
        pass

    def __call__(self, videos):
        return ["a" if video.float().mean() > 127.5 else "b" for video in videos]


def all_metrics():
    return [
        Accuracy(),
        PoseError(),
        LabelAccuracy("any"),
        ContentDistance(dict(type=NetworkEmbedder, network=dict(type="FirstPixels"))),
        NamedFrechet(dict(type="MeanColours")),
    ]


class NamedFrechet(FrechetMetric):
    name = "frechet"


def scores_of(indices):
    evaluator = SharingEvaluator(all_metrics(), indices)
    samples = list(told_samples())
    for index in indices:
        evaluator.process([samples[index]])
    scores = evaluator.evaluate(len(samples))
    return scores, [metric.per_video for metric in evaluator.metrics]


def shared_scores():
    """One process has samples from the middle, so that taking turns would mix up the order."""
    return scores_of([2, 3, 4] if get_rank() else [0, 1, 5, 6])


def test_all_metrics_gather_in_the_order_of_the_samples(monkeypatch):
    monkeypatch.setattr("i2vkit.evaluation.metrics.label_accuracy.LabelClassifier", BrightClassifier)
    (first, rows), (second, _) = start_processes(shared_scores)
    alone, own_rows = scores_of(range(7))
    assert first == second == alone and len(alone) >= 10
    assert rows == own_rows and [row["name"] for row in rows[0]] == [f"clip{number}" for number in range(7)]
