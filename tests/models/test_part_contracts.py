"""The contract of every registered part of a generator, in the first narrow model that reads it.

Gradients, clips that do not see each other, chunks, bf16, weights that come back, torch.export, and the output of
weights that a formula makes (``golden_outputs.json``). ``I2VKIT_WRITE_GOLDEN=1 pytest
tests/models/test_part_contracts.py -k golden`` writes these anew.
"""

import json
import os
import warnings
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import narrow
import pytest
import torch
from mixing import MOTIONS, generator_config, names, read_slots

from i2vkit.errors import ConfigError
from i2vkit.registry import CONTENT_ENCODERS, DECODERS, HEADS, MODELS, MOTION_ENCODERS, MOTION_GENERATORS, REFINERS
from i2vkit.structures import VideoBatch
from i2vkit.zoo.programs import GeneratorProgram

GOLDEN = Path(__file__).with_name("golden_outputs.json")
ROLES = {
    "content_encoder": CONTENT_ENCODERS,
    "motion_encoder": MOTION_ENCODERS,
    "motion_generator": MOTION_GENERATORS,
    "decoder": DECODERS,
    "head": HEADS,
    "refiner": REFINERS,
}
PARTS = [(role, name) for role, registry in ROLES.items() for name in names(registry)]
LENGTH = 8
CODED = {"LstmPredictor", "RecurrentPosterior"}


@cache
def row_with(role: str, name: str) -> dict:
    """Return the levels of the first model that reads a part."""
    contents = [name] if role == "content_encoder" else ["ConvPyramidEncoder", None]
    decoders = [name] if role == "decoder" else ["FrameDecoder", "UNetDecoder", *names(DECODERS)]
    motions = [
        motion
        for motion in [("CnnLstmEncoder", None), ("Conv3dEncoder", "LstmUnroll"), (None, "NoiseGru"), *MOTIONS]
        # Those that read content codes would give a decoder a content that it does not read.
        if (motion[role == "motion_generator"] == name if "motion" in role else not {*motion} & CODED)
    ]
    for content, motion, decoder in product(contents, motions, decoders):
        try:
            read = read_slots(content, motion, decoder)
        except ConfigError:
            continue
        if read == (content, motion) or (role == "decoder" and read[0] == content and None in motion):
            head = name if role == "head" else "DirectHead"
            refiner = name if role == "refiner" else None
            return dict(content_encoder=read[0], motion=read[1], decoder=decoder, head=head, refiner=refiner)
    raise AssertionError(f"no model reads {name}")


def build(role: str, name: str):
    """Return the model, with weights that a formula makes."""
    changes = dict(generator=generator_config(row_with(role, name)), discriminators={}, phases={}, frozen=[])
    torch.manual_seed(0)
    model = MODELS.build(narrow.gan_config(**changes)).eval()
    # Decoders whose frames are read again magnify rounding a thousandfold in eight frames if their weights are larger.
    narrow.set_weights(model.generator, gain=1.25 if role == "decoder" and model.generator.feeds_back else 1.5)
    return model


def clip(model, count: int = 2) -> VideoBatch:
    """Return clips that move, of a length that the model makes, with labels and maps."""
    length = model.generator.lengths.at_least(LENGTH)
    time, channel = torch.arange(length).view(1, 1, -1, 1, 1), torch.arange(3).view(1, 3, 1, 1, 1)
    place = torch.arange(narrow.SIZE)
    phase = torch.arange(count).view(-1, 1, 1, 1, 1) + channel
    video = torch.sin(place.view(1, 1, 1, -1, 1) / 4 + time / 3 + phase) * torch.cos(place.view(1, 1, 1, 1, -1) / 5)
    maps = -video[:, : narrow.MAPS]
    points = narrow.moving_points(length)[None] + torch.arange(count).view(-1, 1, 1, 1)  # (B, T, N, 2)
    return VideoBatch(
        video,
        image=video[:, :, 0],
        label=torch.arange(count) % len(narrow.LABELS),
        driving_maps=maps,
        image_maps=maps[:, :, 0],
        landmarks=points,
        image_landmarks=points[:, 0],
    )


def generate(model, given: VideoBatch, seeds=(0, 1)) -> torch.Tensor:
    motion = "driving" if model.generator.motion_encoder is not None or not model.generator.has_prior else "prior"
    with torch.no_grad():
        return next(model.generate_chunks([given], list(seeds), motion=motion)).video


def one(given: VideoBatch, number: int) -> VideoBatch:
    return VideoBatch(
        given.driving[number : number + 1],
        image=given.image[number : number + 1],
        label=given.label[number : number + 1],
        driving_maps=given.driving_maps[number : number + 1],
        image_maps=given.image_maps[number : number + 1],
        landmarks=given.landmarks[number : number + 1],
        image_landmarks=given.image_landmarks[number : number + 1],
    )


@pytest.mark.parametrize(("role", "name"), PARTS)
def test_a_clip_does_not_see_the_others_of_its_batch(role, name):
    model = build(role, name)
    given = clip(model)
    whole = generate(model, given)
    assert torch.isfinite(whole).all() and whole.std() > 1e-4
    for number in range(2):
        alone = generate(model, one(given, number), seeds=[number])
        assert (alone - whole[number : number + 1]).abs().max() < 1e-4


@pytest.mark.parametrize(("role", "name"), PARTS)
def test_chunks_make_the_whole_or_are_refused(role, name):
    model = build(role, name)
    given = clip(model)
    whole = generate(model, given)
    if not model.generator.supports_chunks:
        pieces = [given, given]
        with pytest.raises(ConfigError):
            list(model.generate_chunks(pieces, [0, 1], motion="driving" if model.generator.motion_encoder else "prior"))
        return
    pieces = [given.slice_frames(start, start + 3) for start in range(0, whole.shape[2], 3)]
    motion = "driving" if model.generator.motion_encoder is not None or not model.generator.has_prior else "prior"
    with torch.no_grad():
        chunked = torch.cat([made.video for made in model.generate_chunks(pieces, [0, 1], motion=motion)], dim=2)
    assert chunked.shape == whole.shape
    assert (chunked - whole).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("role", "name"), [part for part in PARTS if part[0] in ("motion_encoder", "motion_generator")]
)
def test_the_frame_rate_matters_unless_a_generator_works_frame_by_frame(role, name):
    """Without every second driving frame: the others are as before, exactly where all parts declare it."""
    model = build(role, name)
    given = clip(model)
    fewer = {name: getattr(given, name)[:, :, ::2] for name in ("driving", "driving_maps")}
    expected = generate(model, given)[:, :, ::2]
    found = generate(model, replace(given, **fewer, landmarks=given.landmarks[:, ::2]))
    assert ((found - expected).abs().max() < 1e-4) == model.generator.frame_wise
    if role == "motion_encoder":
        reads_frames_alone = ("GivenLandmarks", "KeypointEncoder", "LandmarkEncoder", "MapDifferenceEncoder")
        assert model.generator.motion_encoder.frame_wise == (name in reads_frames_alone)


@pytest.mark.parametrize(("role", "name"), PARTS)
def test_every_weight_gets_a_finite_gradient(role, name):
    model = build(role, name).train()  # a variational encoder draws, and its variance gets a gradient
    made = model.generator(model.generator.with_conditions(clip(model)), model.passes)["reconstruct"]
    total = made.video.square().mean() + made.video.mean()
    if made.encoded.prior_mean is not None:  # a learned prior has its gradient from the divergence alone
        total = total + (made.encoded.prior_mean + made.encoded.prior_log_variance).square().mean()
    total.backward()
    part = getattr(model.generator, role)
    gradients = {key: value.grad for key, value in part.named_parameters() if value.requires_grad}
    assert all(value is not None and torch.isfinite(value).all() for value in gradients.values()), [
        key for key, value in gradients.items() if value is None
    ]


@pytest.mark.parametrize(("role", "name"), PARTS)
def test_weights_come_back(role, name):
    model, other = build(role, name), build(role, name)
    with torch.no_grad():
        for value in other.generator.parameters():
            value.add_(0.5)
    expected = generate(model, clip(model))
    if any(True for _ in other.generator.parameters()):
        assert (generate(other, clip(other)) - expected).abs().max() > 1e-4
    other.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(generate(other, clip(other)), expected)


@pytest.mark.parametrize(("role", "name"), PARTS)
def test_bf16_makes_about_the_same_frames(role, name):
    model = build(role, name)
    expected = generate(model, clip(model))
    model.precision = "bf16"
    found = generate(model, clip(model)).float()
    assert torch.isfinite(found).all()
    assert (found - expected).abs().mean() < 0.05 + 0.2 * expected.abs().mean()


@pytest.mark.parametrize(("role", "name"), PARTS)
def test_golden_outputs(role, name):
    """Frames of weights that a formula makes are those of the day on which they were written."""
    model = build(role, name)
    made = generate(model, clip(model)).double().flatten()
    # Six values that are spread over clips, channels, frames and places, as multiples of the golden ratio are.
    places = (torch.arange(1, 7, dtype=torch.float64) * 0.618034 % 1 * len(made)).long()
    found = [made.mean().item(), made.std().item(), *made[places].tolist()]
    golden = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("I2VKIT_WRITE_GOLDEN"):
        golden[f"{role} {name}"] = [round(value, 6) for value in found]
        GOLDEN.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n", encoding="utf-8")
        return
    assert found == pytest.approx(golden[f"{role} {name}"], abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("role", "name"), PARTS)
def test_torch_export_makes_the_same_frames(role, name):
    model = build(role, name).requires_grad_(False)
    program = GeneratorProgram(model, model.generator.lengths.at_least(LENGTH)).eval()
    inputs = program.example(len(model.labels))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("ignore", message="The tensor attributes? ")
        exported = torch.export.export(program, (), inputs).module()
        inputs = {
            key: value if key == "noise" or not value.is_floating_point() else value + 0.25
            for key, value in inputs.items()
        }
        assert (exported(**inputs) - program(**inputs)).abs().max() < 1e-3
