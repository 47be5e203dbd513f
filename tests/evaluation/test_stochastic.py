"""Several samples of one image: the best of N and its curve, diversity, the protocol, and the tool on a real model."""

import json
from itertools import combinations

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import NARROW, SIZE, gan_config

from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.metrics import Accuracy, BestOf, DiversityL1, DiversityLpips, Fvd, Psnr, Ssim, psnr, ssim
from i2vkit.evaluation.metrics.base import VideoMetric
from i2vkit.evaluation.protocols import Reconstruction, Stochastic, Transfer
from i2vkit.evaluation.result import format_scores
from i2vkit.evaluation.run import test as run_test
from i2vkit.media import read_image, write_image
from i2vkit.registry import METRICS, MODELS
from i2vkit.structures import VideoSample

FRAMES, N, LENGTHS = 5, 3, {"P1/a/clip": 5, "P2/a/clip": 4}


def sample(video, truth, name="P1/a/clip", seed=0):
    result = VideoSample(metainfo={"name": name, "driving_person": name[:2], "seed": seed})
    result.generated, result.image = video, truth[:, 0]
    if truth is not None:
        result.truth = truth
    return result


def decibel(error):
    return 20 * np.log10(255 / error)


def off_by(errors, level=100):
    """A video (3, T, 8, 8) whose frame t is off by ``errors[t]`` from grey, and that grey."""
    truth = torch.full((3, len(errors), 8, 8), level, dtype=torch.uint8)
    return truth + torch.tensor(errors, dtype=torch.uint8)[:, None, None], truth


# Of each image three samples and the errors of their frames; frame 0 is given and does not count.
KNOWN = {"P1/a/clip": [(9, 4, 4), (0, 1, 9), (0, 2, 2)], "P2/a/clip": [(0, 3), (0, 5), (0, 8)]}


def known_samples():
    for name, samples in KNOWN.items():
        for seed, errors in enumerate(samples):
            video, truth = off_by(errors)
            made = sample(video, truth, name, seed)
            made.image = truth[:, 0] + 10
            yield made


def test_the_best_sample_of_each_image_counts_by_its_own_video():
    """Of (1, 9) and (2, 2) the second is better, though the first is nearer in its first frame."""
    metric = BestOf(dict(type=Psnr), num_samples=3)
    for made in known_samples():
        metric.process(None, [made])
    result = metric.evaluate(6)
    scores = [decibel(2), decibel(3)]
    assert np.mean([decibel(1), decibel(9)]) < decibel(2)
    assert result == {
        "psnr_best_of_3": pytest.approx(np.mean(scores)),
        "psnr_best_of_3_static_baseline": pytest.approx(decibel(10)),
        "psnr_best_of_3_improvement": pytest.approx(np.mean(scores) - decibel(10)),
    }
    assert [(row["name"], row["psnr_best_of_3_seed"]) for row in metric.per_image] == [
        ("P1/a/clip", 2),
        ("P2/a/clip", 0),
    ]
    assert [row["psnr_best_of_3"] for row in metric.per_image] == pytest.approx(scores)
    assert len(metric.per_video) == 6 and metric.per_video[4]["psnr"] == pytest.approx(decibel(5))
    # Step 1 is reached by both images, step 2 by the longer one.
    assert metric.curve == {
        "step": [1, 2],
        "score": pytest.approx([np.mean(scores), decibel(2)]),
        "static_baseline": pytest.approx([decibel(10)] * 2),
        "images": [2, 1],
    }


def test_only_numbers_are_kept():
    metric = BestOf(dict(type=Psnr), num_samples=3)
    metric.process(None, list(known_samples()))
    json.dumps(metric.results)
    metric.evaluate(6)
    metric.process(None, list(known_samples()))
    # a second time counts anew
    assert metric.evaluate(6)["psnr_best_of_3_static_baseline"] and len(metric.per_image) == 2


def test_the_order_of_samples_does_not_matter():
    metric = BestOf(dict(type=Psnr), num_samples=3)
    metric.process(None, list(known_samples()))
    expected = metric.evaluate(6)
    metric.process(None, list(known_samples())[::-1])
    assert metric.evaluate(6) == pytest.approx(expected)


@METRICS.register_module()
class LargestError(VideoMetric):
    """Mean absolute error of every frame: less is better."""

    name, less_is_better = "error", True

    def score(self, video, truth):
        return (video.double() - truth.double()).abs().mean(dim=(1, 3, 4))


def test_where_less_is_better_the_least_is_the_best():
    metric = BestOf(dict(type=LargestError), num_samples=3)
    metric.process(None, list(known_samples()))
    assert metric.evaluate(6) == {
        "error_best_of_3": 2.5,
        "error_best_of_3_static_baseline": 10,
        "error_best_of_3_improvement": 7.5,
    }


def test_every_image_needs_n_samples():
    metric = BestOf(dict(type=Psnr), num_samples=3)
    metric.process(None, list(known_samples())[:5])
    with pytest.raises(DataError, match=r"psnr_best_of_3: image 'P2/a/clip' has 2 samples, but every image needs 3"):
        metric.evaluate(5)


def test_images_without_truth_are_not_scored():
    metric = BestOf(dict(type=Psnr), num_samples=3)
    made = list(known_samples())
    for one in made[3:]:
        del one.truth
    metric.process(None, made)
    assert metric.evaluate(6)["psnr_best_of_3"] == pytest.approx(decibel(2))
    assert len(metric.per_image) == 1 and metric.per_video[5]["psnr"] is None
    metric.process(None, made[3:])
    assert metric.evaluate(3) == {} and metric.curve == {}


def test_diversity_is_the_mean_over_pairs_then_over_images():
    rng = np.random.default_rng(0)
    videos = torch.from_numpy(rng.integers(0, 256, (4, 3, 6, 8, 8), dtype=np.uint8))
    metric = DiversityL1()
    for seed, video in enumerate(videos):
        metric.process(None, [sample(video, video, seed=seed)])
    for seed in range(4):
        metric.process(None, [sample(videos[0], videos[0], "P2/a/clip", seed)])
    scaled = videos[:, :, 1:].double() / 255
    expected = np.mean([(a - b).abs().mean().item() for a, b in combinations(scaled, 2)])
    assert metric.evaluate(8) == {"diversity_l1": pytest.approx(expected / 2)}
    assert [row["diversity_l1"] for row in metric.per_image] == [pytest.approx(expected), 0]


def test_frame_zero_is_given_and_has_no_diversity():
    metric = DiversityL1()
    for seed, errors in enumerate([(0, 2, 2), (90, 2, 2)]):
        video, truth = off_by(errors)
        metric.process(None, [sample(video, truth, seed=seed)])
    assert metric.evaluate(2) == {"diversity_l1": 0}


def test_samples_that_cannot_be_compared_are_named():
    video, truth = off_by((0, 1, 2))
    metric = DiversityL1()
    metric.process(None, [sample(video, truth, name, 0) for name in ("one", "two")][:1])
    with pytest.raises(DataError, match="image 'one' has one sample"):
        metric.process(None, [sample(video, truth, "two")])
    metric = DiversityL1()
    with pytest.raises(DataError, match="samples of 'one' do not follow each other"):
        metric.process(None, [sample(video, truth, name) for name in ("one", "one", "two", "two", "one")])
    with pytest.raises(DataError, match=r"samples of 'one' differ in shape, \(3, 2, 8, 8\) and \(3, 1, 8, 8\)"):
        DiversityL1().process(None, [sample(v, truth, "one") for v in (video, video[:, :2])])


def test_diversity_needs_whole_images():
    metric = DiversityL1()
    rows = [{"name": "one", "diversity_l1": 0.25}, {"name": "two", "diversity_l1": 0.5}]
    assert metric.compute_metrics(rows) == {"diversity_l1": 0.375}
    with pytest.raises(DataError, match=r"several processes share the samples of 'two': .* keep_images=True"):
        metric.compute_metrics([*rows, rows[1]])


@pytest.fixture
def index():
    people = ("P1", "P2")
    return ClipIndex(
        [ClipRecord(f"{p}/{a}/clip", FrameFolder(()), p, a, FRAMES) for p in people for a in "ab"], ["a", "b"]
    )


def test_stochastic_takes_n_samples_of_every_image(index):
    pairs = Stochastic(num_samples=3, seed=10).pairs(index)
    assert [pair.driving for pair in pairs] == [record for record in index.records for _ in range(3)]
    assert all(pair.motion == "prior" and pair.image_video is None for pair in pairs)
    assert [pair.seed for pair in pairs] == list(range(10, 22))
    assert len(Stochastic().pairs(index)) == 4 * 25
    with pytest.raises(ConfigError, match="2 or more, not 1"):
        Stochastic(num_samples=1)


def test_several_samples_are_scored_as_best_of_n_and_one_as_it_is(index):
    config = [dict(type=Ssim), dict(type="Psnr"), dict(type=Accuracy)]
    plan = Stochastic(num_samples=3)
    entries = plan.evaluators(plan.pairs(index), config)
    assert [entry["type"] for entry in entries] == [BestOf, BestOf, DiversityL1, DiversityLpips]
    assert METRICS.build(entries[1]).name == "psnr_best_of_3"
    own = Stochastic(num_samples=3, metrics=[dict(type=DiversityL1)])
    assert [entry["type"] for entry in own.evaluators(own.pairs(index), config)][2:] == [DiversityL1]
    sets = plan.evaluators(plan.pairs(index), [*config, dict(type=Fvd)])  # over the samples of all images
    assert [entry["type"] for entry in sets] == [BestOf, BestOf, Fvd, DiversityL1, DiversityLpips]
    left = plan.left_out(plan.pairs(index), [*config, dict(type=Fvd), dict(type="LabelAccuracy")])
    assert list(left) == ["accuracy", "label_accuracy"] and all("has 3 samples" in reason for reason in left.values())
    plan = Reconstruction()
    assert plan.evaluators(plan.pairs(index), config) == config and plan.left_out(plan.pairs(index), config) == {}
    uneven = [Pair(index.records[0]), Pair(index.records[0]), Pair(index.records[1])]
    with pytest.raises(DataError, match="image 'P1/b/clip' has 1 samples and others 2"):
        plan.evaluators(uneven, config)


def test_transfer_of_every_image_by_every_clip_of_a_list(index):
    clips = ["P2/b/clip", "P1/a/clip"]
    pairs = Transfer(driving_clips=clips, every_image=True).pairs(index)
    assert [(pair.driving.name, pair.image_video.name) for pair in pairs] == [
        (driving, record.name) for driving in sorted(clips) for record in index.records
    ]
    assert len(Transfer(driving_clips=clips).pairs(index)) == 2 * 2
    assert len(Transfer(image_people=["P1"], every_image=True, image_label="b").pairs(index)) == 4
    with pytest.raises(DataError, match=r"1 driving clips are not in the data \(first: 'P9/a/clip'\)"):
        Transfer(driving_clips=["P9/a/clip"]).pairs(index)
    with pytest.raises(DataError, match="P2/b/clip"):
        Transfer(driving_people=["P1"], driving_clips=clips).pairs(index)


SAMPLING = dict(
    content_encoder=NARROW["ConvPyramidEncoder"],
    motion_encoder=NARROW["Conv3dEncoder"],
    motion_generator=NARROW["LstmUnroll"],
    decoder=NARROW["FrameDecoder"],
)


COMPARED = [dict(type=DiversityL1), dict(type=DiversityLpips, backbone_path="nowhere/alexnet-owt-7be5be79.pth")]


def config(root, generator) -> Config:
    dataset = dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root=str(root)),
        pipeline=dict(
            window=dict(type=FirstFrames, length=FRAMES), read=dict(type=ReadFrames), pack=dict(type=PackClip)
        ),
    )
    return Config(
        dict(
            model=gan_config(generator=generator, labels=[], discriminators={}, phases={}, frozen=[]),
            test_dataloader=dict(
                batch_size=4,
                num_workers=0,
                dataset=dataset,
                sampler=dict(type=PositionSampler, ordered=True),
                collate_fn=dict(type="pseudo_collate"),
            ),
            test_evaluator=dict(ssim=dict(type=Ssim), psnr=dict(type=Psnr), label=dict(type="LabelAccuracy")),
            protocols=dict(stochastic=dict(type=Stochastic, num_samples=N, metrics=COMPARED)),
        )
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three people, a clip each: a square moves down."""
    root = tmp_path_factory.mktemp("clips")
    for person in range(3):
        for t in range(FRAMES):
            frame = np.full((SIZE, SIZE, 3), 40 * (person + 1), dtype=np.uint8)
            frame[4 + 3 * t : 12 + 3 * t, 8:16] = 230
            write_image(root / f"P{person}" / "a" / "clip" / f"{t}.png", frame)
    return root


def checkpoint(cfg, path):
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    with torch.no_grad():
        for name, value in model.generator.named_parameters():
            value.mul_(1 if "encoder" in name else 2)
    torch.save({"state_dict": model.state_dict()}, path)
    return model.eval()


@pytest.fixture(scope="module")
def tested(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    cfg = config(root, SAMPLING)
    model = checkpoint(cfg, folder / "model.pth")
    return cfg, model, folder, run_test(cfg, folder / "model.pth", "stochastic", folder / "out", save_videos=True)


def test_a_test_gives_best_of_n_its_curve_and_diversity(tested):
    """The report against the videos, generated here once more, one by one."""
    cfg, model, _, result = tested
    dataset = ClipDataset(**{key: value for key, value in cfg.test_dataloader.dataset.items() if key != "type"})
    scores, frames, spread = [], [], []
    for place in range(3):
        made = []
        for k in range(N):
            batch = dataset[place]
            batch["data_samples"].set_metainfo(dict(motion="prior", seed=N * place + k))
            inputs = {key: [value] for key, value in batch["inputs"].items()}
            made += model.test_step(dict(inputs=inputs, data_samples=[batch["data_samples"]]))
        by_frame = [ssim(one.generated[None], one.truth[None])[0, 1:] for one in made]
        best = max(range(N), key=lambda k, rows=by_frame: rows[k].mean())
        scores.append(by_frame[best].mean().item())
        frames.append(by_frame[best].tolist())
        pairs = combinations([one.generated[:, 1:].double() / 255 for one in made], 2)
        spread.append(np.mean([(a - b).abs().mean().item() for a, b in pairs]))
    # A batch of other size is rounded otherwise, which moves a few pixels by one level.
    assert result["scores"][f"ssim_best_of_{N}"] == pytest.approx(np.mean(scores), abs=1e-3)
    assert result["curves"][f"ssim_best_of_{N}"]["score"] == pytest.approx(np.mean(frames, axis=0).tolist(), abs=2e-3)
    assert result["scores"]["diversity_l1"] == pytest.approx(np.mean(spread), abs=1e-4)
    assert result["scores"]["diversity_l1"] > 0
    assert [row["name"] for row in result["per_image"]] == [f"P{place}/a/clip" for place in range(3)]
    truth = torch.stack([dataset[0]["data_samples"].truth])
    static_baseline = psnr(truth[:, :, :1].expand_as(truth), truth)[0, 1:].mean().item()
    assert result["per_image"][0][f"psnr_best_of_{N}_static_baseline"] == pytest.approx(static_baseline)


def test_what_was_sampled_is_written(tested):
    _, _, folder, result = tested
    assert json.loads((folder / "out" / "metrics.json").read_text()) == json.loads(json.dumps(result))
    assert (result["generated"], result["scored"], result["people"]) == (9, 9, 3)
    assert [entry["seed"] for entry in result["samples"]] == list(range(9))
    assert {entry["motion"] for entry in result["samples"]} == {"prior"}
    assert f"ssim_best_of_{N}" in result["intervals"] and "diversity_l1" in result["intervals"]
    assert "fetch alexnet-owt-7be5be79.pth" in result["skipped"]["diversity_lpips"]
    assert f"psnr_best_of_{N}" in format_scores(result) and "diversity_lpips left out: there is no" in format_scores(
        result
    )
    assert result["skipped"]["label_accuracy"].startswith(f"each image has {N} samples")
    [log] = (folder / "out" / "log").glob("*/*.log")
    assert log.read_text().count(
        "label_accuracy is left out"
    ) == 1 and f"label_accuracy left out: each image has {N}" in format_scores(result)
    height, width, _ = read_image(folder / "out" / "curves.png").shape
    assert height > 300 and width > 900  # two plots
    names = sorted(path.stem for path in (folder / "out" / "videos").iterdir())
    assert len(names) == 9 and names[0] == "P0_a_clip_seed0"


def test_the_list_of_samples_can_be_replayed(tested):
    cfg, _, folder, result = tested
    again = run_test(cfg, folder / "model.pth", str(folder / "out" / "metrics.json"), folder / "again")
    assert result["scores"].items() <= again["scores"].items() and again["samples"] == result["samples"]
    assert again["curves"] == result["curves"]
    other = run_test(cfg, folder / "model.pth", "stochastic", folder / "other", seed=50)
    assert other["scores"][f"psnr_best_of_{N}"] != result["scores"][f"psnr_best_of_{N}"]
    assert other["scores"][f"psnr_best_of_{N}_static_baseline"] == result["scores"][f"psnr_best_of_{N}_static_baseline"]


def test_a_deterministic_model_is_refused_before_anything_is_generated(root, tmp_path):
    cfg = config(root, {})  # DTGAN: its motion is encoded, and only dropout is random
    checkpoint(cfg, tmp_path / "model.pth")
    with pytest.raises(ConfigError, match="this protocol draws motion at random, but this model is deterministic"):
        run_test(cfg, tmp_path / "model.pth", "stochastic", tmp_path / "out")
    assert not (tmp_path / "out" / "metrics.json").exists()
