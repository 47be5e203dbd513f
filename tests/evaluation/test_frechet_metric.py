"""Frechet distance against closed forms, scipy and torchmetrics; video FID and FVD with small made networks."""

import hashlib
import warnings

import numpy as np
import pytest
import scipy.linalg
import torch
from torchmetrics.image.fid import _compute_fid
from torchvision.models.resnet import Bottleneck as Bottleneck2d
from torchvision.models.resnet import ResNet

from i2vkit.errors import CheckpointError, ConfigError, DataError, RangeError
from i2vkit.evaluation.embedders import I3dEmbedder, ImageFeaturesEmbedder, ResNext3d, ResNext3dEmbedder
from i2vkit.evaluation.embedders.resnext3d import scaled
from i2vkit.evaluation.frechet import frechet_distance, frechet_distance_of
from i2vkit.evaluation.metrics import ContentDistance, Fvd, VideoFid
from i2vkit.evaluation.result import format_scores
from i2vkit.structures import VideoSample

SHAPE = dict(blocks=(1, 1), width=32, cardinality=4)
NARROW = dict(SHAPE, length=4, size=32)


def gaussian(seed, size=6, rank=None):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, rank or 2 * size))
    return rng.normal(size=size), root @ root.T / root.shape[1]


def of_scipy(mean, covariance, other_mean, other):
    root = scipy.linalg.sqrtm(covariance @ other).real
    return np.square(mean - other_mean).sum() + np.trace(covariance + other - 2 * root)


def test_frechet_distance_agrees_with_scipy_and_torchmetrics():
    one, two = gaussian(0), gaussian(1)
    found = frechet_distance(*one, *two)
    assert found == pytest.approx(of_scipy(*one, *two), rel=1e-9)
    assert found == pytest.approx(_compute_fid(*(torch.from_numpy(x) for x in (*one, *two))).item(), rel=1e-9)
    assert found == pytest.approx(frechet_distance(*two, *one), rel=1e-9)


@pytest.mark.parametrize("vectors", [[[1.0, 2.0], [3.0]], [["a", "b"]], [[None, object()]]])
def test_what_is_no_table_of_numbers_is_refused(vectors):
    with pytest.raises(RangeError, match="expected numbers, as many in each row"):
        frechet_distance_of(vectors, [[1.0, 2.0], [2.0, 1.0]])


def test_frechet_distance_of_commuting_covariances():
    """One set of axes: (m1 - m2)^2 + (s1 - s2)^2 of each; also where some spreads are 0."""
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    spreads = np.array([3.0, 1, 2, 0, 0]), np.array([1.0, 1, 0, 4, 0])
    covariances = [axes @ np.diag(s**2) @ axes.T for s in spreads]
    found = frechet_distance(np.arange(5), covariances[0], np.ones(5), covariances[1])
    assert found == pytest.approx(15 + 24, rel=1e-7)  # 1 + 0 + 1 + 4 + 9, and 4 + 0 + 4 + 16 + 0


def test_frechet_distance_of_gaussians_without_full_rank():
    """Three directions of eight: an independent form, the nuclear norm of the product of two roots."""
    rng = np.random.default_rng(2)
    roots = [rng.normal(size=(8, 3)) for _ in range(2)]
    covariances = [root @ root.T for root in roots]
    expected = np.trace(sum(covariances)) - 2 * np.linalg.norm(roots[0].T @ roots[1], ord="nuc")
    zero = np.zeros(8)
    assert frechet_distance(zero, covariances[0], zero, covariances[1]) == pytest.approx(expected, rel=1e-7)
    assert frechet_distance(zero, covariances[0], zero, covariances[0]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("numbers", [(40, 50), (5, 9), (4, 200)])  # of vectors with 12 numbers: full rank and not
def test_few_vectors_and_many_take_one_value(numbers):
    rng = np.random.default_rng(3)
    one, two = (rng.normal(shift, 1 + shift, size=(n, 12)) for shift, n in enumerate(numbers))
    expected = frechet_distance(one.mean(0), np.cov(one.T), two.mean(0), np.cov(two.T))
    assert frechet_distance_of(one, two) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance_of(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance_of(one, one + 2) == pytest.approx(4 * 12, rel=1e-9)


def test_frechet_distance_refuses_what_is_no_gaussian():
    with pytest.raises(ValueError, match="do not fit"):
        frechet_distance(np.zeros(2), np.eye(3), np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance(np.zeros(2), np.eye(2), np.zeros(2), np.eye(2) * np.nan)
    with pytest.raises(ValueError, match="two or more"):
        frechet_distance_of(np.zeros((1, 3)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance_of(np.full((2, 3), np.inf), np.zeros((4, 3)))


def test_resnext_on_a_still_video_is_torchvisions_with_kernels_in_the_middle():
    """ResNeXt 32x4d of torchvision has the same layers, names and (32 * 4 = 128) width, in two dimensions."""
    flat = ResNet(Bottleneck2d, [1, 2, 1, 1], groups=32, width_per_group=4).eval()
    network = ResNext3d(blocks=(1, 2, 1, 1)).eval()
    weights = network.state_dict()
    for name, value in flat.state_dict().items():
        if name.startswith("fc."):
            continue
        if value.ndim == 4:
            inflated = torch.zeros_like(weights[name])
            inflated[:, :, inflated.shape[2] // 2] = value
            value = inflated
        if name.endswith("running_mean"):
            value = torch.randn(value.shape) * 0.1
            flat.state_dict()[name].copy_(value)
        weights[name] = value
    network.load_state_dict(weights)
    flat.fc = torch.nn.Identity()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        found, expected = network(image[:, :, None].expand(1, 3, 8, 64, 64)), flat(image)
    assert found.shape == (1, 2048)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_frames_are_averaged_where_a_network_reads_smaller_ones():
    """Fine stripes become grey. Every fourth pixel alone would show them black or white."""
    stripes = torch.tensor([254, 0, 0, 254], dtype=torch.uint8).repeat(16).expand(3, 2, 64, 64)
    grey = torch.full((3, 2, 16, 14), 127.0)
    torch.testing.assert_close(scaled(stripes, 16)[..., 1:-1], grey, rtol=0, atol=0.5)  # without the border
    embedder = ImageFeaturesEmbedder("test_byobnet", pretrained=False, size=16)
    embedder.network = lambda frames: (None, frames)  # sees the colours themselves
    assert embedder(stripes).abs().max() < 0.05


def test_resnext_101_has_the_weights_of_haras_file():
    with torch.device("meta"):
        weights = ResNext3d().state_dict()
    assert weights["conv1.weight"].shape == (64, 3, 7, 7, 7)
    assert weights["layer1.0.downsample.0.weight"].shape == (256, 64, 1, 1, 1)
    assert weights["layer3.22.conv2.weight"].shape == (512, 16, 3, 3, 3)
    assert weights["layer4.2.bn3.running_var"].shape == (2048,) and "layer4.3.bn1.weight" not in weights


def made_weights(path, seed=0):
    """As Hara's code saves: all names with ``module.``, a classifier, no counts of batches."""
    torch.manual_seed(seed)
    network = ResNext3d(**SHAPE)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.2)
    weights = {f"module.{n}": v for n, v in network.state_dict().items() if not n.endswith("num_batches_tracked")}
    weights["module.fc.weight"] = torch.zeros(400, 128)
    torch.save(dict(arch="resnext-101", epoch=7, state_dict=weights), path)
    return network.eval()


def test_a_checkpoint_of_haras_code_loads(tmp_path):
    path = tmp_path / "kinetics.pth"
    network = made_weights(path)
    embedder = ResNext3dEmbedder(str(path), **NARROW)
    video = torch.randint(0, 256, (3, 4, 32, 32), dtype=torch.uint8)
    mean = torch.tensor([114.7748, 107.7354, 99.4750]).view(1, 3, 1, 1, 1)
    expected = network(video[None].float() - mean)[0]
    assert torch.allclose(embedder(video), expected, rtol=1e-4, atol=1e-5)
    assert torch.allclose(embedder(video.repeat(1, 2, 1, 1)), expected, rtol=1e-4, atol=1e-5)  # two clips, averaged
    assert list(embedder.hashes) == ["kinetics.pth"] and embedder.name == "3D ResNeXt-8, 128"
    with pytest.raises(CheckpointError, match=r"3D ResNeXt-101.*missing there"):
        ResNext3dEmbedder(str(path))
    with pytest.raises(CheckpointError, match="SHA-256"):
        ResNext3dEmbedder(str(path), sha256="0123456789abcdef", **NARROW)


def test_without_weights_the_metrics_say_what_to_fetch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for metric, file in ((VideoFid(), "resnext-101-kinetics.pth"), (Fvd(), "i3d_torchscript.pt")):
        metric.process(None, samples(2, 10))
        assert metric.compute_metrics(metric.results) == {}
        assert f"data/extractors/{file}: fetch {file} from https://" in metric.skipped
    assert "SHA-256 is bec6519f" in Fvd().skipped
    (tmp_path / "data/extractors").mkdir(parents=True)
    (tmp_path / "data/extractors/i3d_torchscript.pt").write_bytes(b"another file")
    with pytest.raises(CheckpointError, match="expected bec6519f"):
        Fvd()


def samples(number, frames=4, size=24, seed=0, noise=0.0):
    """Still grey videos of random brightness with some texture, and the same with noise as generated."""
    rng = torch.Generator().manual_seed(seed)
    made = []
    for index in range(number):
        truth = torch.rand(3, 1, size, size, generator=rng) * 80 + 120 * torch.rand(1, generator=rng)
        truth = truth.expand(3, frames, size, size)
        sample = VideoSample(metainfo=dict(name=f"clip{index}"))
        generated = truth + noise * torch.randn(truth.shape, generator=rng)
        sample.truth = sample.driving = truth.round().to(torch.uint8)
        sample.generated = generated.clamp(0, 255).round().to(torch.uint8)
        sample.image = sample.truth[:, 0]
        made.append(sample)
    return made


@pytest.fixture(scope="module")
def fid_network(tmp_path_factory):
    path = tmp_path_factory.mktemp("fid") / "tiny.pth"
    made_weights(path)
    return dict(type=ResNext3dEmbedder, weights=str(path), **NARROW)


def value(metric, made) -> dict[str, float]:
    for sample in made:
        metric.process(None, [sample])
    return metric.evaluate(len(made))


def test_video_fid_is_the_distance_of_the_vectors(fid_network):
    metric = VideoFid(fid_network)
    made = samples(5, noise=30.0)
    found = value(metric, made)
    generated, real = (
        torch.stack([metric.embedder(sample.get(key)) for sample in made]) for key in ("generated", "truth")
    )
    assert found["video_fid"] == pytest.approx(frechet_distance_of(generated, real), rel=1e-6)
    assert found["video_fid_improvement"] == pytest.approx(found["video_fid_static_baseline"] - found["video_fid"])
    assert metric.warning.startswith("5 videos for 128 numbers each")
    assert metric.extractor["embedder"] == "3D ResNeXt-8, 128" and len(metric.extractor["tiny.pth"]) == 64


def test_video_fid_of_equal_videos_is_0_and_grows_with_noise(fid_network):
    values = [value(VideoFid(fid_network), samples(4, noise=noise))["video_fid"] for noise in (0.0, 10.0, 60.0)]
    assert values[0] == pytest.approx(0, abs=1e-6 * values[2]) and values[0] < values[1] < values[2]


def test_where_there_is_no_truth_the_driving_videos_are_the_real_ones(fid_network):
    made = samples(3, noise=20.0)
    expected = value(VideoFid(fid_network), made)
    for sample in made:
        del sample.truth
    assert value(VideoFid(fid_network), made) == expected


def test_only_vectors_are_kept(fid_network):
    metric = VideoFid(fid_network)
    metric.process(None, samples(3))
    assert [{key: x.shape for key, x in row.items()} for row in metric.results] == 3 * [
        dict.fromkeys(("generated", "real", "still"), (128,))
    ]


def test_bad_input_has_one_clear_message(fid_network):
    with pytest.raises(DataError, match="needs two or more, got 1"):
        value(VideoFid(fid_network), samples(1))
    with pytest.raises(DataError, match=r"'clip0' has frames of \(28, 28\) pixels, those before it of \(24, 24\)"):
        value(VideoFid(fid_network), samples(1) + samples(1, size=28))
    odd = samples(2)
    odd[1].generated = odd[1].generated.float()
    with pytest.raises(DataError, match=r"'clip1'.*uint8 videos.*torch\.float32"):
        value(VideoFid(fid_network), odd)
    with pytest.raises(ConfigError, match="registered as: video embedder"):
        ContentDistance(fid_network)


class Detector(torch.nn.Module):
    """I3D's arguments; its vector is the mean colour of the first half and of the second, on a scale of [-1, 1]."""

    def forward(self, x: torch.Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False):
        assert return_features and resize and x.shape[1] == 3
        if rescale:
            x = x / 127.5 - 1
        halves = x.chunk(2, dim=2)
        return torch.cat([half.mean(dim=(2, 3, 4)) for half in halves], dim=1)


@pytest.fixture(scope="module")
def fvd_network(tmp_path_factory):
    path = tmp_path_factory.mktemp("fvd") / "tiny.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Detector()).save(path)
    return dict(type=I3dEmbedder, path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_fvd_calls_a_torchscript_file_whose_hash_is_known(fvd_network, tmp_path):
    video = torch.full((3, 10, 8, 8), 255, dtype=torch.uint8)
    video[1, 5:] = 0
    assert I3dEmbedder(fvd_network["path"], fvd_network["sha256"])(video).tolist() == [1, 1, 1, 1, -1, 1]
    with pytest.raises(CheckpointError, match="expected bec6519f"):
        Fvd(dict(type=I3dEmbedder, path=fvd_network["path"]))
    made = samples(8, frames=10)
    assert value(Fvd(fvd_network), made)["fvd"] == pytest.approx(0, abs=1e-9)
    for sample in made:
        sample.generated = (sample.generated.int() + 51).clamp(max=255).to(torch.uint8)
    metric = Fvd(fvd_network)
    assert value(metric, made)["fvd"] == pytest.approx(6 * 0.4**2, rel=0.05)  # brighter by 0.4 of [-1, 1], spread alike
    assert metric.warning is None  # 8 videos, 6 numbers
    with pytest.raises(DataError, match="'clip0' has 9 frames, I3D, 400 needs 10 or more"):
        value(Fvd(fvd_network), samples(2, frames=9))
    other = tmp_path / "other.pt"
    other.write_bytes(b"text")
    with pytest.raises(CheckpointError, match="not a TorchScript file"):
        I3dEmbedder(str(other), hashlib.sha256(b"text").hexdigest())


def test_the_warning_stands_under_the_table():
    result = dict(scores={"fvd": 1.0}, intervals={}, scored=5, generated=5, protocol=dict(name="x"))
    assert format_scores(result | dict(warnings={"fvd": "5 videos"})).splitlines()[-1] == "fvd: 5 videos"
