"""Videos by label and by seed: what depends on what, one grid of several, and what a model cannot do is said."""

import re

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import NARROW, SIZE, discriminator, gan_config

from i2vkit.apis import inputs
from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.datasets.transforms import RandomWindow
from i2vkit.engine import labels
from i2vkit.errors import ConfigError
from i2vkit.media import read_image, read_video
from i2vkit.models.decoders import UNetDecoder
from i2vkit.models.generation_state import GenerationState, SeedInterpolation, spherical
from i2vkit.models.generator_weights import export_generator
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

IMAGE = np.kron(np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
DRIVING = np.stack([np.roll(IMAGE, t, axis=0) for t in range(8)])

WHOLE_CLIPS = dict(
    content_encoder=NARROW["ConvPyramidEncoder"],
    motion_encoder=None,
    motion_generator=NARROW["LabelFusion"],
    decoder=NARROW["TransposedConv1p2dDecoder"],  # 4, 6, 8, ... frames
)
FRAME_BY_FRAME = WHOLE_CLIPS | dict(motion_generator=NARROW["NoiseGru"], decoder=NARROW["FrameDecoder"])
TRANSFER_OR_PRIOR = FRAME_BY_FRAME | dict(motion_encoder=NARROW["Conv3dEncoder"], motion_generator=NARROW["LstmUnroll"])
WITHOUT_DROPOUT = NARROW["UNetDecoder"] | dict(type=UNetDecoder, dropout_at_test=False)
LABELS_ALONE = WHOLE_CLIPS | dict(motion_generator=NARROW["LabelFusion"] | dict(noise=0))

IMAGE_ALONE = WHOLE_CLIPS | dict(motion_generator=None, decoder=NARROW["TwoStreamDecoder"])


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Makes the inferencer of a generator, once for each."""
    made = {}

    def make(generator, names=("fear", "joy", "rage"), trained=8) -> I2VInferencer:
        key = repr((generator, names, trained))
        if key not in made:
            phases = dict(
                discriminators=dict(
                    updates=["discriminators.one"],
                    losses=dict(one_discriminator=dict(type=DiscriminatorLoss, discriminator="one")),
                ),
                generator=dict(
                    updates=["generator"], losses=dict(one_adversarial=dict(type=AdversarialLoss, discriminator="one"))
                ),
            )
            model = gan_config(
                generator=generator,
                labels=list(names),
                discriminators=dict(one=discriminator()),
                phases=phases,
                frozen=[],
            )
            pipeline = dict(window=dict(type=RandomWindow, length=trained))
            cfg = Config(dict(model=model, train_dataloader=dict(dataset=dict(pipeline=pipeline)) if trained else None))
            torch.manual_seed(0)
            built = MODELS.build(cfg.model)
            with torch.no_grad():
                for name, value in built.generator.named_parameters():
                    value.mul_(1 if "encoder" in name else 2)
            path = tmp_path_factory.mktemp("weights") / "generator.safetensors"
            export_generator(built, cfg, path)
            made[key] = I2VInferencer(cfg, path, device="cpu")
        return made[key]

    return make


def distance(one, other) -> float:
    return np.abs(one.astype(int) - other).max()


def test_a_label_is_given_by_name_or_by_class_index(build):
    animate = build(WHOLE_CLIPS)
    joy = animate(IMAGE, label="joy", seed=7).frames
    assert joy.shape == (8, SIZE, SIZE, 3)
    for same in (1, "1"):
        np.testing.assert_array_equal(animate(IMAGE, label=same, seed=7).frames, joy)
    assert distance(animate(IMAGE, label="fear", seed=7).frames, joy) > 2
    assert animate.labels == ["fear", "joy", "rage"]


def test_a_name_of_digits_goes_before_the_class_index():
    assert labels.find_label(["2", "0", "1"], "0") == 1
    assert labels.find_label(["2", "0", "1"], 0) == 0


@pytest.mark.parametrize("generator", [WHOLE_CLIPS, FRAME_BY_FRAME])
def test_a_sample_is_its_seed_whatever_their_number(build, generator):
    animate = build(generator)
    four = animate(IMAGE, label="rage", samples=4, seed=7)
    assert four.videos.shape == (4, 8, SIZE, SIZE, 3)
    assert four.captions == ("seed 7", "seed 8", "seed 9", "seed 10")
    np.testing.assert_array_equal(animate(IMAGE, label="rage", samples=4, seed=7).videos, four.videos)
    np.testing.assert_array_equal(animate(IMAGE, label="rage", samples=2, seed=7).videos, four.videos[:2])
    np.testing.assert_array_equal(animate(IMAGE, label="rage", seed=9).frames, four.videos[2])
    assert all(distance(four.videos[0], other) > 0 for other in four.videos[1:])


def test_all_labels_are_those_of_one_label_each(build):
    animate = build(WHOLE_CLIPS)
    every = animate(IMAGE, all_labels=True, seed=3)
    assert every.captions == ("0 fear", "1 joy", "2 rage") and every.videos.shape[0] == 3
    for index, video in enumerate(every.videos):
        np.testing.assert_array_equal(animate(IMAGE, label=index, seed=3).frames, video)


def test_several_labels_and_samples_are_rows_and_columns(build, tmp_path):
    both = build(WHOLE_CLIPS)(IMAGE, None, tmp_path / "grid.mkv", all_labels=True, samples=2, seed=3, keep_frames=True)
    assert both.captions[:3] == ("0 fear, seed 3", "0 fear, seed 4", "1 joy, seed 3")
    np.testing.assert_array_equal(both.videos[3], build(WHOLE_CLIPS)(IMAGE, label="joy", seed=4).frames)
    grid = read_video(tmp_path / "grid.mkv")
    assert grid.shape == (8, 3 * (256 + 24), 3 * 256 + 2 * 4, 3)
    assert (grid[:, 280:, :256] == 255).all()  # below the image


def test_files_are_one_grid_and_the_same_bytes_each_time(build, tmp_path):
    animate = build(WHOLE_CLIPS)
    for name in ("a.mp4", "b.mp4"):
        animation = animate(IMAGE, None, tmp_path / name, label="joy", samples=4, seed=7)
        assert animation.videos is None and animation.num_frames == 8
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert read_video(tmp_path / "a.mp4").shape == (8, 256 + 24, 5 * 256 + 4 * 4, 3)
    animate(IMAGE, None, tmp_path / "c.mp4", label="joy", samples=4, seed=8)
    assert (tmp_path / "a.mp4").read_bytes() != (tmp_path / "c.mp4").read_bytes()
    animate(IMAGE, None, tmp_path / "alone.mkv", label="joy", seed=7, side_by_side=False)
    np.testing.assert_array_equal(read_video(tmp_path / "alone.mkv"), animate(IMAGE, label="joy", seed=7).frames)
    animate(IMAGE, None, tmp_path / "strip.png", all_labels=True)
    assert 3 * 96 < read_image(tmp_path / "strip.png").shape[0] < 3 * 96 + 60


def test_length_is_that_of_training_or_the_one_asked_for(build):
    assert build(WHOLE_CLIPS)(IMAGE, label=0).num_frames == 8
    assert build(WHOLE_CLIPS, trained=None)(IMAGE, label=0).num_frames == 16
    assert build(WHOLE_CLIPS)(IMAGE, label=0, frames=6).num_frames == 6
    assert build(FRAME_BY_FRAME, trained=5)(IMAGE, label=0).num_frames == 5


def test_a_drawn_motion_in_chunks_is_the_motion_at_once(build):
    animate = build(FRAME_BY_FRAME)
    whole = animate(IMAGE, label=1, frames=7).frames
    assert distance(animate(IMAGE, label=1, frames=7, chunk=3).frames, whole) <= 1


def test_a_variational_model_is_driven_or_samples(build):
    animate = build(TRANSFER_OR_PRIOR)
    driven = animate(IMAGE, DRIVING)
    np.testing.assert_array_equal(animate(IMAGE, DRIVING, seed=5).frames, driven.frames)
    samples = animate(IMAGE, samples=3, seed=5, frames=9)
    assert samples.videos.shape[:2] == (3, 9)
    assert distance(samples.videos[0], samples.videos[1]) > 0
    with pytest.raises(ConfigError, match="3 samples were asked for, but this model is deterministic"):
        animate(IMAGE, DRIVING, samples=3)


def test_dropout_kept_at_test_is_noise(build, tmp_path):
    animation = build({})(IMAGE, DRIVING, tmp_path / "out.mkv", samples=2, keep_frames=True)
    assert distance(*animation.videos) > 0
    assert read_video(tmp_path / "out.mkv").shape == (8, 2 * (256 + 24), 2 * 256 + 4, 3)
    np.testing.assert_array_equal(build({})(IMAGE, DRIVING, seed=1).frames, animation.videos[1])


def test_without_labels_noise_is_all(build):
    animate = build(WHOLE_CLIPS, names=())
    assert animate.labels == [] and distance(*animate(IMAGE, samples=2).videos) > 0


@pytest.mark.parametrize("generator", [TRANSFER_OR_PRIOR, FRAME_BY_FRAME, WHOLE_CLIPS])
def test_a_walk_begins_and_ends_with_the_samples(build, generator):
    """Three motions: two rows, from seed 5 to 6 and from 6 to 7."""
    animate = build(generator)
    label = dict(label="joy") if animate.labels else {}
    samples = animate(IMAGE, samples=3, seed=5, **label).videos
    walk = animate(IMAGE, interpolate=3, steps=4, seed=5, **label)
    assert walk.videos.shape == (8, 8, SIZE, SIZE, 3)
    assert walk.captions[:5] == ("seed 5", "seed 5 to 6: 0.333", "seed 5 to 6: 0.667", "seed 6", "seed 6")
    for place, sample in ((0, 0), (3, 1), (4, 1), (7, 2)):
        np.testing.assert_array_equal(walk.videos[place], samples[sample])
    for between in walk.videos[1:3]:
        assert distance(between, samples[0]) > 0 and distance(between, samples[1]) > 0


def test_a_walk_goes_evenly_over_the_sphere(build):
    """The codes of a stretch: as long as a draw of N(0, I), and the same angle from one to the next."""
    model = build(TRANSFER_OR_PRIOR).model
    clip = VideoBatch(torch.zeros(1, 3, 8, SIZE, SIZE))
    codes = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        [made] = model.generate_chunks([clip], [SeedInterpolation(1, 2, share)], motion="prior")
        codes.append(made.encoded.code[0].double())
    start, end = codes[0], codes[-1]
    whole = torch.arccos(torch.cosine_similarity(start, end, dim=0))
    for share, code in zip((0, 0.25, 0.5, 0.75, 1), codes, strict=True):
        expected = (torch.sin((1 - share) * whole) * start + torch.sin(share * whole) * end) / torch.sin(whole)
        torch.testing.assert_close(code, expected, atol=1e-5, rtol=0)
    [other] = model.generate_chunks([clip], [2], motion="prior")
    torch.testing.assert_close(other.encoded.code[0].double(), end, atol=0, rtol=0)


def test_draws_between_seeds_keep_their_distributions():
    """Over many pairs of seeds: lengths of normal draws as those of the ends, uniform draws still uniform."""
    many, part = torch.zeros(400, 1), torch.nn.Identity()
    state = GenerationState([SeedInterpolation(2 * k, 2 * k + 1, 0.5) for k in range(400)])
    lengths = state.normal(part, "code", (64,), many).norm(dim=1)
    assert lengths.mean().item() == pytest.approx(8, abs=0.1)  # a straight line would give 8 / sqrt(2)
    values = state.uniform(part, "mask", (8,), many).flatten().sort().values
    assert (values - torch.linspace(0, 1, len(values))).abs().max() < 0.04
    steps = state.normal_per_frame(part, "steps", 3, (64,), many)
    assert steps.norm(dim=2).mean().item() == pytest.approx(8, abs=0.1)


def test_parallel_vectors_are_joined_by_a_line():
    vector = torch.tensor([1.0, 2.0])
    torch.testing.assert_close(spherical(vector, 3 * vector, 0.5), 2 * vector)
    torch.testing.assert_close(spherical(0 * vector, vector, 0.5), 0.5 * vector)
    assert spherical(torch.zeros(0), torch.zeros(0), 0.5).shape == (0,)


def test_a_walk_is_one_grid_with_a_row_for_each_stretch(build, tmp_path):
    animate = build(TRANSFER_OR_PRIOR)
    walk = animate(IMAGE, None, tmp_path / "walk.mkv", interpolate=3, steps=4)
    assert walk.videos is None and len(walk.captions) == 8
    grid = read_video(tmp_path / "walk.mkv")
    assert grid.shape == (8, 2 * (256 + 24), 5 * 256 + 4 * 4, 3)
    last, first = (4 * 260, 24), (260, 280 + 24)  # seed 1, at the end of row 1 and at the start of row 2
    cells = [grid[:, y : y + 256, x : x + 256] for x, y in (last, first)]
    np.testing.assert_array_equal(*cells)
    assert animate(IMAGE, None, tmp_path / "row.mkv", interpolate=2, keep_frames=True).videos.shape[0] == 6
    assert read_video(tmp_path / "row.mkv").shape[1] < 2 * 200  # one row
    every = build(WHOLE_CLIPS)(IMAGE, all_labels=True, interpolate=2, steps=3)
    assert every.captions[3:6] == ("1 joy, seed 0", "1 joy, seed 0 to 1: 0.5", "1 joy, seed 1")


WALK = dict(interpolate=2)
REFUSED = [
    (WHOLE_CLIPS, dict(), "it knows 0 fear, 1 joy, 2 rage"),
    (WHOLE_CLIPS, dict(label="angst"), "no label 'angst'; give one of these, by name or number: 0 fear, 1 joy, 2 rage"),
    (WHOLE_CLIPS, dict(label=3), "no label 3; "),
    (WHOLE_CLIPS, dict(label="-1"), "no label '-1'; "),
    (WHOLE_CLIPS, dict(label=0, all_labels=True), "not both"),
    (WHOLE_CLIPS, dict(label=0, samples=0), "samples is 0, but takes a whole number from 1"),
    (WHOLE_CLIPS, dict(label=0, seed=-1), "seed is -1, but takes a whole number from 0"),
    (WHOLE_CLIPS, dict(label=0, frames=7), "makes videos of 4, 6, 8, ... frames, not of 7"),
    (FRAME_BY_FRAME, dict(label=0, frames=0), "frames is 0, but takes a whole number from 1"),
    (WHOLE_CLIPS, dict(label=0, driving=DRIVING), "takes no driving video (--driving): its motion comes from a label"),
    (WHOLE_CLIPS, dict(label=0, samples=2, show_dynamics=True), "--show-dynamics"),
    (LABELS_ALONE, dict(label=0, samples=2), "2 samples were asked for, but this model is deterministic"),
    (TRANSFER_OR_PRIOR, dict(label=0), "do not depend on a label"),
    (TRANSFER_OR_PRIOR, dict(all_labels=True), "do not depend on a label"),
    (TRANSFER_OR_PRIOR, dict(driving=DRIVING, frames=4), "leave frames (--frames) away"),
    ({}, dict(), "give driving (--driving)"),
    (TRANSFER_OR_PRIOR, dict(samples=0), "samples is 0, but takes a whole number from 1"),
    ({}, dict(samples=8), "this model takes its motion from a video and from nothing else"),
    (TRANSFER_OR_PRIOR, WALK | dict(steps=1), "steps (--steps) is the number of videos of a walk, both ends included"),
    (TRANSFER_OR_PRIOR, dict(interpolate=1), "interpolate is 1, but takes a whole number from 2"),
    (TRANSFER_OR_PRIOR, WALK | dict(samples=3), "samples (--samples) or a walk between them (--interpolate), not both"),
    (TRANSFER_OR_PRIOR, dict(steps=6), "steps (--steps) are those of a walk"),
    (TRANSFER_OR_PRIOR, WALK | dict(seed=-1), "seed is -1, but takes a whole number from 0"),
    (TRANSFER_OR_PRIOR, WALK | dict(driving=DRIVING), "leave driving (--driving) away"),
    (TRANSFER_OR_PRIOR, WALK | dict(show_dynamics=True), "--show-dynamics"),
    (LABELS_ALONE, WALK | dict(label=0), "but this model is deterministic, it samples none"),
    ({}, WALK, "a walk between sampled motions (--interpolate) was asked for, but this model is deterministic"),
    ({}, WALK | dict(driving=DRIVING), "but this model is deterministic, it samples none"),
    (dict(decoder=WITHOUT_DROPOUT), dict(driving=DRIVING, samples=2), "this model is deterministic"),
]


@pytest.mark.parametrize(("generator", "wish", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_what_a_model_cannot_do_is_said_and_leaves_no_file(build, tmp_path, generator, wish, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        build(generator)(IMAGE, out=tmp_path / "out.mp4", **wish)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("generator", "names", "source"),
    [
        (WHOLE_CLIPS, "ab", r"a label \(--label or --all-labels\) and noise \(--samples and --seed\)"),
        (WHOLE_CLIPS, "", r"noise \(--samples and --seed\)"),
        (LABELS_ALONE, "ab", r"a label \(--label or --all-labels\)"),
        (IMAGE_ALONE, "", "the image alone"),
    ],
)
def test_who_takes_no_driving_video_says_what_moves_it_instead(build, generator, names, source):
    with pytest.raises(ConfigError, match=f"its motion comes from {source}$"):
        build(generator, names=tuple(names))(IMAGE, DRIVING)


def test_pictures_of_another_size_are_resized_and_that_is_said_once(build, monkeypatch):
    said = []
    monkeypatch.setattr(inputs, "print_log", lambda message, logger: said.append(message))
    animate = build(TRANSFER_OR_PRIOR, trained=4)
    big = np.repeat(np.repeat(IMAGE, 2, axis=0), 2, axis=1)
    expected = animate(IMAGE, DRIVING).frames
    for _ in range(2):
        np.testing.assert_array_equal(animate(big, DRIVING).frames, expected)
    assert said == ["the image is 64x64: resized to 32x32"]


def test_a_size_that_a_decoder_cannot_make_is_refused_with_those_it_can():
    def model(**changes):
        return gan_config(**changes, discriminators={}, phases={}, frozen=[])

    for generator, size, message in (
        (WHOLE_CLIPS, 36, "images of 8, 16, 24, ... pixels, not of 36"),
        (FRAME_BY_FRAME, 36, "images of 8, 16, 24, ... pixels, not of 36"),
        (FRAME_BY_FRAME, 4, "images of 8 pixels or more, not of 4"),
        ({}, 48, "images of 16, 32, 64, 128, ... pixels with one width per halving, not of 48"),
        ({}, 4, "images of 8 pixels or more, not of 4"),
    ):
        with pytest.raises(ConfigError, match=re.escape(message)):
            MODELS.build(model(generator=generator, image_size=size))


def test_a_model_that_makes_no_videos_is_refused_by_name(tmp_path):
    for use in (
        lambda: I2VInferencer("cnn_lstm_weizmann", tmp_path),
        lambda: export_generator(SupervisedOnly(), {}, "x"),
    ):
        with pytest.raises(ConfigError, match="makes no videos, it has no generator"):
            use()


class SupervisedOnly(torch.nn.Module):
    """A model without a generator."""
