"""Shipped models: found by name, loaded, added, described, scored again; files of weights that carry their config."""

import json
import os
import re
import stat
import sys
from itertools import product

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import SIZE, gan_config
from safetensors import safe_open
from safetensors.torch import load_file, save

from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.cli import zoo as command
from i2vkit.cli.main import main
from i2vkit.config.loading import load_config
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import PackClip, ReadFrames, Resample, Resize
from i2vkit.errors import CheckpointError, ConfigError, DataError
from i2vkit.evaluation.metrics import Psnr, Ssim
from i2vkit.evaluation.protocols import Reconstruction
from i2vkit.evaluation.run import test as score
from i2vkit.media import read_video, write_image
from i2vkit.models.generator_weights import file_digest
from i2vkit.registry import MODELS
from i2vkit.zoo import index as index_module
from i2vkit.zoo.adding import add_to_zoo
from i2vkit.zoo.cards import model_card
from i2vkit.zoo.index import INDEX, MAX_BYTES, as_table, find_entry, read_index
from i2vkit.zoo.metadata import config_of, portable, read_header
from i2vkit.zoo.pretrained import find_pretrained
from i2vkit.zoo.saving import export_weights
from i2vkit.zoo.scoring import quick_part
from i2vkit.zoo.showing import _rows, face_models
from i2vkit.zoo.verification import report, verify

FRAMES = 5
IMAGE = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
DRIVING = np.random.default_rng(1).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A narrow model that is tested on three clips of a moving square."""
    root = tmp_path_factory.mktemp("clips")
    for number in range(3):
        for t in range(FRAMES):
            frame = np.full((SIZE, SIZE, 3), 40 * (number + 1), np.uint8)
            frame[4 + 2 * t : 12 + 2 * t, 8:16] = 230
            write_image(root / f"P{number}/a/clip/{t:03d}.png", frame)
    pipeline = dict(
        window=dict(type=Resample, length=FRAMES),
        read=dict(type=ReadFrames),
        resize=dict(type=Resize, size=SIZE),
        pack=dict(type=PackClip),
    )
    dataset = dict(type=ClipDataset, reader=dict(type=ClipFolder, root=str(root)), pipeline=pipeline)
    return Config(
        dict(
            model=gan_config(),
            test_dataloader=dict(
                batch_size=3,
                num_workers=0,
                dataset=dataset,
                sampler=dict(type=PositionSampler, ordered=True),
                collate_fn=dict(type="pseudo_collate"),
            ),
            test_evaluator=dict(ssim=dict(type=Ssim), psnr=dict(type=Psnr)),
            protocols=dict(reconstruction=dict(type=Reconstruction)),
        )
    )


@pytest.fixture(scope="module")
def checkpoint(config, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    model = MODELS.build(config.model)
    with torch.no_grad():
        for value in model.generator.parameters():
            value.add_(0.3 * torch.randn_like(value))
    torch.save({"state_dict": model.state_dict(), "meta": {"iter": 40, "seed": 3}}, path)
    return path


@pytest.fixture(scope="module")
def weights(config, checkpoint, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "weights.safetensors"
    export_weights(config, checkpoint, path)
    return path


@pytest.fixture(scope="module")
def expected(config, checkpoint):
    return I2VInferencer(config, checkpoint, device="cpu")(IMAGE, DRIVING).videos


@pytest.fixture(scope="module")
def added(config, checkpoint, tmp_path_factory):
    """An index of one model that was added to an empty zoo."""
    index = tmp_path_factory.mktemp("zoo") / "index.json"
    add_to_zoo("tiny-gan", config, checkpoint, training={"minutes": 2}, data_words="squares", index=index)
    return index


def rewritten(driving, image_video, **changes):
    """A copy of a file of weights with another header; what is None is left out."""
    with safe_open(driving, framework="pt") as file:
        metadata = file.metadata() | changes
    image_video.write_bytes(
        save(load_file(driving), {key: value for key, value in metadata.items() if value is not None})
    )
    return image_video


# --- files of weights


def test_a_file_of_weights_carries_everything(config, weights, expected):
    header = read_header(weights)
    assert json.loads(header["resolved_config"]) == json.loads(json.dumps(portable(config)))
    assert json.loads(header["training"]) == {"iterations": 40, "seed": 3}
    assert (
        header["image_size"] == str(SIZE) and json.loads(header["versions"])["torch"] == torch.__version__.split("+")[0]
    )
    assert "num_workers" not in json.loads(header["resolved_config"])["test_dataloader"]
    made = I2VInferencer.from_pretrained(weights, device="cpu")(IMAGE, DRIVING).videos
    np.testing.assert_array_equal(made, expected)


def test_the_same_weights_make_the_same_file(config, checkpoint, weights, tmp_path):
    for number in range(4):  # the library writes metadata in an order that changes from call to call
        export_weights(config, checkpoint, tmp_path / f"{number}.safetensors")
        assert (tmp_path / f"{number}.safetensors").read_bytes() == weights.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_others_may_read_a_file_of_weights_as_the_umask_has_it(config, checkpoint, tmp_path):
    before = os.umask(0o027)
    try:
        export_weights(config, checkpoint, tmp_path / "w.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "w.safetensors").stat().st_mode) == 0o640


def test_a_header_of_another_program_is_refused(weights, tmp_path):
    bare = rewritten(weights, tmp_path / "bare.safetensors", resolved_config=None)
    with pytest.raises(CheckpointError, match="carries no config: it was written by another program"):
        find_pretrained(bare)
    damaged = rewritten(weights, tmp_path / "damaged.safetensors", resolved_config="{")
    with pytest.raises(CheckpointError, match=r"the config in .* is damaged"):
        find_pretrained(damaged)
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:200])
    with pytest.raises(CheckpointError, match=r"is not a \.safetensors file, or is cut"):
        find_pretrained(tmp_path / "cut.safetensors")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("torch.hub.load", "'torch.hub.load' is no part of this one"),
        ("i2vkit.media.write_image", "'i2vkit.media.write_image' is no part"),
        ("antigravity.fly", "parts of the package 'antigravity'"),
    ],
)
def test_a_header_cannot_name_functions_to_call(weights, tmp_path, kind, message):
    for slot in ("model", "head"):
        values = json.loads(read_header(weights)["resolved_config"])
        (values["model"] if slot == "model" else values["model"]["generator"]["head"])["type"] = kind
        path = rewritten(weights, tmp_path / "bad.safetensors", resolved_config=json.dumps(values))
        with pytest.raises(CheckpointError, match=re.escape(message)):
            I2VInferencer.from_pretrained(path)
    assert "antigravity" not in sys.modules


# --- every name that a model has


def test_folders_of_saved_models_load_and_save_again(config, checkpoint, expected, tmp_path):
    first = I2VInferencer(config, checkpoint, device="cpu")
    folder = first.save_pretrained(tmp_path / "saved", dtype="float32")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    again = I2VInferencer.from_pretrained(folder, device="cpu")
    np.testing.assert_array_equal(again(IMAGE, DRIVING).videos, expected)
    again.save_pretrained(tmp_path / "half")
    assert read_header(tmp_path / "half/model.safetensors")["dtype"] == "bfloat16"
    written = json.loads((folder / "config.json").read_text())
    assert written["training"] == {"iterations": 40, "seed": 3} and written["motion"] == ["driving video"]
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlicense: apache-2.0\nlibrary_name: i2vkit\npipeline_tag: image-to-video\n")
    assert "| iterations | 40 |" in card and "model-index" not in card


def test_a_work_dir_loads_with_the_config_that_training_wrote(tmp_path, checkpoint):
    options = {"model.image_size": SIZE, "model.generator.decoder.widths": (4, 8, 8, 8, 8)}
    options |= {"model.generator.motion_encoder.hidden": 8}
    cfg = load_config("dtgan_weizmann", options)
    cfg.dump(str(tmp_path / "dtgan_weizmann.py"))
    torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, tmp_path / "iter_7.pth")
    animate = I2VInferencer.from_pretrained(tmp_path, device="cpu")
    expected = I2VInferencer(cfg, tmp_path / "iter_7.pth", device="cpu")(IMAGE, DRIVING).videos
    np.testing.assert_array_equal(animate(IMAGE, DRIVING).videos, expected)
    (tmp_path / "dtgan_weizmann.py").unlink()
    with pytest.raises(ConfigError, match="has checkpoints and no config"):
        find_pretrained(tmp_path)


def test_a_repository_on_the_hub_is_read_from_its_cache(weights, expected, tmp_path, monkeypatch):
    """Laid out as the hub's library keeps a repository; nothing is asked of the network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    commit = "0" * 40
    repository = tmp_path / "models--someone--tiny-gan"
    (repository / "snapshots" / commit).mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(commit)
    (repository / "snapshots" / commit / "model.safetensors").write_bytes(weights.read_bytes())
    animate = I2VInferencer.from_pretrained("someone/tiny-gan", device="cpu")
    np.testing.assert_array_equal(animate(IMAGE, DRIVING).videos, expected)
    with pytest.raises(CheckpointError, match=r"'someone/other' is neither a shipped model .* nor a file or folder"):
        find_pretrained("someone/other")


def test_what_is_not_there_is_said(tmp_path, checkpoint):
    with pytest.raises(ConfigError, match="there is no shipped model 'dtgan-face'; nearest: dtgan-faces"):
        I2VInferencer.from_pretrained("dtgan-face")
    with pytest.raises(CheckpointError, match=r"there is no file .*none\.safetensors"):
        find_pretrained(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match="carries no config: give the config too"):
        find_pretrained(checkpoint)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        find_pretrained(tmp_path)


# --- the zoo


def test_an_added_model_is_listed_with_the_scores_of_its_file(config, added, checkpoint, tmp_path):
    entry = find_entry("tiny-gan", added)
    path = entry.verified_file(added)
    assert entry.bytes == path.stat().st_size and entry.sha256 == file_digest(path)
    assert entry.training == {"iterations": 40, "seed": 3, "minutes": 2} and entry.data == "squares"
    assert entry.motion == ["driving video"] and entry.image_size == SIZE and entry.quick_scores == {}
    scores = score(config, path, out=tmp_path)["scores"]
    assert float(entry.scores["ssim"]) == pytest.approx(scores["ssim"], abs=0.0005)
    assert float(entry.scores["psnr"]) == pytest.approx(scores["psnr"], abs=0.005)
    assert float(entry.static_baseline["psnr"]) != float(entry.scores["psnr"])
    assert "tiny-gan" in as_table(read_index(added)) and sorted(p.name for p in path.parent.iterdir()) == [path.name]
    card = model_card(read_header(path), entry)
    assert f"| this model | {entry.scores['ssim']} | {entry.scores['psnr']} |" in card
    assert f"    - type: psnr\n      value: {entry.scores['psnr']}\n" in card


def test_the_metrics_of_the_file_itself_can_be_given(config, added, checkpoint, tmp_path):
    half = find_entry("tiny-gan", added).file(added)
    score(config, half, out=tmp_path / "out")
    metrics, index = tmp_path / "out/metrics.json", tmp_path / "index.json"
    entry = add_to_zoo("copied", config, half, metrics, index=index)
    first = find_entry("tiny-gan", added)
    assert entry.scores == first.scores and entry.training == first.training and entry.data == first.data
    with pytest.raises(ConfigError, match="scores of another checkpoint or protocol"):
        add_to_zoo("other", config, checkpoint, metrics, index=index)
    score(config, checkpoint, out=tmp_path / "full")
    with pytest.raises(ConfigError, match="scores of weights in fp32, and the zoo rounds them"):
        add_to_zoo("other", config, checkpoint, tmp_path / "full/metrics.json", index=index)
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"is no metrics.json of i2v test: KeyError"):
        add_to_zoo("other", config, checkpoint, tmp_path / "no.json", index=index)
    assert list(read_index(index)) == ["copied"]


def test_what_cannot_be_added_leaves_the_zoo_as_it_is(config, added, checkpoint, monkeypatch):
    before = added.read_bytes()
    with pytest.raises(ConfigError, match="has a model 'tiny-gan' already"):
        add_to_zoo("tiny-gan", config, checkpoint, index=added)
    with pytest.raises(ConfigError, match="named by lower case words joined by '-', not 'Tiny GAN'"):
        add_to_zoo("Tiny GAN", config, checkpoint, index=added)
    monkeypatch.setattr("i2vkit.zoo.adding.MAX_BYTES", 1000)
    with pytest.raises(CheckpointError, match="a file of the zoo has at most"):
        add_to_zoo("large", config, checkpoint, index=added)
    assert added.read_bytes() == before and len(list((added.parent / "weights").iterdir())) == 1


def test_verification_finds_every_digit_that_differs(added):
    entry = find_entry("tiny-gan", added)
    rows, scores = verify(entry, index=added)
    assert rows == [] and scores == entry.scores
    other = type(entry)(**vars(entry) | {"scores": entry.scores | {"psnr": "99.99", "lpips": "0.1"}})
    rows, scores = verify(other, index=added)
    assert rows == [("psnr", "99.99", scores["psnr"]), ("lpips", "0.1", "-")]
    assert report("tiny-gan", rows, scores).startswith("tiny-gan: 2 scores differ from what is committed\nmetric")
    with pytest.raises(ConfigError, match="has no quick subset"):
        verify(entry, quick=True, index=added)


def test_other_weights_than_the_index_has_are_refused(added, tmp_path):
    entry = find_entry("tiny-gan", added)
    index = tmp_path / "index.json"
    index.write_bytes(added.read_bytes())
    with pytest.raises(CheckpointError, match=r"are not at .*: this copy of i2vkit is not whole"):
        entry.verified_file(index)
    (tmp_path / "weights").mkdir()
    entry.file(index).write_bytes(entry.file(added).read_bytes()[:-1] + b"?")
    with pytest.raises(CheckpointError, match="is damaged: its SHA-256 is"):
        entry.verified_file(index)
    index.write_text("[]")
    with pytest.raises(CheckpointError, match="is not an index of models"):
        read_index(index)


def test_the_command_ends_with_1_where_a_digit_differs(monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = {"ssim": "0.500"}
    monkeypatch.setattr("i2vkit.zoo.verification.verify", lambda *_: ([("ssim", "0.840", "0.500")], found))
    with pytest.raises(SystemExit) as stop:
        main(["zoo", "verify", "dtgan-faces"])
    assert stop.value.code == 1
    assert capsys.readouterr().out.endswith("metric  committed  found\nssim    0.840      0.500\n")
    monkeypatch.setattr("i2vkit.zoo.verification.verify", lambda *_: ([], found))
    main(["zoo", "verify"])
    assert "dtgan-faces: every digit agrees (ssim 0.500)" in capsys.readouterr().out


def test_a_model_whose_data_are_missing_does_not_keep_others_from_being_verified(monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    def verify(entry, *_):
        if entry.name == "dtgan-weizmann":
            raise DataError("there is no such folder")
        return [], {"ssim": "0.500"}

    monkeypatch.setattr("i2vkit.zoo.verification.verify", verify)
    with pytest.raises(SystemExit) as stop:
        main(["zoo", "verify"])
    said = capsys.readouterr()
    assert stop.value.code == 1 and said.out.count("every digit agrees") == len(read_index()) - 1
    assert said.err.rstrip().endswith("models could not be verified. dtgan-weizmann: there is no such folder")


def test_a_model_is_added_by_one_command(monkeypatch, capsys, added):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    asked = []

    def add(*words, **settings):
        asked.append((words, settings))
        return find_entry("tiny-gan", added)

    monkeypatch.setattr("i2vkit.zoo.adding.add_to_zoo", add)
    main(["zoo", "add", "tiny-gan", "dtgan_oulu", "work_dirs/x", "--minutes", "45", "--device", "one CPU core"])
    ((words, settings),) = asked
    assert words == ("tiny-gan", "dtgan_oulu", "work_dirs/x", None)
    assert settings["training"] == {"minutes": 45.0, "device": "one CPU core"} and settings["data"] == command.TRUTH
    assert "tiny-gan" in capsys.readouterr().out


# --- what is shipped


def test_shipped_files_are_those_of_the_index():
    entries = read_index()
    assert "dtgan-faces" in entries and list(entries) == sorted(entries)
    files = sorted(path.name for path in (INDEX.parent / "weights").iterdir())
    assert files == [f"{name}.safetensors" for name in entries]
    for entry in entries.values():
        path = entry.verified_file()
        assert entry.bytes == path.stat().st_size <= MAX_BYTES
        header = read_header(path)
        assert header["dtype"] == "bfloat16" and header["config"] == entry.config and entry.scores
        assert load_config(entry.config).model
        assert config_of(header, path).model.image_size == entry.image_size


def test_a_shipped_model_animates_from_the_command_line(tmp_path, capsys):
    write_image(tmp_path / "face.png", IMAGE)
    for t, frame in enumerate(DRIVING):
        write_image(tmp_path / f"clip/{t}.png", frame)
    words = ["--model", "dtgan-faces", "--image", str(tmp_path / "face.png"), "--driving", str(tmp_path / "clip")]
    main(["animate", *words, "--device", "cpu", "--fps", "7", "--out", str(tmp_path / "out.mp4")])
    assert f"{tmp_path / 'out.mp4'}: 4 frames" in capsys.readouterr().out and (tmp_path / "out.mp4").stat().st_size > 0
    for more, message in (
        (["dtgan_oulu", "x.pth", *words], "not both"),
        ([*words, "--deterministic"], "leave --cfg-options, --variant and --deterministic away"),
        (words[2:], "say which model: --model NAME"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["animate", *more, "--out", str(tmp_path / "no.mp4")])
        assert stop.value.code == 1 and message in capsys.readouterr().err


def test_the_list_needs_no_torch(tmp_path):
    assert "torch" not in vars(index_module)
    entries = read_index()
    table = as_table(entries).splitlines()
    assert len(table) == len(entries) + 1 and table[0].split()[:2] == ["name", "motion"]


def test_the_quick_subset_is_part_of_the_set():
    from i2vkit.rendering.i2v_truth.parts import PARTS

    for name, part in PARTS.items():
        quick = quick_part(name)
        assert {one.name for one in quick.performances("test")} < {one.name for one in part.performances("test")}
        assert quick.samples("val") == [] and 0 < len(quick.samples("test")) < len(part.samples("test")) / 2


def test_the_shipped_models_of_faces_are_shown_side_by_side(tmp_path, capsys):
    main(["zoo", "show", "--out", str(tmp_path / "shown.mkv")])
    names = [entry.name for entry in face_models()]
    assert names and f"21 frames by {', '.join(names)}" in capsys.readouterr().out
    frames = np.stack(read_video(tmp_path / "shown.mkv"))
    assert len(frames) == 21
    # A cell for the image, the driving video and each model. The image stands still, and all else moves.
    rows = _rows(["image", "driving", *names])
    height, width = frames.shape[1] // len(rows), frames.shape[2] // len(rows[0])
    for (i, row), j in product(enumerate(rows), range(len(rows[0]))):
        cell = frames[:, height * i + 32 : height * (i + 1) - 8, width * j + 8 : width * (j + 1) - 8].astype(int)
        moved = np.ptp(cell, axis=0).max()
        assert moved == 0 if row[j] in ("", "image") else moved > 40
