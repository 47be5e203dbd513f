"""Every metric of the registry on videos whose flaws are known: each must see what it is there to see."""

import hashlib
import warnings
from itertools import pairwise

import pytest
import timm
import torch
from torch.nn.functional import interpolate
from torchvision import models

from i2vkit.evaluation.embedders import (
    I3dEmbedder,
    ImageFeaturesEmbedder,
    NetworkEmbedder,
    ResNext3d,
    ResNext3dEmbedder,
)
from i2vkit.evaluation.metrics.lpips import CHANNELS
from i2vkit.registry import METRICS, MODELS, part_names
from i2vkit.structures import VideoSample

SIZE, FRAMES, PEOPLE = 32, 10, 5
# Order of frames after the first, without a neighbour left beside its neighbour.
SHUFFLED = [0, 6, 2, 9, 4, 7, 1, 8, 5, 3]


def person(seed: int) -> torch.Tensor:
    """What someone looks like: a colour and a smooth texture (3, 64, 64) on a scale of 0 to 255."""
    rng = torch.Generator().manual_seed(seed)
    texture = interpolate(torch.rand(1, 3, 16, 16, generator=rng), (64, 64), mode="bicubic")[0]
    return (60 * torch.rand(3, 1, 1, generator=rng) + 170 * texture).clamp(0, 255)


def clip(seed: int, order=range(FRAMES), shift: int = 0) -> torch.Tensor:
    """The texture moves by a pixel a frame, faster and faster downwards: uint8 (3, T, 32, 32)."""
    looks = person(seed)
    corners = [(4 + t * t // 9, 4 + t + shift) for t in order]
    return torch.stack([looks[:, y : y + SIZE, x : x + SIZE] for y, x in corners], dim=1).round().to(torch.uint8)


def noised(video: torch.Tensor, sigma: float) -> torch.Tensor:
    noise = torch.randn(video.shape, generator=torch.Generator().manual_seed(9))
    noise[:, 0] = 0  # the first frame is given
    return (video + sigma * noise).clamp(0, 255).round().to(torch.uint8)


def blurred(video: torch.Tensor) -> torch.Tensor:
    small = interpolate(video.transpose(0, 1).float(), scale_factor=0.25, mode="bilinear", antialias=True)
    return interpolate(small, scale_factor=4, mode="bilinear").round().to(torch.uint8).transpose(0, 1)


FLAWS = {
    "none": clip,
    "shifted": lambda seed: clip(seed, shift=2),
    "noised": lambda seed: noised(clip(seed), 8),
    "noised more": lambda seed: noised(clip(seed), 32),
    "blurred": lambda seed: blurred(clip(seed)),
    "shuffled": lambda seed: clip(seed, SHUFFLED),
    "frozen": lambda seed: clip(seed, [0] * FRAMES),
    "another person": lambda seed: clip(seed + 100),
}


@MODELS.register_module()
class MeanColour(torch.nn.Module):
    """Who is seen: the mean colour of a frame, on a scale of 0 to 255."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return (frames.mean(dim=(2, 3)) + 1) * 127.5


class ColourAndChange(torch.nn.Module):
    """In place of I3D: the mean colour of a video, its contrast, and how much frames differ from the one before."""

    def forward(self, x: torch.Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False):
        assert rescale and resize and return_features
        change = (x[:, :, 1:] - x[:, :, :-1]).abs().mean(dim=(2, 3, 4))
        contrast = (x[:, :, :, :, 1:] - x[:, :, :, :, :-1]).abs().mean(dim=(2, 3, 4))
        return torch.cat([x.mean(dim=(2, 3, 4)), change, contrast], dim=1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> dict[str, dict]:
    """The networks that metrics look through, made here, by the name of the metric."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("networks")
    layers = models.alexnet(weights=None).features
    torch.save({f"features.{key}": value for key, value in layers.state_dict().items()}, folder / "alex.pth")
    linear = {f"lin{n}.model.1.weight": torch.rand(1, c, 1, 1) for n, c in enumerate(CHANNELS["alex"])}
    torch.save(linear, folder / "linear.pth")
    shape = dict(blocks=(1, 1), width=32, cardinality=4)
    torch.save(ResNext3d(**shape).state_dict(), folder / "resnext.pth")
    torch.save(timm.create_model("test_byobnet").state_dict(), folder / "byobnet.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(ColourAndChange()).save(folder / "i3d.pt")
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    resnext = dict(type=ResNext3dEmbedder, weights=str(folder / "resnext.pth"), **shape, length=FRAMES, size=SIZE)
    i3d = dict(type=I3dEmbedder, path=str(folder / "i3d.pt"), sha256=digests["i3d.pt"])
    byobnet = dict(
        type=ImageFeaturesEmbedder,
        backbone="test_byobnet",
        weights=str(folder / "byobnet.pth"),
        sha256=digests["byobnet.pth"],
        size=SIZE,
    )
    alex = dict(
        backbone_path=str(folder / "alex.pth"),
        linear_path=str(folder / "linear.pth"),
        backbone_sha256=digests["alex.pth"],
        linear_sha256=digests["linear.pth"],
    )
    colour = dict(embedder=dict(type=NetworkEmbedder, network=dict(type=MeanColour)))
    networks = dict(VideoFid=dict(embedder=resnext), Fvd=dict(embedder=i3d), ContentDistance=colour)
    networks |= dict(FrameFid=dict(embedder=byobnet))
    return networks | dict(Lpips=alex, DiversityLpips=alex)


PIXELS = ("shifted", "noised", "noised more", "blurred", "shuffled", "frozen", "another person")
# Of every metric: its score, that of a video equal to the ground truth, the flaws that make it worse, and orders of
# flaws from better to worse.
KNOWN = {
    "Ssim": ("ssim", 1.0, PIXELS, [("noised", "noised more")]),
    "Psnr": ("psnr", 100.0, PIXELS, [("noised", "noised more")]),
    "PsnrPerBatch": ("psnr_per_batch_2", 100.0, PIXELS, [("noised", "noised more")]),
    "Mse": ("mse", 0.0, PIXELS, [("noised", "noised more", "another person")]),
    "Lpips": ("lpips", 0.0, PIXELS, [("noised", "noised more")]),
    "BestOf": ("ssim_best_of_1", 1.0, PIXELS, [("noised", "noised more")]),
    "Appearance": (
        "appearance",
        1.0,
        ("noised", "blurred", "another person"),
        [("frozen", "blurred", "another person")],
    ),
    "MotionAccuracy": (
        "motion_error",
        0.0,
        PIXELS,
        [("noised", "noised more", "frozen", "shuffled"), ("shifted", "another person", "frozen")],
    ),
    "ContentDistance": ("acd_i", None, ("another person",), [("frozen", "none", "another person")]),
    "FrameFid": ("frame_fid", 0.0, ("noised", "blurred", "frozen", "another person"), [("noised", "noised more")]),
    "VideoFid": ("video_fid", 0.0, PIXELS, [("noised", "noised more")]),
    "Fvd": ("fvd", 0.0, PIXELS, [("noised", "noised more"), ("shifted", "frozen")]),
    "DiversityL1": ("diversity_l1", 0.0, (), [("none", "noised", "noised more"), ("none", "shuffled")]),
    "DiversityLpips": ("diversity_lpips", 0.0, (), [("none", "noised", "noised more"), ("none", "shuffled")]),
}
ARGUMENTS = {"PsnrPerBatch": dict(batch_size=2), "BestOf": dict(metric=dict(type="Ssim"), num_samples=1)}
MORE_IS_BETTER = {"Ssim", "Psnr", "PsnrPerBatch", "BestOf", "Appearance"}
# These do not compare videos: their own tests have known inputs.
OTHERS = {"Accuracy", "MotionChangeR2", "PoseError", "LabelAccuracy"}


def samples(flaw: str, diverse: bool) -> list[VideoSample]:
    made = []
    for seed in range(PEOPLE):
        for number, kind in enumerate(("none", flaw) if diverse else (flaw,)):
            sample = VideoSample(metainfo=dict(name=f"P{seed}", seed=number))
            sample.generated, sample.truth = FLAWS[kind](seed), clip(seed)
            sample.driving, sample.image = sample.truth, sample.truth[:, 0]
            made.append(sample)
    return made


@pytest.fixture(scope="module")
def scores(weights):
    """Scores of every metric by flaw, each computed once."""
    known: dict[tuple[str, str], dict[str, float]] = {}

    def score(kind: str, flaw: str, ending: str = "") -> float:
        if (kind, flaw) not in known:
            metric = METRICS.build(dict(type=kind, **ARGUMENTS.get(kind, {}), **weights.get(kind, {})))
            assert not getattr(metric, "skipped", None)
            metric.process(None, samples(flaw, kind.startswith("Diversity")))
            known[kind, flaw] = metric.evaluate(len(metric.results))
        return known[kind, flaw][KNOWN[kind][0] + ending]

    return score


def test_every_metric_is_known_here():
    ours = {
        name for name, part in part_names(METRICS).items() if part.__module__.startswith("i2vkit.evaluation.metrics.")
    }
    assert ours == set(KNOWN) | OTHERS


@pytest.mark.parametrize("kind", KNOWN)
def test_known_inputs_move_a_metric_as_they_should(kind, scores):
    _, best, worse, orders = KNOWN[kind]
    equal = scores(kind, "none")
    if best is not None:
        assert equal == pytest.approx(best, abs=1e-5)
    for order in (*(("none", flaw) for flaw in worse), *orders):
        found = {flaw: scores(kind, flaw) for flaw in order}
        for one, other in pairwise(found.values()):
            assert one > other if kind in MORE_IS_BETTER else one < other, found


@pytest.mark.parametrize("kind", [kind for kind, (_, _, worse, _) in KNOWN.items() if "frozen" in worse])
def test_the_truth_improves_on_its_static_baseline_and_a_still_video_does_not(kind, scores):
    assert scores(kind, "none", "_improvement") > 0
    assert scores(kind, "frozen", "_improvement") == pytest.approx(0, abs=1e-4)


def test_looks_do_not_depend_on_the_order_of_frames(scores):
    assert scores("Appearance", "shuffled") == pytest.approx(1)
    assert scores("ContentDistance", "shuffled") == pytest.approx(scores("ContentDistance", "none"), rel=1e-6)
    assert scores("ContentDistance", "frozen") == 0
    assert scores("FrameFid", "shuffled") == pytest.approx(0, abs=1e-6 * scores("FrameFid", "frozen"))


def test_motion_is_nearly_the_same_where_looks_alone_differ(scores):
    """A shift in place, and another person with the same motion: far below a video that stands still."""
    still = scores("MotionAccuracy", "frozen")
    assert (
        scores("MotionAccuracy", "shifted") < 0.2 * still and scores("MotionAccuracy", "another person") < 0.5 * still
    )
