"""LPIPS: values against a plain reference and against torchmetrics, with random weights; files checked and missing."""

import hashlib

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchmetrics.functional.image.lpips import _LPIPS
from torchvision import models

from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.evaluation.metrics import DiversityLpips, Lpips, load_lpips, lpips
from i2vkit.evaluation.metrics.lpips import BACKBONES, CHANNELS, LINEARS, STAGES
from i2vkit.structures import VideoSample
from i2vkit.utils.weight_files import FOLDER, MissingWeightsError

SIZE = 36


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Random weights as files, the arguments that name them, and the state dicts."""
    folder, made = tmp_path_factory.mktemp("lpips"), {}
    for number, (name, build) in enumerate((("alex", models.alexnet), ("vgg", models.vgg16))):
        torch.manual_seed(number)
        # Without the classifier's many weights; one of them stands for those that a real file has.
        with torch.device("meta"):
            layers = build(weights=None).features
        layers = layers.to_empty(device="cpu")
        for layer in layers:
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(layer.weight)
                torch.nn.init.normal_(layer.bias, std=0.1)
        whole = {f"features.{key}": value for key, value in layers.state_dict().items()}
        whole["classifier.6.bias"] = torch.zeros(1000)
        linear = {f"lin{n}.model.1.weight": torch.rand(1, c, 1, 1) for n, c in enumerate(CHANNELS[name])}
        paths = (folder / f"{name}_backbone.pth", folder / f"{name}_linear.pth")
        for path, weights in zip(paths, (whole, linear), strict=True):
            torch.save(weights, path)
        named = dict(zip(("backbone_path", "linear_path"), map(str, paths), strict=True))
        hashes = dict(zip(("backbone_sha256", "linear_sha256"), map(digest, paths), strict=True))
        made[name] = (dict(backbone=name, **named, **hashes), whole, linear)
    return made


def videos(t=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 3, t, SIZE, SIZE)
    return [(torch.rand(shape, generator=generator) * 255).to(torch.uint8) for _ in range(2)]


def scaled(video):
    return video.float() / 127.5 - 1


def plain(frame, other, whole, linear):
    """LPIPS with AlexNet of two frames (3, H, W), written out layer by layer (Zhang et al., eq. 1)."""

    def look(x):
        shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
        x, made = ((x - shift[:, None, None]) / scale[:, None, None])[None], []
        convolutions = ((0, 4, 2, False), (3, 1, 2, True), (6, 1, 1, True), (8, 1, 1, False), (10, 1, 1, False))
        for index, stride, padding, pooled in convolutions:
            x = functional.max_pool2d(x, 3, 2) if pooled else x
            weight, bias = (whole[f"features.{index}.{kind}"] for kind in ("weight", "bias"))
            x = functional.conv2d(x, weight, bias, stride, padding).clamp(min=0)
            made.append(x[0])
        return made

    total = 0.0
    for number, (a, b) in enumerate(zip(look(frame), look(other), strict=True)):
        weights, layer = linear[f"lin{number}.model.1.weight"].flatten(), 0.0
        for y in range(a.shape[1]):
            for x in range(a.shape[2]):
                lengths = [value[:, y, x].square().sum().sqrt() + 1e-10 for value in (a, b)]
                difference = a[:, y, x] / lengths[0] - b[:, y, x] / lengths[1]
                layer += (weights * difference.square()).sum().item()
        total += layer / (a.shape[1] * a.shape[2])
    return total


def test_values_agree_with_a_plain_reference(files):
    arguments, whole, linear = files["alex"]
    network, hashes = load_lpips(**arguments)
    video, truth = map(scaled, videos(t=2))
    expected = [[plain(video[n, :, t], truth[n, :, t], whole, linear) for t in range(2)] for n in range(2)]
    torch.testing.assert_close(lpips(video, truth, network), torch.tensor(expected), rtol=1e-4, atol=1e-6)
    assert hashes == {"alex_backbone.pth": arguments["backbone_sha256"], "alex_linear.pth": arguments["linear_sha256"]}


@pytest.mark.parametrize("name", ["alex", "vgg"])
def test_values_agree_with_torchmetrics(files, name):
    arguments, whole, linear = files[name]
    network, _ = load_lpips(**arguments)
    other = _LPIPS(pretrained=False, pnet_rand=True, net=name, use_dropout=True)
    other.load_state_dict(linear, strict=False)
    slices = [getattr(other.net, f"slice{number}") for number in range(1, 6)]
    state = {f"features.{key}": value for part in slices for key, value in part.state_dict().items()}
    for key, value in state.items():
        value.copy_(whole[key])
    video, truth = map(scaled, videos(t=2))
    frames, others = (x.transpose(1, 2).flatten(0, 1) for x in (video, truth))
    with torch.no_grad():
        expected = other(frames, others).flatten()
    torch.testing.assert_close(lpips(video, truth, network).flatten(), expected, rtol=1e-4, atol=1e-6)


def test_equal_frames_are_at_distance_zero_and_order_does_not_matter(files):
    network, _ = load_lpips(**files["alex"][0])
    video, truth = map(scaled, videos())
    assert lpips(video, video, network).abs().max() == 0
    torch.testing.assert_close(lpips(video, truth, network), lpips(truth, video, network))
    assert (lpips(video, truth, network) > 0).all()
    assert not lpips(video, truth, network).requires_grad  # nobody trains it, so no graph takes memory


def test_range_shape_and_size_are_checked(files):
    network, _ = load_lpips(**files["alex"][0])
    video, truth = videos()
    with pytest.raises(ValueError, match=r"values in \[-1, 1\], got 0 to 25"):
        lpips(video.float(), truth.float(), network)
    with pytest.raises(ValueError, match="one shape"):
        lpips(scaled(video), scaled(truth)[:1], network)
    with pytest.raises(ValueError, match="31 x 31 pixels or more"):
        small = torch.zeros(1, 3, 2, 30, 40)
        lpips(small, small, network)
    least = torch.zeros(1, 3, 1, 31, 31)
    assert lpips(least, least, network).item() == 0


def test_the_metric_scores_as_the_function_and_less_is_better(files):
    metric = Lpips(**files["alex"][0])
    video, truth = videos(t=4)
    sample = VideoSample(metainfo={"name": "clip"})
    sample.generated, sample.truth, sample.image = video[0], truth[0], truth[0][:, 0]
    metric.process(None, [sample])
    result = metric.evaluate(1)
    network, hashes = load_lpips(**files["alex"][0])
    score = lpips(scaled(video[:1]), scaled(truth[:1]), network)[0, 1:].mean().item()
    still = truth[:1, :, :1].expand(-1, -1, 4, -1, -1)
    static_baseline = lpips(scaled(still), scaled(truth[:1]), network)[0, 1:].mean().item()
    assert result == pytest.approx(
        {"lpips": score, "lpips_static_baseline": static_baseline, "lpips_improvement": static_baseline - score},
        rel=1e-4,
    )
    assert metric.extractor == hashes and metric.skipped is None


@pytest.mark.parametrize("metric", [Lpips, DiversityLpips])
def test_without_weights_the_run_goes_on_and_says_what_to_fetch(tmp_path, metric):
    path = tmp_path / "alexnet-owt-7be5be79.pth"
    left_out = metric(backbone_path=str(path))
    assert str(path) in left_out.skipped
    assert "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth" in left_out.skipped
    assert "its SHA-256 begins with 7be5be79" in left_out.skipped
    sample = VideoSample(metainfo={"name": "clip"})
    sample.generated = videos()[0][0]
    left_out.process(None, [sample])
    assert left_out.evaluate(1) == {}


def test_files_have_places_of_their_own(tmp_path, monkeypatch, files):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingWeightsError, match=str(tmp_path / FOLDER / "vgg16-397923af.pth")):
        BACKBONES["vgg"].find()
    # torchmetrics carries the linear layers, and they are those whose hashes are known.
    for name, file in LINEARS.items():
        linear = torch.load(file.find(), map_location="cpu", weights_only=True)
        assert [value.numel() for value in linear.values()] == list(CHANNELS[name])
        assert min(value.min().item() for value in linear.values()) >= 0
    arguments = {key: value for key, value in files["alex"][0].items() if key.startswith("backbone")}
    network, hashes = load_lpips(**arguments)
    assert "alex.pth" in hashes and not torch.equal(network.linear[0], torch.ones(64))


def test_a_wrong_file_is_refused(files, tmp_path):
    arguments, whole, linear = files["alex"]
    path = tmp_path / "alexnet-owt-7be5be79.pth"
    torch.save(whole, path)
    with pytest.raises(CheckpointError, match=f"SHA-256 of .* is {digest(path)}, expected 7be5be79"):
        Lpips(backbone_path=str(path))
    for key, weights, missing in (
        (
            "backbone",
            {k: v for k, v in whole.items() if k != "features.3.bias"},
            "weights of the backbone 'alex': .*3.bias",
        ),
        ("linear", {k: v for k, v in linear.items() if not k.startswith("lin2")}, "layers of LPIPS for 'alex': .*2"),
        ("linear", files["vgg"][2], "size mismatch"),
    ):
        torch.save(weights, path)
        changed = arguments | {f"{key}_path": str(path), f"{key}_sha256": digest(path)}
        with pytest.raises(CheckpointError, match=missing):
            load_lpips(**changed)
    with pytest.raises(ConfigError, match="backbone is 'squeeze', but takes 'alex' or 'vgg'"):
        Lpips(backbone="squeeze")


def test_diversity_is_the_mean_over_all_pairs(files):
    """Twice the variance of features is the mean of all 10 comparisons of 5 samples."""
    metric = DiversityLpips(**files["alex"][0])
    network, _ = load_lpips(**files["alex"][0])
    samples = torch.cat([videos(t=4, seed=seed)[0] for seed in range(3)])[:5]
    for seed, video in enumerate(samples):
        sample = VideoSample(metainfo={"name": "clip", "seed": seed})
        sample.generated = video
        metric.process(None, [sample])
    pairs = [
        lpips(scaled(samples[i : i + 1]), scaled(samples[j : j + 1]), network)[0, 1:].mean().item()
        for i in range(5)
        for j in range(i)
    ]
    assert metric.evaluate(5) == {"diversity_lpips": pytest.approx(sum(pairs) / 10, rel=1e-4)}
    assert metric.per_image == [{"name": "clip", "diversity_lpips": pytest.approx(sum(pairs) / 10, rel=1e-4)}]
    for seed in range(3):
        sample = VideoSample(metainfo={"name": "same", "seed": seed})
        sample.generated = samples[0]
        metric.process(None, [sample])
    assert metric.evaluate(3) == {"diversity_lpips": 0.0}


def test_channels_are_those_of_the_networks():
    with torch.device("meta"):  # without their weights
        networks = {"alex": models.alexnet(weights=None), "vgg": models.vgg16(weights=None)}
    for name, network in networks.items():
        widths = [layer.out_channels if isinstance(layer, nn.Conv2d) else None for layer in network.features]
        found = [next(width for width in widths[end - 1 :: -1] if width) for end in STAGES[name]]
        assert found == list(CHANNELS[name])
        assert all(isinstance(network.features[end - 1], nn.ReLU) for end in STAGES[name])
