"""Configs as flat files: they run alone, and their losses and gradients are the toolkit's."""

import importlib.util
import subprocess
import sys
from unittest.mock import patch

import pytest
import torch
from narrowed import at_iteration, batch_for, frames_of, narrowed
from torch import nn

from i2vkit.analysis.benchmark.step import build_optimizers
from i2vkit.analysis.profile.training import distinct_iterations
from i2vkit.analysis.source import source_of_config, write_source
from i2vkit.analysis.source.lookups import definition_of
from i2vkit.analysis.source.recording import key_of, recording
from i2vkit.config.finding import experiment_names
from i2vkit.errors import ConfigError
from i2vkit.models import clip_lengths
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

FAMILIES = ("cnn_lstm_", "dtgan_", "dual_mtgan_", "frgan_", "imaginator_", "mocogan_", "pose_lstm_", "vgan_")
# A config of each kind of step; the slow test takes all others.
FEW = ["cnn_lstm_weizmann", "dtgan_weizmann", "frgan_forecast_mug", "imaginator_mug"]
OTHERS = [name for name in experiment_names() if name.startswith(FAMILIES) and "/" not in name and name not in FEW]
# The loss on the features of VGG16 needs weights from a file, and the file of a config leaves it out by an option.
FEATURES = {"model.phases.generator.losses.features": None}


class Given(nn.Module):
    """A preprocessor that hands over one clip."""

    def __init__(self, clip):
        super().__init__()
        self.clip = clip

    def forward(self, data, training):
        return {"clip": self.clip}


class Recorder:
    """An optimiser that notes the gradients of its update."""

    def __init__(self, wrapper, parameters):
        self.wrapper, self.parameters = wrapper, parameters

    def update_params(self, total):
        found = torch.autograd.grad(total, list(self.parameters.values()), retain_graph=True, allow_unused=True)
        self.gradients = dict(zip(self.parameters, found, strict=True))
        self.wrapper.update_params(total)


def flat_name(name):
    """The name of a weight in the file."""
    return name.replace(".network.", ".", 1) if name.startswith("discriminators.") else name


def import_file(text, path):
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with patch.dict(sys.modules, {path.stem: module}):  # data classes look themselves up
        spec.loader.exec_module(module)
    return module


def doubled(clip):
    """A clip in double precision."""
    values = {key: value for key, value in vars(clip).items() if value is not None}
    return VideoBatch(**{key: value.double() if value.is_floating_point() else value for key, value in values.items()})


def parameters_of(model, phase):
    """The parameters that a phase trains, by their names in the file."""
    own = {id(p) for module in model.phase_modules(phase.name) for p in model.trainable_parameters(module)}
    return {flat_name(name): value for name, value in model.named_parameters() if id(value) in own}


def compare(cfg, name, path):
    """Take a step of each kind by the toolkit and by the file, with equal weights and random numbers.

    Returns the relative differences of losses and gradients.
    """
    file = import_file(source_of_config(cfg, name), path)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    data = batch_for(model, frames_of(cfg))
    clip = doubled(model.data_preprocessor(data, training=True)["clip"])
    model.double().data_preprocessor = Given(clip)
    with torch.no_grad():  # away from small initial values, so that everything shows
        for value in model.parameters():
            value.add_(0.05 * torch.randn_like(value))
    flat = file.Model().double()
    weights = {flat_name(key): value for key, value in model.state_dict().items()}
    flat.load_state_dict({key: weights[key] for key in flat.state_dict()})
    shown = {key: value for key, value in vars(clip).items() if key in file.VideoBatch.__dataclass_fields__}
    wrappers, errors = build_optimizers(model, cfg.optim_wrapper), {}
    for iteration in distinct_iterations(model.phases):
        at_iteration(iteration)
        recorders = {phase.name: Recorder(wrappers[phase.name], parameters_of(model, phase)) for phase in model.phases}
        torch.manual_seed(1)
        ours = model.train_step(data, recorders)
        found = watch_gradients(flat)
        torch.manual_seed(1)
        theirs = flat.train_step(file.VideoBatch(**shown), iteration)
        assert theirs
        # The toolkit does not compute a loss whose schedule is at 0, the file does and weighs it by 0.
        paused = {loss.name for loss in model.losses if not loss.runs_at(iteration)}
        assert theirs.keys() - paused <= ours.keys()
        for key, value in ((key, value) for key, value in theirs.items() if key in ours):
            errors[key] = abs(value.item() - ours[key].item()) / max(abs(ours[key].item()), 1e-3)
        for phase, gradients in found.items():
            errors |= {f"{phase} {key}": error for key, error in gradient_errors(recorders[phase], gradients, cfg)}
    return errors


def watch_gradients(flat):
    """Note the gradients of every update of the file's model, by phase and name."""
    names, found = {id(value): key for key, value in flat.named_parameters()}, {}
    for phase, optimizer in flat.optimizers.items():
        group = optimizer.param_groups[0]["params"]
        optimizer._optimizer_step_pre_hooks.clear()
        optimizer.register_step_pre_hook(
            lambda *_, phase=phase, group=group: found.update(
                {phase: {names[id(p)]: p.grad.clone() for p in group if p.grad is not None}}
            )
        )
    return found


def gradient_errors(recorder, found, cfg):
    """Yield the relative difference of each gradient; clipped ones up to their common factor."""
    clips = cfg.optim_wrapper.get("clip_grad")
    wanted = {key: value for key, value in recorder.gradients.items() if value is not None}
    norm = torch.cat([value.flatten() for value in wanted.values()]).norm()
    factor = min(1.0, clips["max_norm"] / (norm.item() + 1e-6)) if clips else 1.0
    for key, gradient in wanted.items():
        size = gradient.abs().max().item() * factor
        other = found.get(key, torch.zeros_like(gradient))
        yield key, (gradient * factor - other).abs().max().item() / max(size, 1e-6 * norm.item(), 1e-12)


def check(name, tmp_path):
    cfg = narrowed(name)
    if "features" in cfg.model.phases.get("generator", {}).get("losses", {}):
        cfg = narrowed(name, FEATURES)
    # Double precision stays double, so that differences are those of the mathematics.
    torch.set_default_dtype(torch.float64)
    try:
        with patch.object(torch.Tensor, "float", lambda self: self):
            errors = compare(cfg, name, tmp_path / "flat.py")
    finally:
        torch.set_default_dtype(torch.float32)
    worst = max(errors, key=errors.get)
    assert errors[worst] < 1e-6, (worst, errors[worst])


@pytest.mark.parametrize("name", FEW)
def test_losses_and_gradients_of_a_step_are_those_of_the_toolkit(name, tmp_path):
    check(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_config_of_the_papers(name, tmp_path):
    check(name, tmp_path)


@pytest.fixture(scope="module")
def text():
    """The file of ImaGINator, narrow."""
    return source_of_config(narrowed("imaginator_mug"), "imaginator_mug")


def test_a_file_runs_alone_and_has_the_shapes_of_the_batch(text, tmp_path):
    """In a Python that sees neither this folder nor i2vkit."""
    assert "i2vkit" not in text.split('"""', 2)[2] and "import mmengine" not in text
    assert "VideoDiscriminator(),  # (64, 3, 32, 32, 32) -> (64, " in text  # clips of the config's batch and length
    (tmp_path / "imaginator.py").write_text(text)
    ran = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(tmp_path / "imaginator.py")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("'video_discriminator'") == 2


def test_branches_that_a_config_does_not_take_are_not_in_its_file(text):
    other = source_of_config(narrowed("imaginator_mug_no_fusion"), "imaginator_mug_no_fusion")
    assert "content.pyramid[level]" in text and "content.pyramid[level]" not in other
    assert "raise " not in text and "assert " not in text and "takes_reference" not in text
    assert "register_module" not in text and "Spec" not in text


def test_what_cannot_be_written_is_one_message(tmp_path):
    with pytest.raises(ConfigError, match="decodes some frames"):
        write_source(narrowed("frgan_forecast_mug", {"model.decoded_frames": 2}), "frgan", tmp_path / "a.py")
    with pytest.raises(ConfigError, match=r"loss 'features' .* is not written as source: leave it out"):
        write_source(narrowed("frgan_forecast_penn"), "frgan_forecast_penn", tmp_path / "a.py")
    assert not list(tmp_path.iterdir())


def test_recording_leaves_the_package_as_it_was():
    def codes():
        return {name: each.__code__ for name, each in vars(clip_lengths).items() if hasattr(each, "__code__")}

    before = codes()
    with recording() as record:
        assert clip_lengths.masked_mean.__code__ is not before["masked_mean"]
        assert clip_lengths.masked_mean(torch.ones(1, 2), None).item() == 1
    assert codes() == before
    module, node = definition_of(clip_lengths.masked_mean)
    assert record.ran(key_of(module, node)) and not record.ran(key_of(*definition_of(clip_lengths.frame_mask)))
