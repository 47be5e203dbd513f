"""timm's networks as content encoders and as frame encoders of the CNN-LSTM."""

import hashlib

import narrow
import pytest
import timm
import torch

from i2vkit.config.loading import load_config
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.encoders import CnnLstmEncoder, TimmFrameEncoder, TimmPyramidEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.registry import MODELS
from i2vkit.structures import FeatureSpec, VideoBatch
from i2vkit.utils.weight_files import MissingWeightsError


@pytest.fixture
def images():
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def published(name: str, images: torch.Tensor) -> torch.Tensor:
    """Images in [-1, 1] as timm's own preprocessing would hand them over."""
    config = timm.get_pretrained_cfg(name)
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (config.mean, config.std))
    return ((images + 1) / 2 - mean) / deviation


def test_the_pyramid_is_timms_own_output(images):
    torch.manual_seed(0)
    encoder = TimmPyramidEncoder(32, "test_byobnet", code=5, out_indices=(0, 1, 2)).eval()
    reference = timm.create_model("test_byobnet", features_only=True, out_indices=(0, 1, 2)).eval()
    reference.load_state_dict(encoder.backbone.network.state_dict())
    content = encoder(images)
    wanted = reference(published("test_byobnet", images))
    assert encoder.spec.pyramid == (FeatureSpec(24, 2), FeatureSpec(32, 4), FeatureSpec(64, 8))
    for made, expected in zip(content.pyramid, wanted, strict=True):
        torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-5)
    code = wanted[-1].flatten(1) @ encoder.to_code.weight.T + encoder.to_code.bias
    torch.testing.assert_close(content.code, code, rtol=1e-5, atol=1e-5)
    assert content.image is images and encoder.spec.code == 5


def test_a_code_that_nobody_reads_is_not_built(images):
    encoder = TimmPyramidEncoder(32, "test_byobnet", requested=("content.pyramid",)).eval()
    assert encoder.to_code is None and encoder.spec.code == 0 and encoder(images).code is None


def test_a_transformer_is_built_for_the_image_size_and_gives_one_level_a_stride(images):
    torch.manual_seed(0)
    encoder = TimmPyramidEncoder(32, "test_vit").eval()
    reference = timm.create_model("test_vit", features_only=True, img_size=32).eval()
    reference.load_state_dict(encoder.backbone.network.state_dict())
    *_, wanted = reference(published("test_vit", images))
    assert encoder.spec.pyramid == (FeatureSpec(64, 16),)
    torch.testing.assert_close(encoder(images).pyramid[0], wanted, rtol=1e-5, atol=1e-5)


def test_maps_with_channels_last_are_turned(images):
    encoder = TimmPyramidEncoder(32, "test_mambaout", out_indices=(0, 1)).eval()
    first = encoder.backbone.network(published("test_mambaout", images))[0]
    made = encoder(images).pyramid[0]
    assert encoder.spec.pyramid == (FeatureSpec(16, 4), FeatureSpec(32, 8))
    torch.testing.assert_close(made, first.permute(0, 3, 1, 2), rtol=1e-5, atol=1e-5)


def test_maps_that_are_no_even_part_of_the_image_are_no_skips():
    encoder = TimmPyramidEncoder(24, "test_byobnet")
    assert [level.stride for level in encoder.spec.pyramid] == [2, 4, 8]
    assert encoder.backbone.deepest == (256, 1, 1) and encoder.to_code.in_features == 256


def test_frame_features_are_a_linear_layer_on_the_deepest_map(images):
    torch.manual_seed(0)
    encoder = TimmFrameEncoder(32, "test_byobnet", features=7, out_indices=(0, 1)).eval()
    *_, deepest = encoder.backbone.network(published("test_byobnet", images))
    wanted = deepest.flatten(1) @ encoder.linear.weight.T + encoder.linear.bias
    torch.testing.assert_close(encoder(images), wanted, rtol=1e-5, atol=1e-5)


def test_cnn_lstm_on_timm_suppresses_appearance():
    torch.manual_seed(0)
    encoder = CnnLstmEncoder(32, narrow.NARROW["TimmFrameEncoder"], hidden=5).eval()
    video = torch.rand(2, 3, 4, 32, 32) * 2 - 1
    video[1] = video[1, :, :1]  # stands still
    trajectory = encoder(VideoBatch(video), GenerationState()).trajectory
    assert trajectory[1].abs().max() == 0
    assert trajectory[0, 1:].abs().amax(dim=1).min() > 0


@pytest.mark.parametrize(
    "part, arguments, message",
    [
        (TimmPyramidEncoder, dict(backbone="resnet_18"), r"no network 'resnet_18'; nearest: .*resnet18"),
        (TimmFrameEncoder, dict(backbone="hf-hub:timm/resnet18"), "no network 'hf-hub:timm/resnet18'"),
        (TimmPyramidEncoder, dict(backbone="test_vit", out_indices=(9,)), "test_vit gives no pyramid .* 32 pixels"),
        (TimmFrameEncoder, dict(backbone="vit_tiny_patch16_224", image_size=8), "of images of 8 pixels"),
        (TimmPyramidEncoder, dict(backbone="test_vit", weights="a.safetensors"), "need sha256"),
    ],
)
def test_what_cannot_be_built_is_refused(part, arguments, message):
    with pytest.raises(ConfigError, match=message):
        part(**{"image_size": 32, **arguments})


@pytest.fixture
def weights(tmp_path):
    """A file of the whole network, classifier included, as timm's hub has it; and its hash."""
    torch.manual_seed(7)
    path = tmp_path / "test_byobnet.pth"
    torch.save(timm.create_model("test_byobnet").state_dict(), path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_published_weights_are_read_when_training_starts(weights, images):
    path, sha256 = weights
    part = narrow.NARROW["TimmPyramidEncoder"] | dict(weights=str(path), sha256=sha256)
    model = narrow.build(
        generator=dict(content_encoder=part, decoder=narrow.NARROW["FrameDecoder"]),
        frozen=["generator.motion_encoder", "generator.content_encoder.backbone"],
    )
    whole = timm.create_model("test_byobnet")
    whole.load_state_dict(torch.load(path))
    wanted = whole.eval().forward_intermediates(published("test_byobnet", images), indices=[0, 1, 2])[1]
    encoder = model.generator.content_encoder.eval()
    assert not torch.allclose(encoder(images).pyramid[2], wanted[2])
    model.init_weights()
    for made, expected in zip(encoder(images).pyramid, wanted, strict=True):
        torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-5)
    assert not encoder.backbone.network.training and encoder.to_code.weight.requires_grad


def test_weights_that_are_absent_or_of_another_network_are_refused(weights, tmp_path):
    path, sha256 = weights
    encoder = TimmPyramidEncoder(32, "test_byobnet", weights=tmp_path / "absent.safetensors", sha256=sha256)
    with pytest.raises(MissingWeightsError, match=r"huggingface.co/timm/test_byobnet.*safetensors"):
        encoder.backbone.load_pretrained()
    with pytest.raises(CheckpointError, match="SHA-256"):
        TimmPyramidEncoder(32, "test_byobnet", weights=path, sha256="0" * 64).backbone.load_pretrained()
    with pytest.raises(CheckpointError, match="does not hold timm's test_resnet"):
        TimmPyramidEncoder(32, "test_resnet", weights=path, sha256=sha256).backbone.load_pretrained()


def test_a_backbone_is_one_option_of_a_paper():
    options = {
        "model.generator.content_encoder.type": "TimmPyramidEncoder",
        "model.generator.content_encoder.backbone": "mobilenetv3_small_050",
    }
    with torch.device("meta"):
        model = MODELS.build(load_config("imaginator_mug", options).model)
    assert [level.stride for level in model.generator.content_encoder.spec.pyramid] == [2, 4, 8, 16, 32]
    options = {
        "model.network.encoder.frame_encoder.type": "TimmFrameEncoder",
        "model.network.encoder.frame_encoder.backbone": "mobilenetv3_small_050",
    }
    with torch.device("meta"):
        model = MODELS.build(load_config("cnn_lstm_oulu", options).model)
    assert model.network.encoder.frame_encoder.backbone.name == "mobilenetv3_small_050"
