"""Bad videos: one message each that names the video, at the border of the model and in every metric."""

import re

import narrow
import pytest
import torch

from i2vkit.errors import DataError, TrainingError
from i2vkit.evaluation.metrics import ContentDistance, DiversityL1, MotionAccuracy, Psnr
from i2vkit.models.data_preprocessor import check_values
from i2vkit.registry import MODELS
from i2vkit.structures import VideoSample


@MODELS.register_module()
class FirstPixel(torch.nn.Module):
    """Vectors of frames, of no use but to be asked for."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return frames[:, :, 0, 0]


METRICS = {
    "psnr": Psnr,
    "motion": MotionAccuracy,
    "diversity": DiversityL1,
    "content": lambda: ContentDistance(dict(type="NetworkEmbedder", network=dict(type="FirstPixel"))),
}


def sample(generated: torch.Tensor) -> VideoSample:
    made = VideoSample(metainfo=dict(name="P1/a/clip"))
    made.generated, made.image = generated, generated[:, 0]
    made.truth = made.driving = torch.zeros(generated.shape, dtype=torch.uint8)
    return made


@pytest.mark.parametrize("kind", METRICS)
def test_metrics_refuse_what_is_no_uint8_video(kind):
    video = torch.zeros(3, 5, 16, 16)
    video[:, 4] = 1.5
    video[0, 2, 3, 3] = torch.nan
    metric = METRICS[kind]()
    expected = "'P1/a/clip': metrics score uint8 videos, 0 to 255, but generated is torch.float32 with "
    with pytest.raises(DataError, match=re.escape(expected)) as caught:
        metric.process(None, [sample(video)])
    number = 1 if kind == "diversity" else 2  # of the frames that it compares
    assert f"values of 0 to 1.5, and values that are not finite in frame {number}." in str(caught.value)
    assert "to_uint8" in str(caught.value)


@pytest.mark.parametrize(
    "value, message",
    [
        (float("nan"), "'clip1' is not finite, first in frame 3: is the checkpoint sound"),
        (float("inf"), "'clip1' is not finite, first in frame 3"),
        (
            -1.5,
            r"'clip1' has values of -1\.5 to .*, beyond \[-1, 1\], first in frame 3: .* take a head that keeps to",
        ),
    ],
)
def test_a_model_does_not_hide_what_it_made(monkeypatch, value, message):
    """Cut off to uint8 both would look like pictures."""
    model = narrow.build()
    generate_chunks = model.generate_chunks

    def spoilt(*arguments, **named):
        for made in generate_chunks(*arguments, **named):
            made.video[1, :, 3, 5, 5] = value
            yield made

    monkeypatch.setattr(model, "chunk", 6)
    monkeypatch.setattr(model, "generate_chunks", spoilt)
    with pytest.raises(TrainingError, match=message):
        model.test_step(narrow.batch(lengths=(6, 6)))


def test_what_rounding_leaves_beyond_the_range_is_no_error():
    check_values("clip", torch.full((3, 2, 4, 4), 1.004))
    with pytest.raises(TrainingError, match=r"values of 0 to 1\.02"):
        check_values("clip", torch.zeros(3, 2, 4, 4).index_fill(1, torch.tensor(1), 1.02))
