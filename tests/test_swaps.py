"""One option swaps any part of any paper's config: the model builds and runs, or the architecture says why not."""

import re
from collections import Counter
from functools import cache

import mixing
import pytest
import torch

from i2vkit.config.finding import config_names
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.models import ImageToVideoGan
from i2vkit.registry import (
    CONTENT_ENCODERS,
    DECODERS,
    DISCRIMINATORS,
    FRAME_ENCODERS,
    HEADS,
    MODELS,
    MOTION_ENCODERS,
    MOTION_GENERATORS,
    REFINERS,
    VIEWS,
)
from i2vkit.structures import VideoBatch

SLOTS = {
    "content_encoder": CONTENT_ENCODERS,
    "motion_encoder": MOTION_ENCODERS,
    "motion_generator": MOTION_GENERATORS,
    "decoder": DECODERS,
    "head": HEADS,
    "refiner": REFINERS,
    "motion_encoder.frame_encoder": FRAME_ENCODERS,
    "network": DISCRIMINATORS,
    "view": VIEWS,
}
PAPERS = ("dtgan_weizmann", "imaginator_mug", "dual_mtgan_weizmann", "frgan_refine_mug")
# Every way to be refused; anything else is a fault of ours.
REASONS = (
    r"^\w+ needs (content|motion)\.\w+, but .* give\(s\) .* and no adapter makes it; set a part that gives",
    r"^model\.generator\.\w+ \w+ is not built: nothing that \w+ reads comes from it\. Leave it away, or swap",
    r"^every pass draws its motion from the prior, so \w+ would never be called",
    r"^\w+ judges \w+, but \w+ shows \w+: change one of the two",
    r"^LastDynamics looks at encoded motion, and this generator has no motion encoder that gives any",
    r"^\w+ cannot be conditioned on an image or on maps",
    r"^MapDifferenceEncoder encodes condition maps, and the model has none: set model.map_channels",
    r"^a loss or view encodes the motion of a video",
    r"^pass '\w+' draws its motion from a prior, but \w+ has none: use a variational motion encoder",
    r"^loss '\w+' (needs|compares|reads|shows) ",
    r"^UNetDecoder halves down to one pixel: it makes images of .*, not of 96",
    r"^VolumeRefiner halves frames and time",
    r"^view .\w+. needs the argument .\w+.",
    r"^\w+ has batch norm, so that a sample's score depends on the others of its batch",
    r"^\w+ needs clips of \d+ frames or more, but \w+ shows \d+: change one of the two",
    r"^decoded_frames decodes a few frames of each clip, and \w+ makes .*: set model.decoded_frames=None",
    r"^\w+ makes each frame from the one before, .*and \w+ (needs the|refines) whole clips?: (take|leave)",
    r"^\w+ doubles (maps )?\d+ times, .*: give as many",
    r"^\w+ (cannot halve \d+ pixels|halves frames) \d+ times.*: give fewer widths",
    r"^\w+ reads one motion code a clip, \(B, D\), and the motion encoder gives one a step, .*: take another part",
    r"^a discriminator is conditioned on \"\w+\", which this model does not have: set model.discriminators",
    r'^skips_from="past" .*: set skips_from="image"',
)
outcomes: Counter = Counter()


@cache
def plain(name: str):
    return load_config(name)


def structure(name: str) -> str:
    """What two configs share whose swaps come to the same: the classes of their parts and the image size."""
    model = plain(name).model
    generator = {
        slot: part["type"].__name__ if isinstance(part, dict) else part  # skips_from is a word
        for slot, part in model.generator.items()
        if slot != "type"
    }
    discriminators = {
        key: [discriminator[part]["type"].__name__ for part in ("network", "view")]
        for key, discriminator in model.get("discriminators", {}).items()
    }
    return f"{generator} {discriminators} {model.image_size} {model.frozen if 'frozen' in model else []}"


def kinds() -> list[str]:
    """A config of every structure, the four papers' first."""
    found: dict[str, str] = {}
    for name in (*PAPERS, *config_names()):
        if plain(name).model.type is ImageToVideoGan:
            found.setdefault(structure(name), name)
    return list(found.values())


def swaps(name: str) -> list[tuple[str, str]]:
    """Every (place, part) of a config."""
    model = plain(name).model
    places = [f"generator.{slot}" for slot in list(SLOTS)[:6]]
    if "frame_encoder" in (model.generator.motion_encoder or {}):
        places.append("generator.motion_encoder.frame_encoder")
    places += [
        f"discriminators.{discriminator}.{slot}"
        for discriminator in model.get("discriminators", {})
        for slot in ("network", "view")
    ]
    return [(place, part) for place in places for part in mixing.names(registry(place))]


def registry(place: str):
    return SLOTS[place.removeprefix("generator.") if place.startswith("generator") else place.split(".")[-1]]


def run(model: ImageToVideoGan, size: int) -> None:
    """All passes on the meta device, with images and labels."""
    length = model.generator.lengths.at_least(4)
    clip = VideoBatch(
        torch.empty(2, 3, length, size, size, device="meta"),
        image=torch.empty(2, 3, size, size, device="meta"),
        label=torch.zeros(2, dtype=torch.long, device="meta"),
    )
    for made in model.generator(model.generator.with_conditions(clip), model.passes).values():
        assert made.video.shape == (2, 3, length, size, size)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in PAPERS else pytest.mark.slow) for name in kinds()]
)
def test_every_swap(name):
    for place, part in swaps(name):
        try:
            cfg = load_config(name, {f"model.{place}.type": part})
        except ConfigError as error:  # a part that nothing would read
            assert "is not built" in str(error) and re.match(REASONS[1], str(error)), f"{place}={part}: {error}"
            outcomes["refused"] += 1
            continue
        swapped = registry(place).get(part) is not at(plain(name).model, place).get("type")
        if swapped:
            assert at(cfg.model, place) == dict(type=part), "arguments of the old part stayed"
        try:
            with torch.device("meta"):
                model = MODELS.build(cfg.model)
        except ConfigError as error:
            assert any(re.match(reason, str(error)) for reason in REASONS), f"{place}={part}: {error}"
            outcomes["refused"] += 1
            continue
        run(model, cfg.model.image_size)
        updated = {id(p) for phase in model.phases for path in phase.updates for p in model.get_part(path).parameters()}
        left = [key for key, p in model.named_parameters() if p.requires_grad and id(p) not in updated]
        assert left == [], f"{place}={part}: neither frozen nor trained: {left[:3]}"
        loaded = [entry["part"] for entry in model.pretrained if f"{place}.".startswith(f"{entry['part']}.")]
        assert not loaded or not swapped or place.endswith(".view"), f"{place}={part} would load {loaded}"
        outcomes["built and run"] += 1


def at(model: dict, place: str) -> dict:
    """What stands at a place of a model's config; empty if nothing does."""
    for key in place.split("."):
        model = model.get(key) or {}
    return model


def test_the_log_names_what_was_swapped_and_the_adapters(monkeypatch):
    said = []
    for module in ("i2vkit.config.overriding", "i2vkit.models.assembly", "i2vkit.models.training.phased_model"):
        monkeypatch.setattr(f"{module}.print_log", lambda text, *_: said.append(text))
    with torch.device("meta"):
        MODELS.build(load_config("imaginator_mug", {"model.generator.decoder.type": "DenseDecoder"}).model)
    assert said == [
        "model.generator.decoder: TransposedConv1p2dDecoder -> DenseDecoder; arguments dropped: widths, "
        "temporal_widths",
        "adapter CodeToTrajectory: motion.trajectory from code",
    ]
    said.clear()
    swaps = {
        "model.generator.decoder.type": "TwoStreamDecoder",
        "model.discriminators.frame.network.type": "FrameDiscriminator",
    }
    cfg = load_config("frgan_refine_mug", swaps)
    assert [entry["part"] for entry in cfg.model.pretrained.values()] == [
        "generator.content_encoder",
        "generator.motion_encoder",
    ]
    assert "model.generator.decoder trains from its initial weights, and is not frozen any more" in said
    assert cfg.model.phases.generator["updates"] == ["generator"]
    with torch.device("meta"):
        model = MODELS.build(cfg.model)
    assert model.frozen == ["generator.content_encoder"]
    assert "generator.motion_encoder is not built: there is nothing to freeze or to load" in said
    head = load_config("frgan_refine_mug", {"model.generator.motion_generator.type": "LstmUnroll"}).model
    assert head.frozen == ["generator.content_encoder", "generator.motion_encoder"]
    load_config("dtgan_weizmann", {"model.generator.motion_generator.type": "LstmUnroll"})
    assert said[-1] == "model.generator.motion_generator: None -> LstmUnroll"


def test_how_many_swaps(capsys):
    """Prints what the test above did."""
    with capsys.disabled():
        print("\nswaps: " + ", ".join(f"{count} {what}" for what, count in outcomes.items()))
