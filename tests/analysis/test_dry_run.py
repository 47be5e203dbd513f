"""A training step that is not computed takes the bytes, products and operations that it takes when it is."""

import runpy
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from narrow import LABELS, MAPS, NARROW, SIZE, build, discriminator

from i2vkit.analysis.profile import DryRun, dry_training, profile_dry_run, profile_training
from i2vkit.analysis.profile.dry_run import META
from i2vkit.analysis.profile.duration import format_minutes, training_minutes
from i2vkit.analysis.profile.profile_report import ModelProfile, PartProfile
from i2vkit.analysis.profile.training import distinct_iterations
from i2vkit.cli.main import main
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.models.losses import (
    AdversarialLoss,
    ClassCompactnessLoss,
    DiscriminatorLoss,
    FrameClassLoss,
    FrameL1Loss,
    SequenceClassLoss,
    StateContinuityLoss,
)
from i2vkit.models.training.autocast import autocast
from i2vkit.models.training.phases import build_phases
from i2vkit.models.training.supervised_model import CnnLstmClassifier, SupervisedModel
from i2vkit.registry import MODELS

OPTIMIZERS = dict(constructor="PhaseOptimWrapperConstructor", optimizer=dict(type="Adam", lr=1e-4, fused=True))


@pytest.fixture(autouse=True)
def lstm_step_by_step(monkeypatch):
    """As on the meta device; oneDNN computes it in one operation."""
    plain = torch.lstm

    def lstm(*inputs):
        before, *_ = torch.backends.mkldnn.set_flags(False)
        try:
            return plain(*inputs)
        finally:
            torch.backends.mkldnn.set_flags(before)

    monkeypatch.setattr("torch.nn.modules.rnn._VF.lstm", lstm)


def phases(*discriminators: str) -> dict[str, dict]:
    return dict(
        discriminators=dict(
            updates=[f"discriminators.{name}" for name in discriminators],
            losses={
                f"{name}_discriminator": dict(type=DiscriminatorLoss, discriminator=name) for name in discriminators
            },
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(
                frame_l1=dict(type=FrameL1Loss),
                **{f"{name}_adversarial": dict(type=AdversarialLoss, discriminator=name) for name in discriminators},
            ),
        ),
    )


def imaginator():
    """Labels, noise and 3-D convolutions."""
    generator = dict(
        content_encoder=NARROW["ConvPyramidEncoder"],
        motion_encoder=None,
        motion_generator=NARROW["LabelFusion"],
        decoder=NARROW["TransposedConv3dDecoder"],
    )
    discriminators = dict(
        video=discriminator("VideoDiscriminator", "WholeClip", condition="label"),
        frame=discriminator("FrameDiscriminator", "RandomFrames"),
    )
    return build(generator=generator, discriminators=discriminators, phases=phases("video", "frame"), frozen=[])


def frgan():
    """Condition maps, a frozen stage one, a refiner, and penalties with a second backward pass."""
    generator = dict(
        content_encoder=NARROW["ResidualPyramidEncoder"],
        motion_encoder=NARROW["MapDifferenceEncoder"],
        decoder=NARROW["DenseDecoder"],
        head=NARROW["ResidualHead"],
        refiner=NARROW["VolumeRefiner"],
    )
    discriminators = dict(
        video=discriminator("ResidualVideoDiscriminator", "WholeClip", "WassersteinLoss", condition="maps"),
        frame=discriminator("ResidualFrameDiscriminator", "RandomFrames", "WassersteinLoss", condition="maps"),
    )
    frozen = [f"generator.{part}" for part in ("content_encoder", "motion_encoder", "decoder")]
    return build(generator=generator, discriminators=discriminators, phases=phases("video", "frame"), frozen=frozen)


def classifier():
    """An LSTM, and losses that look up which classes and states there are."""
    network = dict(type=CnnLstmClassifier, encoder=NARROW["CnnLstmEncoder"])
    kinds = (FrameClassLoss, ClassCompactnessLoss, StateContinuityLoss, SequenceClassLoss)
    losses = {kind.__name__: dict(type=kind) for kind in kinds}
    frames = dict(frames=dict(updates=["network"], losses=losses))
    return MODELS.build(dict(type=SupervisedModel, network=network, image_size=SIZE, labels=LABELS, phases=frames))


@pytest.mark.parametrize("make", [build, imaginator, frgan, classifier])
def test_the_bytes_of_a_step_are_those_of_a_real_one(make):
    model, frames, clips = make(), 8, 3
    real = profile_training(model, OPTIMIZERS, frames, clips)
    dry, iteration = dry_training(deepcopy(model).to("meta"), OPTIMIZERS, frames, clips)
    assert iteration == 0
    for made, expected in zip(dry, real, strict=True):
        assert (made.name, made.peak_bytes, made.macs) == (expected.name, expected.peak_bytes, expected.macs)
        # The optimisers' own steps are missing, and looking up the largest label takes other operations.
        assert made.operations == pytest.approx(expected.operations, rel=0.1)
        assert made.seconds is None
    # The image's maps of a random batch are the first of its frames' maps.
    assert dry[-1].held_bytes == pytest.approx(real[-1].held_bytes, rel=0.02)


@pytest.mark.parametrize("make", [build, imaginator, classifier])
def test_the_bytes_of_a_step_in_bf16(make):
    """There is no autocast on the meta device, and what stands in for it casts as autocast does."""
    model = make()
    model.precision = "bf16"
    real = profile_training(model, OPTIMIZERS, 8, 3)
    dry, _ = dry_training(deepcopy(model).to("meta"), OPTIMIZERS, 8, 3)
    assert [row.macs for row in dry] == [row.macs for row in real]
    assert [row.peak_bytes for row in dry] == pytest.approx([row.peak_bytes for row in real], rel=0.005)
    model.precision = "fp32"
    full, _ = dry_training(model.to("meta"), OPTIMIZERS, 8, 3)
    assert dry[-1].peak_bytes < 0.95 * full[-1].peak_bytes


def test_autocast_on_the_meta_device():
    layer, x = torch.nn.Linear(3, 4, device="meta"), torch.empty(2, 3, device="meta")
    with autocast(META, enabled=True):
        made = layer(x)
        assert (made.dtype, (made @ made.T).dtype, made.softmax(1).dtype) == (torch.bfloat16,) * 2 + (torch.float32,)
        with autocast(META, enabled=False):
            assert layer(x).dtype == torch.float32
        assert layer(x).dtype == torch.bfloat16
    assert layer(x).dtype == torch.float32
    made.sum().backward()
    assert layer.weight.grad.dtype == torch.float32


def test_what_is_held_all_the_time():
    """Weights, two moments of Adam for what trains, buffers, and the batch in bytes."""
    model = imaginator()
    rows, _ = dry_training(model.to("meta"), OPTIMIZERS, 8, 2)
    buffers = sum(b.numel() * b.element_size() for b in model.buffers())
    weights = sum(p.numel() for p in model.parameters())
    maps = 2 * MAPS * (8 + 1) * SIZE**2  # of the frames, and of the image
    batch = 2 * 3 * 8 * SIZE**2 + maps + 8 * 2  # labels; no lengths, as none is padded
    steps = 4 * len(list(model.parameters()))  # a float each, of Adam
    assert rows[-1].held_bytes == 4 * 3 * weights + buffers + batch + steps


def test_whole_numbers_of_the_cpu_stay_known():
    """Four clips, of which three have label 1; of features nothing is known, and all of them count."""
    with DryRun() as dry:
        labels = dry.to_meta(torch.tensor([1, 0, 1, 1]))
        features = torch.empty(4, 5, device="meta")
        known, assumed = features[labels == 1], features[features > 0]
        assert known.is_meta and known.shape == (3, 5) and assumed.shape == (20,)
        assert labels.unique().tolist() == [0, 1] and int(labels.sum()) == 3
        assert bool(features.isfinite().all()) and float(features.sum()) == 1.0
        assert (labels * 2)[1:].tolist() == [0, 2, 2] and features.sum(dim=0).tolist() == [1.0] * 5
        padded = torch.nn.utils.rnn.pad_sequence([labels, labels[:2]], batch_first=True, padding_value=-1)
        assert (padded >= 0).sum(dim=1).tolist() == [4, 2]
        assert (features > 0).nonzero().shape == (20, 2)
        labels += (features[:, 0] > 0).long()
        assert labels.tolist() == [1, 1, 1, 1]  # no longer known, as features are not


def test_gradients_pass_a_mask():
    with DryRun() as dry:
        mask = dry.to_meta(torch.tensor([True, False, True]))
        x = torch.empty(3, 4, device="meta", requires_grad=True)
        x[mask].mean().backward()
    assert x.grad.shape == (3, 4)


def test_every_kind_of_iteration_is_found_once():
    losses = dict(
        frame_l1=dict(type=FrameL1Loss),
        frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", weight=[(10, 0.0), (20, 1.0)]),
    )
    phases = build_phases(
        dict(
            discriminators=dict(
                updates=["discriminators"],
                losses=dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame")),
                begin=5,
                end=30,
            ),
            generator=dict(updates=["generator"], losses=losses, every=2),
        )
    )
    # The L1 alone, nothing at 1, both (6), the discriminator alone (5), all three (12, as the schedule leaves 0 at 11).
    # Behind 30 without the discriminator: the L1 with its adversarial loss (30).
    assert distinct_iterations(phases) == [0, 5, 6, 12, 30]


def test_the_step_that_holds_most_is_taken():
    """The adversarial loss begins at iteration 7, and with it the discriminator looks at twice as much."""
    settings = phases("frame")
    settings["generator"]["losses"]["frame_adversarial"]["weight"] = [(7, 0.0), (8, 0.5)]
    model = build(phases=settings, discriminators=dict(frame=discriminator()))
    rows, iteration = dry_training(deepcopy(model).to("meta"), OPTIMIZERS, 6)
    MessageHub.get_current_instance().update_info("iter", 8)
    late = profile_training(model, OPTIMIZERS, 6)
    MessageHub.get_current_instance().update_info("iter", 0)
    assert iteration == 8
    assert [row.peak_bytes for row in rows] == [row.peak_bytes for row in late]
    assert rows[-1].peak_bytes > profile_training(model, OPTIMIZERS, 6)[-1].peak_bytes


def test_a_config_at_full_width_and_the_same_by_the_tool(monkeypatch, capsys):
    """ImaGINator's 64 clips of 32 frames: at least as much as its 89 million weights, gradients and moments."""
    profile = profile_dry_run(load_config("imaginator_mug"), "imaginator_mug")
    assert (profile.clips, profile.training_frames, profile.image_size, profile.parts) == (64, 32, 64, [])
    step = profile.training[-1]
    assert step.parameters == 89_298_053 and step.held_bytes > 12 * step.parameters
    assert 4 < profile.step_bytes / 2**30 < 10
    monkeypatch.setattr("sys.argv", ["flops.py", "imaginator_mug", "--dry-run", "--clips", "2"])
    runpy.run_path(Path(__file__).parents[2] / "tools/flops.py", run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["imaginator_mug", "training", "step"]
    assert any("2 clips of 32 frames of 64 x 64 pixels; its memory: 1." in line for line in lines)


def test_what_does_not_train_has_no_step():
    cfg = load_config("imaginator_weizmann")
    cfg.optim_wrapper = None
    with pytest.raises(ConfigError, match="nothing trains"):
        profile_dry_run(cfg, "mine")


def test_minutes_of_a_training_are_bound_by_products_or_by_kernels():
    """Doubled: a multiply-add is two operations. Many kernels take their starts, 0.01 ms each."""
    cfg = Config(dict(train_cfg=dict(max_iters=6000)))
    steps = [PartProfile("training step", 0, macs=10**12, operations=number) for number in (100, 10_000)]
    bound = [training_minutes(cfg, ModelProfile("a", 0, 64, [], [step]), tflops=50) for step in steps]
    assert bound == pytest.approx([6000 * 2 / 50 / 60, 6000 * 0.1 / 60])
    assert (
        format_minutes(cfg, ModelProfile("a", 0, 64, [], steps[:1]), 50)
        == "a: 2 TFLOP and 100 kernels a step, 6000 iterations, 4 minutes at 50 TFLOP/s"
    )
    with pytest.raises(ConfigError, match="give --dry-run too"):
        main(["flops", "imaginator_mug", "--minutes", "90", "--debug"])
