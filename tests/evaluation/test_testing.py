"""Testing a model: what is written, what it depends on, and that it can be done again."""

import copy
import errno
import json
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import SIZE, discriminator, gan_config

import i2vkit
from i2vkit.analysis.comparison.comparable import read_results
from i2vkit.analysis.comparison.paired import compare
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import PackClip, ReadFrames, Resample, Resize
from i2vkit.errors import ConfigError, DataError, I2VError
from i2vkit.evaluation.metrics import Psnr, Ssim, psnr
from i2vkit.evaluation.protocols import Reconstruction, Transfer
from i2vkit.evaluation.result import format_scores
from i2vkit.evaluation.run import build_protocol, test
from i2vkit.media import read_video, write_image
from i2vkit.models.generator_weights import file_digest
from i2vkit.registry import METRICS, MODELS

PEOPLE, LABELS, FRAMES = ("P1", "P2", "P3"), ("a", "b"), 5


def write_clip(folder, person, shift):
    """Everyone has a background of their own; a square moves ``shift`` pixels a frame."""
    for t in range(FRAMES):
        frame = np.full((SIZE, SIZE, 3), 30 * (int(person[1:]) + 1), dtype=np.uint8)
        frame[4 + shift * t : 12 + shift * t, 8:16] = 230
        write_image(folder / f"{t:03d}.png", frame)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three people, two clips each; the ground truth of P2 doing what P1 does."""
    root = tmp_path_factory.mktemp("clips")
    for person in PEOPLE:
        for shift, label in enumerate(LABELS, 1):
            write_clip(root / "clips" / person / label / "clip", person, shift)
    for shift, label in enumerate(LABELS, 1):
        write_clip(root / "truth" / "P2" / label / "as_P1", "P2", shift)
    rows = [f"P2/{label}/as_P1,P1/{label}/clip" for label in LABELS]
    (root / "truth/index.csv").write_text("\n".join(["path,driving", *rows]) + "\n")
    return root


@pytest.fixture(scope="module")
def config(root):
    pipeline = dict(
        window=dict(type=Resample, length=FRAMES), read=dict(type=ReadFrames), resize=dict(type=Resize, size=SIZE)
    )
    dataset = dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root=str(root / "clips")),
        truth=dict(type=ClipFolder, root=str(root / "truth")),
        pipeline=dict(**pipeline, pack=dict(type=PackClip)),
    )
    return Config(
        dict(
            model=gan_config(labels=list(LABELS)),
            test_dataloader=dict(
                batch_size=2,
                num_workers=0,
                dataset=dataset,
                sampler=dict(type=PositionSampler, ordered=True),
                collate_fn=dict(type="pseudo_collate"),
            ),
            test_evaluator=dict(ssim=dict(type=Ssim), psnr=dict(type=Psnr)),
            protocols=dict(
                reconstruction=dict(type=Reconstruction),
                transfer=dict(type=Transfer, driving_people=["P1"], image_people=["P2", "P3"]),
            ),
        )
    )


@pytest.fixture(scope="module")
def checkpoint(config, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    model = MODELS.build(config.model)
    # Away from their small initial values, so that noise and motion are seen.
    with torch.no_grad():
        for value in model.generator.parameters():
            value.add_(0.3 * torch.randn_like(value))
    torch.save({"state_dict": model.state_dict(), "meta": {"iter": 40, "seed": 3}}, path)
    return path


@pytest.fixture(scope="module")
def reconstruction(config, checkpoint, tmp_path_factory):
    return test(config, checkpoint, out=tmp_path_factory.mktemp("out"))


def test_scores_are_those_of_the_videos(reconstruction):
    videos = reconstruction["per_video"]
    assert [video["name"] for video in videos] == [f"{person}/{label}/clip" for person in PEOPLE for label in LABELS]
    for name, score in reconstruction["scores"].items():
        assert score == pytest.approx(np.mean([video[name] for video in videos]))
    assert set(reconstruction["scores"]) == {
        f"{m}{end}" for m in ("ssim", "psnr") for end in ("", "_static_baseline", "_improvement")
    }


def test_the_floor_is_the_first_frame_repeated(reconstruction, root):
    folder = root / "clips" / "P1" / "a" / "clip"
    truth = torch.from_numpy(read_video(folder)).permute(3, 0, 1, 2)[None]
    still = truth[:, :, :1].expand_as(truth)
    assert reconstruction["per_video"][0]["psnr_static_baseline"] == pytest.approx(
        psnr(still, truth)[0, 1:].mean().item()
    )


def test_what_the_scores_depend_on_is_written(reconstruction, checkpoint, root):
    known = {"file": str(checkpoint), "sha256": file_digest(checkpoint), "iteration": 40, "seed": 3}
    assert reconstruction["checkpoint"] == known
    assert reconstruction["protocol"] == {"name": "reconstruction", "type": "Reconstruction"}
    assert reconstruction["pipeline"] == ["Resample(length=5)", "ReadFrames()", "Resize(size=32)", "PackClip()"]
    assert (reconstruction["generated"], reconstruction["scored"], reconstruction["people"]) == (6, 6, 3)
    assert reconstruction["samples"][1] == {"driving": "P1/b/clip", "image_video": None, "motion": "driving", "seed": 1}
    assert reconstruction["frames"] == {"by": "Resample", "length": FRAMES, "stride": None}
    resize = {"size": [SIZE, SIZE], "shrinking": "area", "enlarging": "bilinear", "crop": None}
    assert reconstruction["resize"] == resize and reconstruction["precision"] == "fp32"
    assert reconstruction["tf32"] == {"convolutions": False, "matrix_products": False}
    assert reconstruction["device"] == "cpu" and reconstruction["compiled"] is False
    assert reconstruction["data"] == {
        "root": str(root / "clips"),
        "truth": str(root / "truth"),
        "temporal_split": [0, 1],
    }
    assert reconstruction["bootstrap"] == {"over": "people", "number": 3, "level": 0.95, "draws": 2000}
    assert (reconstruction["seed"], reconstruction["num_samples"]) == (0, 1)
    assert reconstruction["less_is_better"] == {"ssim": False, "psnr": False}
    assert {"torch", "i2vkit", "torchmetrics"} <= set(reconstruction["versions"])
    low, high = reconstruction["intervals"]["psnr"]
    assert low <= reconstruction["scores"]["psnr"] <= high


def test_transfers_without_a_truth_are_generated_and_not_scored(config, checkpoint, tmp_path):
    result = test(config, checkpoint, "transfer", tmp_path, save_videos=True)
    assert (result["generated"], result["scored"]) == (4, 2)
    scored = {(video["driving_name"], video["image_person"]): video["ssim"] for video in result["per_video"]}
    assert [pair for pair, value in scored.items() if value is None] == [("P1/a/clip", "P3"), ("P1/b/clip", "P3")]
    assert json.loads((tmp_path / "metrics.json").read_text()) == json.loads(json.dumps(result))
    files = sorted(path.name for path in (tmp_path / "videos").iterdir())
    assert len(files) == 4 and files[0] == "P2_a_clip__P1_a_clip.mp4"
    assert read_video(tmp_path / "videos" / files[0]).shape == (FRAMES, SIZE, SIZE, 3)
    assert len(list((tmp_path / "strips").iterdir())) == 4
    assert "2 of 4 videos scored, by protocol transfer" in format_scores(result)


def test_a_result_can_be_made_again_from_its_file(config, checkpoint, tmp_path):
    first = test(config, checkpoint, "transfer", tmp_path / "first", seed=7)
    again = test(config, checkpoint, str(tmp_path / "first" / "metrics.json"), tmp_path / "again")
    assert not (tmp_path / "first" / "videos").exists()  # nobody has asked for them
    assert [sample["seed"] for sample in first["samples"]] == [7, 8, 9, 10]
    assert again["samples"] == first["samples"]
    assert again["per_video"] == first["per_video"] and again["scores"] == first["scores"]


def test_another_model_is_compared_on_the_same_samples(config, checkpoint, tmp_path):
    """The list alone goes from one model to the other, whose weights are scaled; both then stand in one table."""
    test(config, checkpoint, "transfer", tmp_path / "first")
    weights = torch.load(checkpoint)
    scaled = {name: value * 0.9 if "decoder" in name else value for name, value in weights["state_dict"].items()}
    torch.save(weights | {"state_dict": scaled, "meta": {"iter": 40, "seed": 4}}, tmp_path / "other.pth")
    test(config, tmp_path / "other.pth", str(tmp_path / "first/samples.json"), tmp_path / "second")
    files = [tmp_path / name / "metrics.json" for name in ("first", "second")]
    comparison = compare(read_results([f"A={files[0]}", f"B={files[1]}"]))
    values = [json.loads(file.read_text())["scores"]["psnr"] for file in files]
    assert comparison.cells["B"]["psnr"].difference == pytest.approx(values[1] - values[0]) and values[0] != values[1]
    assert (comparison.over, comparison.groups) == ("clips", 2)  # of the one person who drives
    assert len(read_results(files)) == 1  # or else two seeds of one config
    test(config, checkpoint, "reconstruction", tmp_path / "third")
    with pytest.raises(ConfigError, match="they have 4 and 6 samples, of protocols transfer and reconstruction"):
        read_results([files[1], tmp_path / "third/metrics.json"])


def test_mixed_precision_is_near_and_written_down(config, checkpoint, tmp_path, reconstruction):
    mixed = test(config, checkpoint, out=tmp_path, precision="bf16")
    assert mixed["tf32"] == {"convolutions": True, "matrix_products": True}
    assert mixed["precision"] == "bf16" and "precision" not in config.model
    assert mixed["scores"]["psnr"] != reconstruction["scores"]["psnr"]
    assert mixed["scores"]["psnr"] == pytest.approx(reconstruction["scores"]["psnr"], abs=0.5)
    assert mixed["scores"]["psnr_static_baseline"] == reconstruction["scores"]["psnr_static_baseline"]


@pytest.mark.slow
def test_a_compiled_model_scores_the_same(config, checkpoint, tmp_path, monkeypatch, reconstruction):
    monkeypatch.setattr("i2vkit.evaluation.run.compile_options", lambda value: dict(backend="eager", dynamic=False))
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = test(config, checkpoint, out=tmp_path, compile=True)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    assert compiled["compiled"] is True and reconstruction["compiled"] is False
    assert compiled["scores"] == pytest.approx(reconstruction["scores"], abs=1e-3)
    torch._dynamo.reset()


@pytest.mark.parametrize("place", ["build_runner", "write_samples"])
def test_a_disk_that_fails_is_one_message(config, checkpoint, tmp_path, monkeypatch, place):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"i2vkit.evaluation.run.{place}", full)
    with pytest.raises(I2VError, match=r"No space left on device.* results are not written"):
        test(config, checkpoint, out=tmp_path / "out")
    assert not (tmp_path / "out/metrics.json").exists()


def test_a_whole_test_is_written_where_no_distribution_is_known(config, checkpoint, tmp_path, monkeypatch):
    """As from a plain checkout with opencv-python-headless: the versions are asked for after all videos are made."""

    def unknown(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.Distribution.from_name", unknown)
    with pytest.raises(PackageNotFoundError):
        version("torch")
    test(config, checkpoint, out=tmp_path)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["versions"]["torch"] is None and written["versions"]["i2vkit"] == i2vkit.__version__
    assert written["scored"] == 6


@METRICS.register_module()
class PsnrBehindANetwork(Psnr):
    """Looks through weights of a given hash, as it says."""

    extractor = {"features.pth": "5793" * 16}


def test_networks_that_training_looked_through_are_named_with_the_metrics_behind_them(
    config, checkpoint, tmp_path, capsys
):
    config = copy.deepcopy(config)
    frame = discriminator("ProjectedFrameDiscriminator")
    frame["network"] = {**frame["network"], "pretrained": True, "weights": "not_read.pth", "sha256": "5793" * 16}
    config.model["discriminators"]["frame"] = frame
    config.test_evaluator = dict(ssim=dict(type=Ssim), psnr_behind_a_network=dict(type=PsnrBehindANetwork))
    result = test(config, checkpoint, None, tmp_path / "out")
    assert result == json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert result["frozen_networks"] == {"discriminators.frame": {"test_byobnet": "5793" * 16}}
    assert result["warnings"].keys() == {"psnr"}
    for text in (format_scores(result), capsys.readouterr().out):
        assert "looks through test_byobnet, as 'discriminators.frame' did in training" in text


def test_the_seed_changes_what_is_generated(config, checkpoint, tmp_path, reconstruction):
    other = test(config, checkpoint, out=tmp_path, seed=100)
    assert other["scores"]["psnr_static_baseline"] == reconstruction["scores"]["psnr_static_baseline"]
    assert other["scores"]["psnr"] != reconstruction["scores"]["psnr"]


def test_protocols_are_found_by_name(config):
    assert build_protocol(config, None)[0] == "reconstruction"
    assert build_protocol(Config({}), None)[0] == "reconstruction"
    with pytest.raises(ConfigError, match="'transfr'; nearest: transfer"):
        build_protocol(config, "transfr")


def test_a_failed_test_leaves_no_result(config, checkpoint, tmp_path):
    (tmp_path / "samples.json").write_text('[{"driving": "P9", "image_video": null, "motion": "driving", "seed": 0}]')
    with pytest.raises(DataError, match="P9"):
        test(config, checkpoint, str(tmp_path / "samples.json"), tmp_path / "out")
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_the_table_shows_score_floor_and_improvement():
    scores = {"ssim": 0.9, "ssim_static_baseline": 0.8, "ssim_improvement": 0.1}
    result = dict(
        scores=scores, intervals={"ssim_improvement": [0.05, 0.15]}, scored=3, generated=3, protocol={"name": "x"}
    )
    assert format_scores(result).splitlines()[1].split() == [
        "ssim",
        "0.9000",
        "0.8000",
        "0.1000",
        "0.0500",
        "to",
        "0.1500",
    ]


def test_metrics_are_found_by_their_short_names(config, checkpoint, tmp_path):
    cfg = config.copy()
    cfg.test_evaluator = dict(ssim=dict(type="Mse"))
    assert set(test(cfg, checkpoint, out=tmp_path)["scores"]) >= {"mse", "mse_static_baseline"}


def test_a_classifier_is_tested_too(root, tmp_path):
    """Its metric is one of mmengine's kind, without static baseline videos."""
    encoder = gan_config()["generator"]["motion_encoder"]
    network = dict(type="CnnLstmClassifier", encoder=encoder, num_states=2)
    loss = dict(type="SequenceClassLoss")
    model = dict(
        type="SupervisedModel",
        network=network,
        labels=list(LABELS),
        image_size=SIZE,
        phases=dict(sequence=dict(updates=["network"], losses=dict(sequence_class=loss))),
    )
    weights = tmp_path / "model.pth"
    torch.save({"state_dict": MODELS.build(Config(dict(model=model)).model).state_dict(), "meta": {}}, weights)
    dataset = dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root=str(root / "clips")),
        window=dict(type=Resample, length=FRAMES),
        size=SIZE,
    )
    loader = dict(batch_size=2, num_workers=0, dataset=dataset, sampler=dict(type=PositionSampler, ordered=True))
    loader["collate_fn"] = dict(type="collate_clips")
    train_loader = dict(dataset=dataset)
    cfg = Config(
        dict(
            model=model,
            test_dataloader=loader,
            train_dataloader=train_loader,
            test_evaluator=dict(accuracy=dict(type="Accuracy")),
        )
    )
    result = test(cfg, weights, out=tmp_path / "out")
    assert 0 <= result["scores"]["accuracy"] <= 1 and result["less_is_better"]["accuracy"] is False
    assert "people are both in the training and in the test data" in result["warnings"]["people"]
    assert (tmp_path / "out/metrics.json").is_file()


def test_what_cannot_be_tested_is_refused_before_any_work(tmp_path):
    for lacking in ("model", "test_dataloader"):
        cfg = Config(dict(model=gan_config(), test_dataloader=dict(batch_size=1), work_dir=str(tmp_path / "wd")))
        cfg.pop(lacking)
        with pytest.raises(ConfigError, match="cannot be tested: it needs model and test_dataloader"):
            test(cfg, tmp_path / "none.pth")
    assert not (tmp_path / "wd").exists()
