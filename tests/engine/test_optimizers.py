import pytest
import torch
from mmengine.optim import AmpOptimWrapper
from tiny import TwoPhases

from i2vkit.engine.optimizers import PhaseOptimWrapper, PhaseOptimWrapperConstructor
from i2vkit.errors import ConfigError


def build(model=None, **config):
    config = {"optimizer": dict(type="Adam", lr=0.01, betas=(0.5, 0.999)), **config}
    return PhaseOptimWrapperConstructor(config)(model or TwoPhases())


def test_a_phase_updates_its_own_modules_and_no_others():
    model = TwoPhases()
    wrappers = build(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    data = torch.ones(2, 4)
    wrappers["generator"].update_params(model.discriminators["frame"](model.generator(data)).sum())
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if name.startswith("generator.")}


def test_frozen_parameters_take_no_slot():
    model = TwoPhases()
    assert model.frozen in model.phase_modules("generator")
    (group,) = build(model)["generator"].optimizer.param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in model.generator.parameters()]


def test_phases_have_settings_of_their_own():
    per_phase = dict(
        discriminators=dict(lr=0.5, clip_grad=dict(max_norm=1.0)), generator=dict(optimizer=dict(type="SGD", lr=0.25))
    )
    wrappers = build(accumulative_counts=2, per_phase=per_phase)
    discriminators, generator = wrappers["discriminators"], wrappers["generator"]
    assert isinstance(discriminators, PhaseOptimWrapper)
    assert discriminators.optimizer.defaults["lr"] == 0.5
    assert discriminators.optimizer.defaults["betas"] == (0.5, 0.999)
    assert discriminators.clip_grad_kwargs == dict(max_norm=1.0)
    assert generator.clip_grad_kwargs is None or not generator.clip_grad_kwargs
    assert type(generator.optimizer) is torch.optim.SGD
    assert generator.optimizer.defaults["lr"] == 0.25
    assert discriminators._accumulative_counts == generator._accumulative_counts == 2


@pytest.mark.parametrize(
    "config, message",
    [
        (dict(per_phase=dict(discriminator=dict(lr=1.0))), "no phase 'discriminator'; nearest: discriminators"),
        (dict(per_phase=dict(discriminators=dict(lrate=1.0))), "Adam takes no 'lrate'; nearest: .*lr"),
        (dict(optimizer=dict(type="Adan", lr=1.0)), "'Adan'; nearest: .*Adam"),
        (dict(accumulative_count=2), "takes no 'accumulative_count'; nearest: accumulative_counts"),
        (dict(type=AmpOptimWrapper), "use --precision bf16"),
        (dict(type="AmpOptimWrapper"), "use --precision bf16"),
    ],
)
def test_mistakes_are_named(config, message):
    with pytest.raises(ConfigError, match=message):
        build(**config)


def test_a_phase_without_parameters_is_an_error():
    model = TwoPhases()
    model.generator.requires_grad_(False)
    with pytest.raises(ConfigError, match="phase 'generator' has nothing to update"):
        build(model)
