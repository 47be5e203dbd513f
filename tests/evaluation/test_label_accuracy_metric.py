"""Label accuracy with a classifier that tells how bright a video ends, and PSNR per batch."""

import math

import narrow
import pytest
import torch

from i2vkit.errors import CheckpointError, ConfigError, DataError
from i2vkit.evaluation.metrics import LabelAccuracy, Psnr, PsnrPerBatch, psnr_per_batch
from i2vkit.models import CnnLstmClassifier, SupervisedModel
from i2vkit.models.losses import SequenceClassLoss
from i2vkit.registry import MODELS
from i2vkit.structures import VideoSample

LABELS = ["dark", "bright"]
CONFIG = f"""
from i2vkit.models import CnnLstmClassifier, SupervisedModel
from i2vkit.models.encoders import CnnLstmEncoder, ConvFrameEncoder
from i2vkit.models.losses import SequenceClassLoss

model = dict(
    type=SupervisedModel,
    image_size={narrow.SIZE},
    labels={LABELS!r},
    network=dict(
        type=CnnLstmClassifier,
        encoder=dict(
            type=CnnLstmEncoder,
            frame_encoder=dict(type=ConvFrameEncoder, widths=(4, 8, 8), features=12),
            hidden=10,
        ),
    ),
    phases=dict(sequence=dict(updates=["network"], losses=dict(sequence_class=dict(type=SequenceClassLoss)))),
)
"""


def video(brightness, frames=4, size=narrow.SIZE) -> torch.Tensor:
    """Goes from middle grey to ``brightness``."""
    values = torch.linspace(128, brightness, frames).round().to(torch.uint8)
    return values.view(1, frames, 1, 1).expand(3, frames, size, size).contiguous()


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """The config, and weights after a blink of training on dark and bright videos."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("classifier")
    (folder / "cnn_lstm_tiny.py").write_text(CONFIG)
    network = dict(type=CnnLstmClassifier, encoder=narrow.NARROW["CnnLstmEncoder"])
    phases = dict(sequence=dict(updates=["network"], losses=dict(sequence_class=dict(type=SequenceClassLoss))))
    settings = dict(type=SupervisedModel, image_size=narrow.SIZE, labels=LABELS, network=network, phases=phases)
    model = MODELS.build(settings)
    wrappers = narrow.optimizers(model, lr=1e-2)
    levels = torch.tensor([10.0, 60, 90, 160, 200, 250])
    inputs = dict(
        driving=[video(level) for level in levels],
        num_frames=[torch.tensor(4)] * 6,
        label=[(level > 128).long() for level in levels],
    )
    for _ in range(40):
        model.train_step(dict(inputs=inputs, data_samples=[VideoSample() for _ in levels]), wrappers)
    torch.save(dict(state_dict=model.state_dict()), folder / "tiny.pth")
    return dict(config=str(folder / "cnn_lstm_tiny.py"), weights=str(folder / "tiny.pth"))


def sample(label, generated, truth=None, name="clip") -> VideoSample:
    made = VideoSample(metainfo=dict(name=name, label_name=label))
    made.generated, made.image = generated, generated[:, 0]
    if truth is not None:
        made.truth = truth
    return made


def test_share_of_videos_whose_label_is_seen(classifier):
    metric = LabelAccuracy(**classifier)
    still = video(128)
    seen_still = metric.classifier([still])[0]
    other = next(label for label in LABELS if label != seen_still)
    right = video(255 if other == "bright" else 0)
    samples = [
        sample(other, right, right),
        sample(other, still, right, "frozen"),
        sample(other, right, name="without a truth"),
        sample(None, right, right, "without a label"),
        sample(seen_still, right, still, "another label"),
    ]
    metric.process(None, samples)
    assert metric.evaluate(5) == {
        "label_accuracy": 0.5,  # the first and the third of four
        "label_accuracy_static_baseline": 0.25,  # the last one's label is what a still video looks like
        "label_accuracy_improvement": 0.25,
        "label_accuracy_truth": 1.0,
    }
    assert [row["label_accuracy"] for row in metric.per_video] == [1, 0, 1, None, 0]
    assert [row["label_seen"] for row in metric.per_video] == [other, seen_still, other, None, other]
    assert metric.per_video[2]["label_accuracy_truth"] is None
    assert metric.extractor["classifier"] == "cnn_lstm_tiny" and len(metric.extractor["tiny.pth"]) == 64


def test_videos_are_scaled_to_what_the_classifier_knows(classifier):
    metric = LabelAccuracy(**classifier)
    assert metric.classifier([video(255, size=48), video(0, size=48)]) == ["bright", "dark"]


def test_a_missing_or_wrong_classifier_is_said(classifier, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metric = LabelAccuracy("cnn_lstm_oulu")
    metric.process(None, [sample("dark", video(0))])
    assert metric.evaluate(1) == {}
    assert "work_dirs/cnn_lstm_oulu" in metric.skipped and "tools/train.py cnn_lstm_oulu" in metric.skipped
    with pytest.raises(CheckpointError, match="SHA-256"):
        LabelAccuracy(**classifier, sha256="0123456789")
    with pytest.raises(ConfigError, match="no config 'cnn_lstm_moon'"):
        LabelAccuracy("cnn_lstm_moon")
    with pytest.raises(ConfigError, match="dtgan_weizmann is not the config of a classifier"):
        LabelAccuracy("dtgan_weizmann", weights=classifier["weights"])
    with pytest.raises(DataError, match="'clip' should show 'Anger', the classifier knows dark, bright"):
        LabelAccuracy(**classifier).process(None, [sample("Anger", video(0))])


def test_psnr_per_batch_pools_the_errors_of_a_batch():
    truth = torch.zeros(3, 3, 16, 16, dtype=torch.uint8)
    made = [sample("a", truth + error, truth, f"clip{error}") for error in (1, 2, 8)]
    for index, clip in enumerate(made):
        clip.image = truth[:, 0] + index
    decibel = lambda square: 10 * math.log10(255**2 / square)  # noqa: E731
    found = {}
    for size in (1, 2, 3):
        metric = PsnrPerBatch(size)
        metric.process(None, made)
        found |= metric.evaluate(3)
        assert metric.per_video == []
    assert found["psnr_per_batch_1"] == pytest.approx((decibel(1) + decibel(4) + decibel(64)) / 3)
    assert found["psnr_per_batch_2"] == pytest.approx((decibel(2.5) + decibel(64)) / 2)
    assert found["psnr_per_batch_3"] == pytest.approx(decibel(23))
    assert found["psnr_per_batch_2_static_baseline"] == pytest.approx((decibel(0.5) + decibel(4)) / 2)
    assert found["psnr_per_batch_3_improvement"] == pytest.approx(decibel(23) - decibel(5 / 3))
    usual = Psnr()
    usual.process(None, made)
    assert usual.evaluate(3)["psnr"] == pytest.approx(found["psnr_per_batch_1"])  # here all frames are alike
    with pytest.raises(ConfigError, match="batch_size is 0"):
        PsnrPerBatch(0)


def test_videos_without_a_truth_are_in_no_batch():
    truth = torch.zeros(3, 2, 16, 16, dtype=torch.uint8)
    metric = PsnrPerBatch(2)
    metric.process(None, [sample("a", truth + 1), sample("a", truth + 1, truth), sample("a", truth + 3, truth)])
    assert metric.evaluate(3)["psnr_per_batch_2"] == pytest.approx(10 * math.log10(255**2 / 5))
    metric.process(None, [sample("a", truth + 1)])
    assert metric.evaluate(1) == {}  # the first run is forgotten


def test_psnr_per_batch_of_equal_videos_is_limited():
    assert psnr_per_batch([0.0], 4) == 100
