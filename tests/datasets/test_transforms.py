from pathlib import Path

import numpy as np
import pytest
import torch

from i2vkit.datasets import ClipRecord, FrameCache, FrameFolder, Pair, SampledClip
from i2vkit.datasets.transforms import (
    CenterCrop,
    FirstFrames,
    LabelStates,
    PackClip,
    RandomColors,
    RandomCrop,
    RandomFlip,
    RandomWindow,
    Resample,
    Resize,
    WholeClip,
)
from i2vkit.errors import ConfigError, DataError


def record(name="ann/run/a", num_frames=30):
    return ClipRecord(name, FrameFolder((Path(name),)), name.split("/")[0], name.split("/")[1], num_frames)


def make_sample(seed=0, **clips):
    pair = Pair(*(clips[name].record if name in clips else None for name in ("driving", "image_video", "truth")))
    rng = np.random.default_rng(seed)
    return dict(rng=rng, pair=pair, clips=clips, labels=["run", "wave"], protocol="P", cache=FrameCache(0))


def indices(transform, num_frames, seed=0):
    return transform(make_sample(seed, driving=SampledClip(record(num_frames=num_frames))))["clips"][
        "driving"
    ].indices.tolist()


def noise(*shape):
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


# Sampling


def test_first_frames_whole_clip_and_resample():
    assert indices(FirstFrames(4), 10) == [0, 1, 2, 3]
    assert indices(FirstFrames(4, stride=3), 10) == [0, 3, 6, 9]
    assert indices(WholeClip(), 5) == [0, 1, 2, 3, 4]
    assert indices(WholeClip(max_length=3), 5) == [0, 1, 2]
    assert indices(WholeClip(max_length=9), 2) == [0, 1]
    assert indices(Resample(5), 9) == [0, 2, 4, 6, 8]
    assert indices(Resample(4), 2) == [0, 0, 1, 1]


def test_random_window_reaches_every_start_that_fits_and_no_other():
    windows = [indices(RandomWindow(3, stride=2), 8, seed) for seed in range(100)]
    assert {window[0] for window in windows} == {0, 1, 2, 3}
    assert all(np.diff(window).tolist() == [2, 2] for window in windows)


def test_random_window_starts_no_later_than_it_is_told():
    early = RandomWindow(3, latest=2)
    assert {indices(early, 8, seed)[0] for seed in range(100)} == {0, 1, 2}
    assert {indices(early, 4, seed)[0] for seed in range(100)} == {0, 1}  # no later one fits
    assert {indices(RandomWindow(3, latest=0), 8, seed)[0] for seed in range(20)} == {0}
    with pytest.raises(ConfigError, match="latest is -1, but takes a whole number from 0"):
        RandomWindow(3, latest=-1)


@pytest.mark.parametrize("window", [RandomWindow(16, stride=2), FirstFrames(16, stride=2)])
def test_a_clip_that_is_too_short_says_what_to_do(window):
    assert len(indices(window, 31)) == 16
    with pytest.raises(DataError) as error:
        indices(window, 30)
    for part in ("ann/run/a has 30 frames", f"{type(window).__name__}(", "needs 31", "min_frames=31", "Resample(16)"):
        assert part in str(error.value)


def test_truth_follows_the_source_and_the_target_goes_its_own_way():
    clips = dict(
        driving=SampledClip(record()),
        image_video=SampledClip(record("bob/run/a", 12)),
        truth=SampledClip(record("bob/run/as_ann")),
    )
    RandomWindow(4)(make_sample(3, **clips))
    assert clips["truth"].indices.tolist() == clips["driving"].indices.tolist()
    assert clips["image_video"].indices.max() < 12
    clips["truth"] = SampledClip(record("bob/run/as_ann", 29))
    with pytest.raises(DataError, match=r"bob/run/as_ann has 29 frames, but ann/run/a, .* has 30"):
        RandomWindow(4)(make_sample(3, **clips))


# Geometry


def test_resize_averages_areas_and_leaves_the_right_size_alone():
    frames = noise(2, 8, 12, 3)
    sampled = SampledClip(
        record(), frames=frames, joints=np.array([[[6.0, 4.0]]]), boxes=np.array([[0.0, 2.0, 12.0, 8.0]])
    )
    Resize((4, 6))(make_sample(driving=sampled))
    expected = frames.reshape(2, 4, 2, 6, 2, 3).mean(axis=(2, 4))
    assert np.abs(sampled.frames - expected).max() <= 0.5
    assert sampled.joints.tolist() == [[[2.75, 1.75]]]  # the first centre is half a pixel from the edge
    assert sampled.boxes.tolist() == [[0.0, 1.0, 6.0, 4.0]]
    before = sampled.frames
    Resize((4, 6))(make_sample(driving=sampled))
    assert sampled.frames is before
    Resize(10)(make_sample(driving=sampled))
    assert sampled.frames.shape == (2, 10, 10, 3)


def test_center_crop():
    frames = noise(2, 8, 13, 3)
    sampled = SampledClip(record(), frames=frames, boxes=np.array([[2.0, 0.0, 10.0, 8.0]]))
    CenterCrop()(make_sample(driving=sampled))
    assert np.array_equal(sampled.frames, frames[:, :, 2:10])
    assert sampled.boxes.tolist() == [[0.0, 0.0, 8.0, 8.0]]
    CenterCrop(4)(make_sample(driving=sampled))
    assert np.array_equal(sampled.frames, frames[:, 2:6, 4:8])
    with pytest.raises(DataError, match=r"ann/run/a is 4x4, too small for CenterCrop\(5\)"):
        CenterCrop(5)(make_sample(driving=sampled))


def test_flip_is_one_draw_for_all_clips():
    flipped = []
    for seed in range(40):
        driving, image_video = (
            SampledClip(record(), frames=noise(2, 4, 6, 3), boxes=np.array([[1.0, 0.0, 3.0, 2.0]])) for _ in "ab"
        )
        RandomFlip()(make_sample(seed, driving=driving, image_video=image_video))
        assert np.array_equal(driving.frames, image_video.frames)
        flipped.append(np.array_equal(driving.frames, noise(2, 4, 6, 3)[:, :, ::-1]))
        assert driving.boxes.tolist() == ([[3.0, 0.0, 5.0, 2.0]] if flipped[-1] else [[1.0, 0.0, 3.0, 2.0]])
    assert 10 < sum(flipped) < 30


def test_random_crop_takes_one_part_of_all_frames_and_takes_and_reaches_every_place():
    places, sides = set(), set()
    for seed in range(300):
        driving, truth = (SampledClip(record(), frames=noise(2, 6, 9, 3), joints=np.zeros((2, 13, 2))) for _ in "ab")
        RandomCrop(2 / 3)(make_sample(seed, driving=driving, truth=truth))
        height, width = driving.frames.shape[1:3]
        left, top = (-driving.joints[0, 0]).astype(int)
        assert np.array_equal(driving.frames, noise(2, 6, 9, 3)[:, top : top + height, left : left + width])
        assert np.array_equal(driving.frames, truth.frames) and np.array_equal(driving.joints, truth.joints)
        sides.add((height, width))
        if height == 4 and width == 6:
            places.add((top, left))
    assert sides == {(4, 6), (4, 7), (5, 7), (5, 8), (6, 8), (6, 9)}
    assert places == {(top, left) for top in range(3) for left in range(4)}
    whole = SampledClip(record(), frames=noise(2, 6, 9, 3))
    RandomCrop(1.0)(make_sample(driving=whole))
    assert np.array_equal(whole.frames, noise(2, 6, 9, 3)) and not whole.moved
    for smallest in (0, 1.1):
        with pytest.raises(ConfigError, match=f"smallest is {smallest}, but takes a number above 0 and at most 1"):
            RandomCrop(smallest)


def test_what_geometry_cannot_do_it_refuses():
    with pytest.raises(DataError, match="which of 7 points"):
        RandomFlip(1.0)(
            make_sample(driving=SampledClip(record(), frames=noise(1, 4, 4, 3), joints=np.zeros((1, 7, 2))))
        )
    sampled = SampledClip(record(), frames=noise(1, 4, 4, 3), maps=np.zeros((1, 5, 4, 4), np.uint8))
    for transform in (Resize(2), CenterCrop(2), RandomCrop(1.0), RandomFlip(0.0)):
        with pytest.raises(ConfigError, match="clip ann/run/a has condition maps"):
            transform(make_sample(driving=sampled))
    CenterCrop()(make_sample(driving=sampled))  # nothing to crop
    assert sampled.frames.shape == (1, 4, 4, 3) and not sampled.moved


# Colours


def test_random_colors_multiply_brightness_contrast_and_saturation_of_the_whole_clip():
    frames = np.repeat(noise(1, 4, 6, 3), 3, axis=0)
    drawn = np.random.default_rng(5).uniform(-1, 1, 3)  # what the transform draws with this seed
    brightness, contrast, saturation = (1 + drawn * (0.5, 0.4, 0.3)).round(12)
    driving, truth = SampledClip(record(), frames=frames), SampledClip(record(), frames=frames)
    RandomColors(0.5, 0.4, 0.3)(make_sample(5, driving=driving, truth=truth))

    def mixed(values, others, factor):
        return np.clip(values * factor + others * (1 - factor), 0, 255)

    grey = lambda values: (values @ (0.299, 0.587, 0.114))[..., None]  # noqa: E731
    expected = mixed(frames[0].astype(float), 0, brightness)
    expected = mixed(expected, grey(expected).mean(), contrast)
    expected = mixed(expected, grey(expected), saturation)
    assert np.abs(driving.frames - expected).max() <= 3  # three times rounded down
    assert driving.frames.dtype == np.uint8 and np.array_equal(driving.frames, truth.frames)
    assert (driving.frames == driving.frames[:1]).all() and np.abs(driving.frames - frames.astype(int)).max() > 20
    still = SampledClip(record(), frames=frames)
    RandomColors(0, 0, 0)(make_sample(driving=still))
    assert np.array_equal(still.frames, frames)
    still.frames.flags.writeable = False  # as frames of the cache are
    mirrored = SampledClip(record(), frames=frames[:, :, ::-1])
    RandomColors(0.5, 0.4, 0.3)(make_sample(5, driving=still, truth=mirrored))
    assert np.array_equal(still.frames, driving.frames)
    assert np.abs(mirrored.frames[:, :, ::-1] - driving.frames.astype(int)).max() <= 1  # another order of the sums
    with pytest.raises(ConfigError, match=r"contrast: it is in \[0, 1\], not 1.5"):
        RandomColors(contrast=1.5)


# States


def test_states_by_position_are_thirds_of_the_true_clip():
    sampled = SampledClip(record(num_frames=9), indices=np.arange(9))
    LabelStates(3)(make_sample(driving=sampled))
    assert sampled.states.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    late = SampledClip(record(num_frames=9), indices=np.array([5, 6, 8]))
    LabelStates(3)(make_sample(driving=late))
    assert late.states.tolist() == [1, 2, 2]


def test_states_by_displacement_are_thirds_of_the_largest():
    levels = np.array([50, 50, 79, 81, 109, 111, 140, 50], np.uint8)
    sampled = SampledClip(record(), indices=np.arange(8), frames=np.tile(levels[:, None, None, None], (1, 2, 2, 3)))
    LabelStates(3, by="displacement")(make_sample(driving=sampled))
    assert sampled.states.tolist() == [0, 0, 0, 1, 1, 2, 2, 0]
    sampled.frames = np.full((8, 2, 2, 3), 7, np.uint8)
    LabelStates(3, by="displacement")(make_sample(driving=sampled))
    assert sampled.states.tolist() == [0] * 8
    with pytest.raises(ConfigError, match="displacement"):
        LabelStates(3, by="speed")


# Packing


def test_pack_without_a_target():
    frames = noise(5, 4, 6, 3)
    sampled = SampledClip(record("ann/wave/a"), np.arange(5), frames, states=np.arange(5))
    packed = PackClip()(make_sample(driving=sampled))
    inputs, sample = packed["inputs"], packed["data_samples"]
    assert set(inputs) == {"driving", "num_frames", "label", "states"}
    assert np.array_equal(inputs["driving"].numpy(), frames.transpose(3, 0, 1, 2))
    assert inputs["driving"].dtype == torch.uint8
    assert inputs["label"].dtype == inputs["num_frames"].dtype == inputs["states"].dtype == torch.int64
    assert (inputs["label"].item(), inputs["num_frames"].item()) == (1, 5)
    assert np.array_equal(sample.image.numpy(), frames[0].transpose(2, 0, 1))
    assert torch.equal(sample.truth, inputs["driving"]) and torch.equal(sample.driving, inputs["driving"])
    assert (sample.name, sample.driving_person, sample.image_person) == ("ann/wave/a", "ann", "ann")
    assert (sample.label_name, sample.seed, sample.motion, sample.protocol) == ("wave", 0, "driving", "P")


def test_pack_with_target_and_truth():
    driving = SampledClip(record("ann/wave/a"), np.arange(5), noise(5, 4, 4, 3))
    image_video = SampledClip(record("bob/run/a"), np.arange(3), 255 - noise(3, 4, 4, 3))
    truth = SampledClip(record("bob/wave/as_ann"), np.arange(5), 255 - noise(5, 4, 4, 3))
    packed = PackClip()(make_sample(driving=driving, image_video=image_video, truth=truth))
    inputs, sample = packed["inputs"], packed["data_samples"]
    assert inputs["image_video_num_frames"].item() == 3
    assert np.array_equal(inputs["image"].numpy(), image_video.frames[0].transpose(2, 0, 1))
    assert torch.equal(sample.image, inputs["image"])
    assert np.array_equal(sample.truth.numpy(), truth.frames.transpose(3, 0, 1, 2))
    assert (sample.name, sample.image_name) == ("bob/run/a__ann/wave/a", "bob/run/a")
    packed = PackClip()(make_sample(driving=driving, image_video=image_video))
    assert "truth" not in packed["data_samples"]


def test_pack_gives_what_else_was_made():
    driving = SampledClip(record(), np.arange(2), noise(2, 4, 4, 3), maps=noise(2, 5, 4, 4))
    image_video = SampledClip(record("bob/run/a"), np.arange(2), noise(2, 4, 4, 3), maps=255 - noise(2, 5, 4, 4))
    inputs = PackClip()(make_sample(driving=driving, image_video=image_video))["inputs"]
    assert np.array_equal(inputs["driving_maps"].numpy(), driving.maps.transpose(1, 0, 2, 3))
    assert np.array_equal(inputs["image_maps"].numpy(), image_video.maps[0])
    assert inputs["driving_maps"].dtype == inputs["image_maps"].dtype == torch.uint8
    alone = PackClip()(make_sample(driving=driving))["inputs"]
    assert np.array_equal(alone["image_maps"].numpy(), driving.maps[0])


def test_pack_gives_the_landmarks_of_clip_and_image():
    points = np.arange(12, dtype=np.float64).reshape(2, 3, 2)
    driving = SampledClip(record(), np.arange(2), noise(2, 4, 4, 3), landmarks=points)
    image_video = SampledClip(record("bob/run/a"), np.arange(2), noise(2, 4, 4, 3), landmarks=points + 50)
    inputs = PackClip()(make_sample(driving=driving, image_video=image_video))["inputs"]
    assert np.array_equal(inputs["landmarks"].numpy(), points) and inputs["landmarks"].dtype == torch.float32
    assert inputs["image_landmarks"].tolist() == (points[0] + 50).tolist()
    assert PackClip()(make_sample(driving=driving))["inputs"]["image_landmarks"].tolist() == points[0].tolist()


def test_labels_that_are_not_there():
    unlabelled = ClipRecord("x", FrameFolder((Path("x"),)), "ann", None, 2)
    sample = make_sample(driving=SampledClip(unlabelled, np.arange(2), noise(2, 4, 4, 3)))
    assert PackClip()(dict(sample))["inputs"]["label"].item() == -1
    sample["labels"] = []
    assert "label" not in PackClip()(sample)["inputs"]
