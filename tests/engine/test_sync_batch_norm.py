"""Batch norms that take their statistics from all processes: what is put in their place. Only GPUs could run them."""

import copy

import narrow
import pytest
import torch
from timm.layers import SyncBatchNormAct
from tiny import tiny_config
from torch import nn

from i2vkit.apis.train import prepare
from i2vkit.engine.distributed import ReplicatedModel
from i2vkit.engine.sync_batch_norm import convert_batch_norms_
from i2vkit.errors import ConfigError
from i2vkit.models.layers import ResidualUp
from i2vkit.registry import CONTENT_ENCODERS, build_part


def kinds(model):
    """The classes of the layers by path, of those that are batch norms of any kind."""
    return {name: type(layer) for name, layer in model.named_modules() if "BatchNorm" in type(layer).__name__}


def test_batch_norms_that_train_are_converted_and_frozen_ones_are_not():
    model = narrow.build()
    before, weights = kinds(model), model.state_dict()
    parameters = {name: id(value) for name, value in model.named_parameters()}
    number = convert_batch_norms_(model)
    after = kinds(model)
    assert after.keys() == before.keys() and number > 5
    frozen = "generator.motion_encoder."
    assert any(name.startswith(frozen) for name in after)
    for name, kind in after.items():
        assert kind is (before[name] if name.startswith(frozen) else nn.SyncBatchNorm), name
    assert sum(kind is nn.SyncBatchNorm for kind in after.values()) == number
    assert list(model.state_dict()) == list(weights)
    assert {name: id(value) for name, value in model.named_parameters()} == parameters  # optimisers stay right
    narrow.build().load_state_dict(model.state_dict())
    assert convert_batch_norms_(model) == 0  # a second time there is nothing left


def test_modes_and_settings_stay():
    model = nn.Sequential(nn.BatchNorm1d(3, eps=0.5, momentum=0.25), nn.BatchNorm3d(2, affine=False)).eval()
    convert_batch_norms_(model)
    assert [type(layer) for layer in model] == [nn.SyncBatchNorm] * 2
    assert (model[0].eps, model[0].momentum, model[0].training) == (0.5, 0.25, False)
    assert model[1].weight is None


def test_a_layer_in_two_places_stays_one():
    norm = nn.BatchNorm2d(3)
    model = nn.ModuleDict(dict(a=nn.Sequential(norm), b=nn.Sequential(norm)))
    assert convert_batch_norms_(model) == 1
    assert model["a"][0] is model["b"][0]


def test_batch_norms_of_timm_keep_their_activation():
    model = build_part(CONTENT_ENCODERS, narrow.NARROW["TimmPyramidEncoder"], image_size=narrow.SIZE)
    before = {
        name: layer.act for name, layer in model.named_modules() if hasattr(layer, "act") and hasattr(layer, "drop")
    }
    convert_batch_norms_(model)
    layers = dict(model.named_modules())
    assert len(before) > 2
    for name, activation in before.items():
        assert type(layers[name]) is SyncBatchNormAct and layers[name].act is activation


def test_parts_that_read_a_norm_find_in_it_what_they_need():
    """Folding, and a block that splits what stands still from what moves; both only read numbers."""
    torch.manual_seed(0)
    generator = dict(
        content_encoder=narrow.NARROW["ConvPyramidEncoder"],
        motion_encoder=None,
        motion_generator=narrow.NARROW["LabelFusion"],
        decoder=narrow.NARROW["TransposedConv1p2dDecoder"],
    )
    model = narrow.build(generator=generator, frozen=[], discriminators={}, phases={})
    decoder, block = model.generator.decoder, ResidualUp(6, 4).eval()
    for layer in (*decoder.modules(), *block.modules()):
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    other, other_block = copy.deepcopy(decoder), copy.deepcopy(block)
    assert convert_batch_norms_(other) > 0 and convert_batch_norms_(other_block) == 2
    x = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(other_block._norm(x, slice(2, None)), block._norm(x, slice(2, None)), rtol=0, atol=0)
    for part in (decoder, other):
        part.eval().fold_batch_norms_()
    assert not kinds(other)
    weights = other.state_dict()
    for name, value in decoder.state_dict().items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=0)


class OwnBatchNorm(nn.BatchNorm2d):
    """Does something else, which a conversion would drop."""


def test_what_cannot_be_converted_is_said():
    with pytest.raises(ConfigError, match="knows no counterpart of OwnBatchNorm"):
        convert_batch_norms_(nn.Sequential(OwnBatchNorm(3)))
    with pytest.raises(ConfigError, match='sync_bn is "torch" or "mmcv", not \'apex\''):
        convert_batch_norms_(nn.Sequential(), "apex")
    try:
        import mmcv.ops  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigError, match=r'an mmcv that was compiled .* use sync_bn="torch"'):
            convert_batch_norms_(nn.Sequential(nn.BatchNorm2d(3)), "mmcv")


def test_on_a_cpu_there_is_no_such_layer():
    with pytest.raises(ConfigError, match="SyncBatchNorm needs GPUs"):
        ReplicatedModel(nn.Sequential(nn.BatchNorm2d(3)), sync_bn="torch")
    model = ReplicatedModel(nn.Sequential(nn.BatchNorm2d(3)).to("meta"), sync_bn="torch")
    assert type(model.module[0]) is nn.SyncBatchNorm


def test_the_key_of_the_config_reaches_our_wrapper_and_not_the_runner(tmp_path):
    cfg = prepare(tiny_config(tmp_path, 1, sync_bn="torch"), launcher="pytorch")
    assert cfg.model_wrapper_cfg == dict(type=ReplicatedModel, sync_bn="torch") and "sync_bn" not in cfg
    assert prepare(cfg, launcher="pytorch").model_wrapper_cfg.sync_bn == "torch"  # of the config in a work dir
    assert prepare(tiny_config(tmp_path, 1), launcher="pytorch").model_wrapper_cfg.sync_bn is None
    assert prepare(tiny_config(tmp_path, 1, sync_bn="torch")).sync_bn == "torch"  # one process: nothing to do
