"""Initial frames and label grids: their samples, on a real model, and lists of samples of every protocol replayed."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import NARROW, SIZE, gan_config

from i2vkit.config.loading import load_config
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.metrics import Psnr
from i2vkit.evaluation.protocols import (
    Forecast,
    InitialFrames,
    LabelGrid,
    Reconstruction,
    ReferenceTransfer,
    SampleList,
    Stochastic,
    Transfer,
    describe,
    write_samples,
)
from i2vkit.evaluation.run import check_motion
from i2vkit.evaluation.run import test as run_test
from i2vkit.media import write_image
from i2vkit.registry import MODELS

LABELS, FRAMES, LENGTH = ["a", "b"], 6, 4
MAPS = {name: np.full((40, 1, 2, 2), value, np.uint8) for value, name in enumerate(("maps", "forecast"))}


def index(root: str = "x", frames: int = 40, labels=LABELS) -> ClipIndex:
    """Two people, a clip of each label, which lie in ``root``; the last clip is shorter."""
    names = [(person, label) for person in ("P1", "P2") for label in LABELS]
    records = [
        ClipRecord(f"{p}/{a}/clip", FrameFolder((Path(root, p, a),)), p, a, frames - (i == 3), metadata=MAPS)
        for i, (p, a) in enumerate(names)
    ]
    return ClipIndex(records, labels)


def test_every_clip_begins_anew_from_its_first_frames(capsys):
    pairs = InitialFrames(length=31, number=10, seed=3).pairs(index())
    assert [pair.name for pair in pairs[:11]] == [*(f"P1/a/clip@{k}" for k in range(10)), "P1/b/clip@0"]
    assert len(pairs) == 3 * 10 + 9  # the last clip has 39 frames: it can go on from nine of them
    assert "1 clips have fewer than 40 frames" in capsys.readouterr().out
    assert [pair.seed for pair in pairs] == list(range(3, 42))
    tenth = pairs[9].driving
    assert (tenth.frames.start, tenth.frames.stop, tenth.num_frames, tenth.label) == (9, 40, 31, "a")
    assert {(pair.motion, pair.image_video, pair.label) for pair in pairs} == {("driving", None, None)}


def test_initial_frames_that_cannot_be():
    with pytest.raises(DataError, match="no clip has the 41 frames that InitialFrames needs"):
        InitialFrames(length=41).pairs(index())
    # Three clips have just as many frames as one initial frame needs.
    assert [pair.span for pair in InitialFrames(length=40).pairs(index())] == [(0, 40)] * 3
    with pytest.raises(ConfigError, match="min_length from 2 to length; got min_length=1"):
        InitialFrames(length=1)
    with pytest.raises(ConfigError, match="number is 0, but takes a whole number from 1"):
        InitialFrames(number=0)


def test_initial_frames_near_the_end_of_a_clip_are_taken_where_fewer_frames_are_enough():
    pairs = InitialFrames(length=45, number=3, min_length=38).pairs(index())  # clips of 40 frames, the last of 39
    assert [pair.span for pair in pairs] == [(0, 40), (1, 40), (2, 40)] * 3 + [(0, 39), (1, 39)]
    assert [pair.span for pair in InitialFrames(30, 2, min_length=20).pairs(index())[:2]] == [(0, 30), (1, 31)]
    with pytest.raises(ConfigError, match="min_length=9, length=8"):
        InitialFrames(length=8, min_length=9)


def test_every_label_moves_every_image():
    pairs = LabelGrid(seed=5).pairs(index())
    assert [(pair.driving.name, pair.label, pair.seed) for pair in pairs] == [
        ("P1/a/clip", "a", 5),
        ("P1/a/clip", "b", 6),
        ("P2/a/clip", "a", 7),
        ("P2/a/clip", "b", 8),
    ]
    assert [pair.name for pair in pairs[:2]] == ["P1/a/clip+a", "P1/a/clip+b"]
    assert len(LabelGrid(every_image=True).pairs(index())) == 4 * 2
    assert {pair.driving.name for pair in LabelGrid(["P2"], image_label="b").pairs(index())} == {"P2/b/clip"}


def test_labels_that_are_not_there():
    with pytest.raises(DataError, match="LabelGrid needs labels, but these clips have none"):
        LabelGrid().pairs(index(labels=[]))
    with pytest.raises(DataError, match="ReferenceTransfer draws a clip of each label, but these clips have no labels"):
        ReferenceTransfer().pairs(index(labels=[]))
    with pytest.raises(DataError, match="people without a clip: P9"):
        LabelGrid(["P1", "P9"]).pairs(index())


PLANS = [
    Reconstruction(),
    Transfer(driving_people=["P1"]),
    ReferenceTransfer(draw=3),
    Stochastic(num_samples=3),
    InitialFrames(length=31, number=4),
    LabelGrid(),
    Forecast("true", start=9, length=20),
    Forecast("forecast", start=9, length=20),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.name}{getattr(plan, 'poses', '')}")
def test_the_list_of_every_protocol_can_be_replayed_and_on_other_data(plan, tmp_path):
    pairs = plan.pairs(index())
    write_samples(pairs, tmp_path / "samples.json", {"name": "mine", "type": plan.name})
    replay = SampleList(tmp_path / "samples.json")
    assert replay.pairs(index()) == pairs and replay.replayed == {"name": "mine", "type": plan.name}
    moved = replay.pairs(index("elsewhere"))
    assert [describe(pair) for pair in moved] == [describe(pair) for pair in pairs]
    frames = [getattr(pair.driving.frames, "source", pair.driving.frames) for pair in moved]
    assert all(folder.paths[0].parts[0] == "elsewhere" for folder in frames)
    assert [pair.seed for pair in SampleList(tmp_path / "samples.json", seed=100).pairs(index())] == [
        pair.seed + 100 for pair in pairs
    ]


def test_forecast_maps_come_with_a_replayed_list(tmp_path):
    write_samples(PLANS[-1].pairs(index()), tmp_path / "samples.json")
    assert SampleList(tmp_path / "samples.json").pairs(index())[0].driving.metadata["maps"] is MAPS["forecast"]


def sample(**changes):
    return [dict(driving="P1/a/clip", image_video=None, motion="driving", seed=0) | changes]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (sample(driving="P9/a"), "names 1 clips that the data lack .first: P9/a"),
        (sample(label="c"), "asks for label 'c'; these data know: a, b"),
        (sample(frames=[30, 41]), "does not fit these data: clip P1/a/clip has 40 frames, not those from 30 to 40"),
        (sample(maps="depth"), "does not fit these data: clip P1/a/clip has no depth poses"),
        (sample(frame=3), "sample 0 has an unknown key 'frame', known are driving, image_video"),
        (sample(seed="1"), "sample 0 has a wrong value of seed"),
        (sample(motion="mine"), "motion that is neither"),
        (sample(frames=[3]), "frames that are not a start and a stop"),
    ],
)
def test_lists_that_do_not_fit_are_refused(content, message, tmp_path):
    (tmp_path / "samples.json").write_text(json.dumps({"samples": content}))
    with pytest.raises(DataError, match=message):
        SampleList(tmp_path / "samples.json").pairs(index())


def model(prior=True, label=True, random=True):
    return SimpleNamespace(generator=SimpleNamespace(has_prior=prior, reads_label=label, is_random=lambda _: random))


def test_what_a_model_cannot_do_is_refused():
    one = index().records[0]
    grid = [Pair(one, motion="prior", label="a"), Pair(one, motion="prior", label="b")]
    check_motion(model(random=False), grid)  # one video a label: nothing must vary
    with pytest.raises(ConfigError, match="this model is deterministic"):
        check_motion(model(random=False), [Pair(one, motion="prior")] * 2)
    with pytest.raises(ConfigError, match="this model is deterministic"):
        check_motion(model(prior=False), grid)
    with pytest.raises(ConfigError, match="asks for labels, and this model reads none"):
        check_motion(model(label=False), grid)
    with pytest.raises(ConfigError, match="make two lists"):
        check_motion(model(), [*grid, Pair(one)])
    with pytest.raises(ConfigError, match="make two lists"):
        check_motion(model(), [grid[0], Pair(one)])
    with pytest.raises(ConfigError, match="asks for labels, and this model reads none"):
        check_motion(SimpleNamespace(), [Pair(one, label="a")])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A clip of each of two people; frame t is of level 20 (t + 1), of the second person by 5 brighter."""
    root = tmp_path_factory.mktemp("clips")
    for person, label in enumerate(LABELS):
        for t in range(FRAMES):
            frame = np.full((SIZE, SIZE, 3), 20 * (t + 1) + 5 * person, dtype=np.uint8)
            write_image(root / f"P{person}" / label / "clip" / f"{t}.png", frame)
    return root


@pytest.fixture(scope="module")
def imaginator(root, tmp_path_factory):
    """ImaGINator, narrow, as config and checkpoint."""
    torch.manual_seed(0)
    parts = ("ConvPyramidEncoder", "LabelFusion", "TransposedConv1p2dDecoder")
    slots = ("content_encoder", "motion_generator", "decoder")
    generator = dict(motion_encoder=None) | {slot: NARROW[part] for slot, part in zip(slots, parts, strict=True)}
    dataset = dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root=str(root)),
        pipeline=dict(
            window=dict(type=FirstFrames, length=LENGTH), read=dict(type=ReadFrames), pack=dict(type=PackClip)
        ),
        cache="file",
    )
    cfg = Config(
        dict(
            model=gan_config(generator=generator, labels=LABELS, discriminators={}, phases={}, frozen=[]),
            test_dataloader=dict(
                batch_size=3,
                num_workers=0,
                dataset=dataset,
                sampler=dict(type=PositionSampler, ordered=True),
                collate_fn=dict(type="pseudo_collate"),
            ),
            test_evaluator=dict(psnr=dict(type=Psnr)),
            protocols=dict(
                initial_frames=dict(type=InitialFrames, number=10, length=LENGTH), label_grid=dict(type=LabelGrid)
            ),
        )
    )
    built = MODELS.build(cfg.model)
    with torch.no_grad():
        for value in built.generator.decoder.parameters():
            value.mul_(2)
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save({"state_dict": built.state_dict()}, path)
    return cfg, path


@pytest.fixture(autouse=True)
def caches(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("I2VKIT_CACHE", str(tmp_path_factory.getbasetemp() / "caches"))


def test_videos_from_initial_frames_are_scored_against_what_follows(imaginator, tmp_path):
    """The static baseline, frame k repeated, is off by 20, 40 and 60 levels, wherever a clip begins."""
    result = run_test(*imaginator, "initial_frames", tmp_path)
    assert [v["name"] for v in result["per_video"]] == [
        f"P{p}/{LABELS[p]}/clip@{k}" for p in range(2) for k in range(3)
    ]
    static_baseline = np.mean([20 * np.log10(255 / error) for error in (20, 40, 60)])
    assert [v["psnr_static_baseline"] for v in result["per_video"]] == pytest.approx([static_baseline] * 6)
    assert len({v["psnr"] for v in result["per_video"]}) == 6
    assert result["bootstrap"] == {"over": "people", "number": 2, "level": 0.95, "draws": 2000}
    assert result["samples"][4] == dict(driving="P1/b/clip", image_video=None, motion="driving", seed=4, frames=[1, 5])
    again = run_test(*imaginator, str(tmp_path / "samples.json"), tmp_path / "again")
    assert again["per_video"] == result["per_video"]
    original = {"name": "initial_frames", "type": "InitialFrames"}
    assert again["protocol"] == {"name": "samples", "type": "SampleList", "replays": original}


def test_a_label_grid_shows_each_label_and_scores_the_clips_own(imaginator, tmp_path):
    result = run_test(*imaginator, "label_grid", tmp_path, save_videos=True)
    videos = result["per_video"]
    assert [(v["name"], v["label_name"]) for v in videos] == [
        ("P0/a/clip+a", "a"),
        ("P0/a/clip+b", "b"),
        ("P1/b/clip+a", "a"),
        ("P1/b/clip+b", "b"),
    ]
    assert [v["psnr"] is None for v in videos] == [False, True, True, False]
    assert (result["generated"], result["scored"], result["num_samples"]) == (4, 2, 1)
    files = sorted((tmp_path / "videos").iterdir())
    assert len(files) == 4 and files[0].read_bytes() != files[1].read_bytes()
    again = run_test(*imaginator, str(tmp_path / "metrics.json"), tmp_path / "again")
    assert again["per_video"] == videos


def test_configs_have_the_protocols_that_fit():
    """63 frames are 32 of stride 2; models without labels have no grid."""
    lengths = {"imaginator_mug": 63, "vgan_mug": 63, "mocogan_weizmann": 32, "imaginator_uva_nemo": 63}
    for name, length in lengths.items():
        protocols = load_config(name).protocols
        assert protocols.initial_frames.length == length
        assert ("label_grid" in protocols) == (name in ("imaginator_mug", "mocogan_weizmann"))
    assert "initial_frames" not in load_config("dtgan_oulu").protocols
