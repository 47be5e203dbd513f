"""Weights in the released formats, with random values, against slow forward passes that read these names themselves."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional

from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.cli.main import main
from i2vkit.config.loading import load_config
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.data_preprocessor import to_uint8
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator_weights import load_generator
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch
from i2vkit.zoo.metadata import read_header
from i2vkit.zoo.released import convert_frgan, convert_imaginator
from i2vkit.zoo.released.converting import IMAGINATOR_LABELS

# Narrow networks: widths of the encoder, of the decoder, and between the two convolutions of its blocks.
WIDTHS, BETWEEN, NOISE, CODE = (4, 8, 12, 16), (20, 18, 14, 10, 6), 16, 10
OPTIONS = {
    "model.generator.content_encoder.widths": list(WIDTHS),
    "model.generator.content_encoder.code": CODE,
    "model.generator.motion_generator.noise": NOISE,
    "model.generator.decoder.widths": list(WIDTHS[::-1]),
    "model.generator.decoder.temporal_widths": list(BETWEEN),
    "model.discriminators.frame.network.widths": list(WIDTHS),
    "model.discriminators.video.network.widths": list(WIDTHS),
}


class Weights(dict):
    """Random weights under released names, in a file of DataParallel."""

    def __init__(self, seed):
        super().__init__()
        self.random = torch.Generator().manual_seed(seed)

    def layer(self, name, out_channels, in_channels, *kernel, transposed=False):
        shape = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        size = (in_channels * np.prod(kernel)) ** 0.5
        self[f"module.{name}.weight"] = torch.randn(*shape, *kernel, generator=self.random) / size
        self[f"module.{name}.bias"] = 0.1 * torch.randn(out_channels, generator=self.random)

    def norm(self, name, channels):
        for kind in ("weight", "bias", "running_mean", "running_var"):
            spread = torch.rand(channels, generator=self.random)
            self[f"module.{name}.{kind}"] = spread + 0.5 if kind in ("weight", "running_var") else spread - 0.5
        self[f"module.{name}.num_batches_tracked"] = torch.tensor(7)

    def spectral(self, name, out_channels, in_channels, *kernel):
        """A layer with torch's older spectral norm, whose vectors have converged."""
        self.layer(name, out_channels, in_channels, *kernel)
        weight = self.pop(f"module.{name}.weight")
        u, _, v = torch.linalg.svd(weight.flatten(1), full_matrices=False)
        self[f"module.{name}.weight_orig"] = weight
        self[f"module.{name}.weight_u"], self[f"module.{name}.weight_v"] = u[:, 0], v[0]

    def get_layer(self, name):
        return self[f"module.{name}.weight"], self[f"module.{name}.bias"]

    def through_norm(self, x, name):
        mean, variance, weight, bias = (
            self[f"module.{name}.{kind}"] for kind in ("running_mean", "running_var", "weight", "bias")
        )
        shape = (1, -1, *[1] * (x.dim() - 2))
        scaled = (x - mean.view(shape)) / (variance.view(shape) + 1e-5).sqrt()
        return scaled * weight.view(shape) + bias.view(shape)


def imaginator_generator():
    weights = Weights(0)
    for i, (before, width) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False), start=1):
        weights.layer(f"enc.b{i}.0", width, before, 4, 4)
        weights.norm(f"enc.b{i}.1", width)
    weights.layer("enc.b5.0", CODE, WIDTHS[-1], 4, 4)
    inputs = [NOISE + 6 + CODE, *(2 * width + 6 for width in WIDTHS[::-1])]
    names = ["block1", "block2", "block3", "block4", "to_rgb"]
    for i, name in enumerate(names):
        made = (*WIDTHS[::-1], 3)[i]
        weights.layer(f"dec.{name}.conv.0", BETWEEN[i], inputs[i], 4 if i else 2, 1, 1, transposed=True)
        weights.norm(f"dec.{name}.conv.1", BETWEEN[i])
        weights.layer(f"dec.{name}.conv.3", made, BETWEEN[i], 1, 4, 4, transposed=True)
        if i < 4:
            weights.norm(f"dec.{name}.conv.4", made)
    return weights


def released_imaginator(weights, image, noise, label):
    """The released generator's video of images (N, 3, H, W), noise (N, Z) and one-hot labels (N, 6) of its order."""
    skips, x = [], image
    for i in range(1, 5):
        x = functional.conv2d(x, *weights.get_layer(f"enc.b{i}.0"), stride=2, padding=1)
        x = functional.leaky_relu(weights.through_norm(x, f"enc.b{i}.1"), 0.2)
        skips.append(x)
    code = functional.conv2d(x, *weights.get_layer("enc.b5.0"))[:, :, 0, 0]
    x = torch.cat([noise, label, code], dim=1)[:, :, None, None, None]
    for i, name in enumerate(("block1", "block2", "block3", "block4", "to_rgb")):
        stride, pad = (2, 1) if i else (1, 0)
        x = functional.conv_transpose3d(
            x, *weights.get_layer(f"dec.{name}.conv.0"), stride=(stride, 1, 1), padding=(pad, 0, 0)
        )
        x = functional.leaky_relu(weights.through_norm(x, f"dec.{name}.conv.1"), 0.2)
        x = functional.conv_transpose3d(
            x, *weights.get_layer(f"dec.{name}.conv.3"), stride=(1, stride, stride), padding=(0, pad, pad)
        )
        if i < 4:
            x = functional.leaky_relu(weights.through_norm(x, f"dec.{name}.conv.4"), 0.2)
            still = skips[3 - i][:, :, None].expand(-1, -1, x.shape[2], -1, -1)
            maps = label[:, :, None, None, None].expand(-1, -1, *x.shape[2:])
            x = torch.cat([x, still, maps], dim=1)
    return x.tanh()


@pytest.fixture(scope="module")
def imaginator(tmp_path_factory):
    """The file of a generator, its weights, and a picture."""
    folder = tmp_path_factory.mktemp("imaginator")
    weights = imaginator_generator()
    torch.save(dict(weights), folder / "mug.pth")
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    return folder / "mug.pth", weights, picture


@pytest.mark.parametrize("labels", [sorted(IMAGINATOR_LABELS), IMAGINATOR_LABELS[::-1], IMAGINATOR_LABELS])
def test_a_converted_imaginator_answers_to_names(imaginator, labels, tmp_path, monkeypatch):
    """Every label by its name, to one grey level, whatever the order of the config's labels."""
    file, weights, picture = imaginator
    cfg = load_config("imaginator_mug_released_code", OPTIONS | {"model.labels": list(labels)})
    convert_imaginator(cfg, file, tmp_path / "mug.safetensors")
    animate = I2VInferencer.from_pretrained(tmp_path / "mug.safetensors", device="cpu")
    assert animate.labels == list(labels)
    noise = torch.randn(1, NOISE, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(GenerationState, "normal", lambda *arguments: noise)
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
    videos = []
    for number, label in enumerate(IMAGINATOR_LABELS):
        expected = released_imaginator(weights, image, noise, torch.eye(6)[None, number])
        found = torch.from_numpy(np.stack(animate(picture, label=label).frames)).permute(3, 0, 1, 2)
        assert (found.int() - to_uint8(expected)[0].int()).abs().max() <= 1
        videos.append(found)
    # The labels differ in far more than a grey level, so that no two of them could be exchanged.
    differences = [(one.int() - other.int()).abs().max() for i, one in enumerate(videos) for other in videos[:i]]
    assert min(differences) > 10


def test_the_command_writes_a_checkpoint_with_its_origin(imaginator, tmp_path, capsys):
    file, _, _ = imaginator
    options = [f"{key}={str(value).replace(' ', '')}" for key, value in OPTIONS.items()]
    main(["convert", "imaginator", str(file), "--out", str(tmp_path / "mug.pth"), "--cfg-options", *options])
    assert "imaginator_mug_released_code from mug.pth, sha256" in capsys.readouterr().out
    meta = torch.load(tmp_path / "mug.pth")["meta"]
    assert meta["converted"]["converted_from"] == "mug.pth" and meta["data_facts"]["labels"] == sorted(
        IMAGINATOR_LABELS
    )
    # A model that knows the labels in another order refuses the file, where all weights would fit.
    cfg = load_config("imaginator_mug_released_code", OPTIONS | {"model.labels": list(IMAGINATOR_LABELS)})
    model = MODELS.build(cfg.model)
    with pytest.raises(CheckpointError, match=r"know the labels anger, .* set model\.labels"):
        load_generator(model, tmp_path / "mug.pth")


def test_the_discriminators_of_imaginator(imaginator, tmp_path):
    """Logits of both, with their spectral norm, for every label."""
    file, _, _ = imaginator
    video, image = Weights(2), Weights(3)
    sizes = list(zip((3, *WIDTHS), WIDTHS, strict=False))
    for i, (before, width) in enumerate(sizes):
        name = "net1.0" if i == 0 else f"net2.{2 * i - 2}"
        video.spectral(name, width, before + (6 if i == 1 else 0), 4, 4, 4)
        image.spectral(f"net.{2 * i}", width, before, 4, 4)
    video.spectral("net2.6", 1, WIDTHS[-1], 2, 4, 4)
    image.spectral("net.8", 1, WIDTHS[-1], 4, 4)
    for name, weights in (("VD.pth", video), ("ID.pth", image)):
        torch.save(dict(weights), tmp_path / name)
    cfg = load_config("imaginator_mug_released_code", OPTIONS)
    convert_imaginator(cfg, file, tmp_path / "all.pth", tmp_path / "VD.pth", tmp_path / "ID.pth")
    model = MODELS.build(cfg.model).eval()
    model.load_state_dict(torch.load(tmp_path / "all.pth")["state_dict"])

    def layer(weights, x, name, last=False):
        weight, bias = weights[f"module.{name}.weight_orig"], weights[f"module.{name}.bias"]
        convolve = functional.conv2d if x.dim() == 4 else functional.conv3d
        weight = weight / torch.linalg.matrix_norm(weight.flatten(1), 2)
        x = convolve(x, weight, bias, **({} if last else dict(stride=2, padding=1)))
        return x if last else functional.leaky_relu(x, 0.2)

    clip = torch.randn(1, 3, 32, 64, 64, generator=torch.Generator().manual_seed(4))
    for number, label in enumerate(IMAGINATOR_LABELS):
        x = layer(video, clip, "net1.0")
        maps = torch.eye(6)[None, number, :, None, None, None].expand(-1, -1, *x.shape[2:])
        x = torch.cat([x, maps], dim=1)
        for name in ("net2.0", "net2.2", "net2.4"):
            x = layer(video, x, name)
        ours = torch.eye(6)[None, model.labels.index(label)]
        found = model.discriminators.video.network(clip, ours)
        assert found.item() == pytest.approx(layer(video, x, "net2.6", last=True).item(), rel=1e-4, abs=1e-6)
    x = clip[:, :, 5]
    for i in range(4):
        x = layer(image, x, f"net.{2 * i}")
    found = model.discriminators.frame.network(clip[:, :, 5])
    assert found.item() == pytest.approx(layer(image, x, "net.8", last=True).item(), rel=1e-4, abs=1e-6)


# FRGAN: the widths of the maps of 32x32, 16x16, 8x8 and 4x4 pixels, and the size of the code.
FRGAN_WIDTHS, FRGAN_CODE, SIZE = (4, 8, 8, 8), 6, 32
FRGAN_OPTIONS = (
    {"model.image_size": SIZE, "model.discriminators.frame.network.max_width": 8}
    | {
        f"model.{part}.{name}": value
        for part in ("generator.content_encoder", "generator.motion_encoder", "generator.decoder")
        for name, value in (("width", 4), ("max_width", 8), ("code", FRGAN_CODE))
        if not (part.endswith("decoder") and name == "code")
    }
    | {"model.discriminators.frame.network.width": 4}
)


def frgan_checkpoint():
    weights, critic = Weights(5), Weights(6)
    for file, name, channels in ((weights, "img_encoder.", 3), (weights, "norm_encoder.", 3), (critic, "", 6)):
        file.layer(f"{name}conv", 4, channels, 3, 3)
        for i, (before, width) in enumerate(pairwise(FRGAN_WIDTHS)):
            for layer, inputs in (("shortcut.1", before), ("conv1", before), ("conv2.0", width)):
                file.layer(f"{name}res_blocks.{i}.{layer}", width, inputs, 3, 3)
        file.layer(f"{name}fc{'_z' if name else ''}", FRGAN_CODE if name else 1, 8 * 16)
    weights.layer("decoder.fc", 8 * 16, FRGAN_CODE)
    before = 0
    for i, (width, made) in enumerate(zip(FRGAN_WIDTHS[::-1], FRGAN_WIDTHS[-2::-1], strict=False)):
        before += width
        inputs = 3 * width + before
        for layer in ("shortcut.1", "conv1.1"):
            weights.layer(f"decoder.res_blocks.{i}.{layer}", made, inputs, 3, 3)
        weights.layer(f"decoder.res_blocks.{i}.conv2", made, made, 3, 3)
        weights.norm(f"decoder.res_blocks.{i}.bn1", inputs)
        weights.norm(f"decoder.res_blocks.{i}.bn2", made)
    weights.norm("decoder.bn", 4)
    weights.layer("decoder.conv", 3, 16, 3, 3)
    weights.layer("decoder.w", 1, 16, 3, 3)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))]).state_dict()
    return weights, critic, dict(epoch=20, gen_optim=optimizer, dis_optim=optimizer)


def conv(weights, x, name):
    return functional.conv2d(x, *weights.get_layer(name), padding=1)


def released_trunk(weights, x, name, slope=0.0):
    """All maps of an encoder or of the discriminator, fine to coarse."""
    maps = [conv(weights, x, f"{name}conv")]
    for i in range(3):
        block, x = f"{name}res_blocks.{i}", maps[-1]
        made = conv(weights, functional.leaky_relu(x, slope), f"{block}.conv1")
        made = functional.avg_pool2d(conv(weights, functional.leaky_relu(made, slope), f"{block}.conv2.0"), 2)
        maps.append(made + conv(weights, functional.avg_pool2d(x, 2), f"{block}.shortcut.1"))
    return maps


def released_frgan(weights, image, image_maps, driving_maps):
    """The released generator's frame and mask."""

    def doubled(x):
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    content = released_trunk(weights, image, "img_encoder.")
    reference, driving = (released_trunk(weights, maps, "norm_encoder.") for maps in (image_maps, driving_maps))
    code = functional.linear(content[-1].flatten(1), *weights.get_layer("img_encoder.fc_z"))
    codes = [
        functional.linear(maps[-1].flatten(1), *weights.get_layer("norm_encoder.fc_z")) for maps in (driving, reference)
    ]
    x = functional.linear(code + codes[0] - codes[1], *weights.get_layer("decoder.fc")).view(-1, 8, 4, 4)
    before = [x]
    for i in range(3):
        joined = torch.cat([maps[3 - i] for maps in (content, driving, reference)] + before, dim=1)
        block = f"decoder.res_blocks.{i}"
        x = doubled(weights.through_norm(joined, f"{block}.bn1").relu())
        x = weights.through_norm(conv(weights, x, f"{block}.conv1.1"), f"{block}.bn2").relu()
        x = conv(weights, x, f"{block}.conv2") + conv(weights, doubled(joined), f"{block}.shortcut.1")
        before = [doubled(item) for item in before] + [x]
    x = torch.cat([content[0], driving[0], reference[0], weights.through_norm(x, "decoder.bn").relu()], dim=1)
    mask = conv(weights, x, "decoder.w").sigmoid()
    return mask * conv(weights, x, "decoder.conv").tanh() + (1 - mask) * image, mask


def test_a_converted_frgan(tmp_path):
    weights, critic, rest = frgan_checkpoint()
    checkpoint = rest | dict(gen_state_dict=dict(weights), dis_state_dict=dict(critic))
    torch.save(checkpoint, tmp_path / "checkpoint_0020.pth.tar")
    cfg = load_config("frgan_forecast_mug", FRGAN_OPTIONS)
    convert_frgan(cfg, tmp_path / "checkpoint_0020.pth.tar", tmp_path / "frgan.pth")
    model = MODELS.build(cfg.model).eval()
    model.load_state_dict(torch.load(tmp_path / "frgan.pth")["state_dict"])
    random = torch.Generator().manual_seed(7)
    image, image_maps, *driving_maps = (torch.rand(1, 3, SIZE, SIZE, generator=random) * 2 - 1 for _ in range(5))
    clip = VideoBatch(
        torch.stack([image] * 3, 2), image, driving_maps=torch.stack(driving_maps, 2), image_maps=image_maps
    )
    with torch.no_grad():
        made = model.generator(clip, model.passes)["forecast"]
    for t, maps in enumerate(driving_maps):
        frame, mask = released_frgan(weights, image, image_maps, maps)
        assert (to_uint8(made.video)[:, :, t].int() - to_uint8(frame).int()).abs().max() <= 1
        assert torch.allclose(made.mask[:, :, t], mask, atol=1e-5) and 0.1 < mask.mean() < 0.9
        # The critic sees frame and driving maps.
        last = released_trunk(critic, torch.cat([frame, maps], dim=1), "", slope=0.01)[-1]
        score = functional.linear(last.flatten(1), *critic.get_layer("fc"))
        assert torch.allclose(model.discriminators.frame.network(frame, maps=maps), score, rtol=1e-4, atol=1e-5)
    convert_frgan(cfg, tmp_path / "checkpoint_0020.pth.tar", tmp_path / "frgan.safetensors")
    assert '"converted_from": "checkpoint_0020.pth.tar"' in read_header(tmp_path / "frgan.safetensors")["training"]


def test_what_does_not_fit_is_refused_and_nothing_is_written(imaginator, tmp_path):
    file, weights, _ = imaginator
    cfg = load_config("imaginator_mug_released_code", OPTIONS)
    with pytest.raises(ConfigError, match="know the labels smile and the config anger"):
        convert_imaginator(cfg, file, tmp_path / "a.pth", labels=["smile"])
    with pytest.raises(CheckpointError, match=r"of another shape .* instead of"):
        convert_imaginator(
            load_config(
                "imaginator_mug_released_code",
                {**OPTIONS, "model.generator.decoder.temporal_widths": [20, 18, 14, 10, 8]},
            ),
            file,
            tmp_path / "a.pth",
        )
    torch.save({"epoch": 3}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="not in the released format: 'epoch' is no weight"):
        convert_imaginator(cfg, tmp_path / "odd.pth", tmp_path / "a.pth")
    torch.save({**weights, "module.enc.b7.0.weight": torch.zeros(1)}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=r"it has a weight 'module\.enc\.b7\.0\.weight'"):
        convert_imaginator(cfg, tmp_path / "odd.pth", tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="it has no 'gen_state_dict'"):
        convert_frgan(load_config("frgan_forecast_mug", FRGAN_OPTIONS), file, tmp_path / "a.pth")
    frgan, critic, rest = frgan_checkpoint()
    torch.save(rest | dict(gen_state_dict=dict(frgan), dis_state_dict=dict(critic)), tmp_path / "frgan.pth.tar")
    with pytest.raises(CheckpointError, match=r"makes 32x32 pixels and the config 64x64.*model\.image_size=32"):
        convert_frgan(
            load_config("frgan_forecast_mug", {**FRGAN_OPTIONS, "model.image_size": 64}),
            tmp_path / "frgan.pth.tar",
            tmp_path / "a.pth",
        )
    with pytest.raises(CheckpointError, match=r"to a \.pth or \.safetensors file"):
        convert_imaginator(cfg, file, tmp_path / "a.ckpt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frgan.pth.tar", "odd.pth"]
