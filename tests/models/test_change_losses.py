"""Pre-training without labels: the change that is told, its losses on known numbers, and where the encoder goes."""

import copy
from types import SimpleNamespace

import narrow
import pytest
import torch
from einops import reduce

from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.metrics import MotionChangeR2
from i2vkit.models import MotionRegressor, SupervisedModel
from i2vkit.models.encoders import CnnLstmEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import FrameChangeLoss, LandmarkChangeLoss
from i2vkit.models.losses.change_losses import frame_change
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

ENCODERS = {
    "states of a CNN-LSTM": dict(encoder=narrow.NARROW["CnnLstmEncoder"]),
    "an unrolled code": dict(encoder=narrow.NARROW["Conv3dEncoder"], motion_generator=narrow.NARROW["LstmUnroll"]),
}


def build(losses=None, **network) -> SupervisedModel:
    torch.manual_seed(0)
    network = dict(type=MotionRegressor, side=8) | (network or ENCODERS["states of a CNN-LSTM"])
    return MODELS.build(
        dict(
            type=SupervisedModel,
            network=network,
            image_size=narrow.SIZE,
            labels=[],
            phases=dict(
                change=dict(updates=["network"], losses=losses or dict(frame_change=dict(type=FrameChangeLoss)))
            ),
        )
    )


def batch(lengths=(6, 4), landmarks: bool = True) -> dict:
    data = narrow.batch(lengths=lengths)
    del data["inputs"]["landmarks"]
    if landmarks:
        data["inputs"]["landmarks"] = [narrow.SIZE * torch.rand(frames, 68, 2) for frames in lengths]
    return data


def context(change: torch.Tensor, told: torch.Tensor, num_frames=None) -> SimpleNamespace:
    """Landmarks that begin at 7 pixels and change so."""
    clip = VideoBatch(torch.zeros(len(change), 3, change.shape[1], 8, 8), num_frames=num_frames, landmarks=7 + change)
    return SimpleNamespace(clip=clip, output=lambda name: told)


def test_frame_change_is_that_of_the_averaged_grey_picture():
    video = torch.rand(2, 3, 4, 32, 32)
    grey = reduce(video, "b c t (h i) (w j) -> b t h w", "mean", i=4, j=4)
    assert torch.allclose(frame_change(video, 8), (grey - grey[:, :1]).flatten(2), atol=1e-6)
    assert frame_change(video[:, :, :1].expand(-1, -1, 4, -1, -1), 8).abs().max() == 0


def test_frame_change_loss_is_the_share_that_is_not_told():
    video = torch.rand(2, 3, 4, 32, 32)
    change = frame_change(video, 8)
    model = SimpleNamespace(network=SimpleNamespace(side=8))

    def loss(told, num_frames=None):
        seen = SimpleNamespace(clip=VideoBatch(video, num_frames=num_frames), output=lambda name: told, model=model)
        return FrameChangeLoss()(seen).item()

    assert loss(change) == 0 and loss(torch.zeros_like(change)) == pytest.approx(1)
    assert loss(change / 2) == pytest.approx(0.25)
    padded = torch.where(torch.arange(4)[:, None] < 2, change, 100.0)  # wild where there is padding
    assert loss(padded, num_frames=torch.tensor([2, 2])) == 0


def test_landmark_change_loss_counts_each_coordinate_alike():
    change = torch.zeros(1, 3, 2, 2)
    change[0, 1:, 0, 0] = torch.tensor([3.0, 4.0])  # one coordinate moves far, one a little
    change[0, 1:, 1, 1] = torch.tensor([0.3, 0.4])
    assert LandmarkChangeLoss()(context(change, change)).item() == pytest.approx(0, abs=1e-9)
    # Two of four coordinates move, each by more than the floor, and count 1 if they are not told.
    assert LandmarkChangeLoss()(context(change, torch.zeros_like(change))).item() == pytest.approx(2 / 4)
    half = LandmarkChangeLoss()(context(change, change / 2)).item()
    assert half == pytest.approx(0.25 * 2 / 4)
    # Below the floor a coordinate counts by the floor: (0.3^2 + 0.4^2) / 3 against 2^2.
    coarse = LandmarkChangeLoss(min_displacement=2.0)(context(change, torch.zeros_like(change))).item()
    assert coarse == pytest.approx((1 + (0.09 + 0.16) / 3 / 4) / 4)


def test_frames_in_which_a_landmark_is_unknown_do_not_count_in_how_far_it_moves():
    change = torch.tensor([0.0, 3.0, torch.nan]).view(1, 3, 1, 1).expand(1, 3, 1, 2)
    for told, expected in ((0.0, 1.0), (1.5, 0.5)):  # (0^2 + 3^2) / 3^2 and (1.5^2 + 1.5^2) / 3^2
        assert LandmarkChangeLoss()(context(change, torch.full_like(change, told))).item() == pytest.approx(expected)


def test_landmark_change_loss_leaves_out_padding_and_what_is_not_known():
    change = torch.rand(2, 3, 5, 2)
    change[:, 0] = 0
    told = change + 0.1
    whole = LandmarkChangeLoss()(context(change, told)).item()
    assert whole > 0
    unknown = change.clone()
    unknown[0, 1, 2] = torch.nan
    wild = torch.where(unknown.isfinite(), change, 1e6).requires_grad_()
    loss = LandmarkChangeLoss()(context(unknown, wild))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-9) and torch.isfinite(wild.grad).all()
    padded = torch.where(torch.arange(3)[:, None, None] < 2, change, 1e6)
    assert LandmarkChangeLoss()(context(change, padded, num_frames=torch.tensor([2, 2]))).item() == pytest.approx(
        0, abs=1e-9
    )


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_step_trains_all_of_it_and_learns(kind):
    losses = dict(frame_change=dict(type=FrameChangeLoss), landmark_change=dict(type=LandmarkChangeLoss))
    model = build(losses, num_landmarks=68, **ENCODERS[kind])
    before = {name: value.clone() for name, value in model.named_parameters()}
    model.train_step(batch(), narrow.optimizers(model))
    assert [name for name, value in model.named_parameters() if torch.equal(value, before[name])] == []
    model = build(**ENCODERS[kind])
    data, optimizers = batch(lengths=(6, 6, 6)), narrow.optimizers(model, lr=1e-2)
    values = [model.train_step(data, optimizers)["frame_change"].item() for _ in range(60)]
    assert values[-1] < 0.5 < 0.9 < values[0]


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_trajectory_is_the_generators_own(kind, tmp_path):
    """What was pre-trained goes into a GAN by its paths, and says the same there."""
    model = build(**ENCODERS[kind])
    path = tmp_path / "regressor.pth"
    torch.save(dict(state_dict=model.state_dict()), path)
    names = {"encoder": "motion_encoder", "motion_generator": "motion_generator"}
    entries = [
        dict(part=f"generator.{names[own]}", checkpoint=str(path), prefix=f"network.{own}") for own in ENCODERS[kind]
    ]
    parts = dict(
        motion_encoder=ENCODERS[kind]["encoder"],
        motion_generator=ENCODERS[kind].get("motion_generator"),
    )
    gan = narrow.build(seed=5, generator=parts, pretrained={entry["part"]: entry for entry in entries}).eval()
    gan.init_weights()
    clip = gan.data_preprocessor(batch())["clip"]
    motion = gan.generator.render(
        gan.generator.encode_content(clip), gan.generator.encode_motion(clip, GenerationState()), GenerationState()
    ).motion
    assert torch.allclose(motion.trajectory, model.eval().network.trajectory(clip), atol=1e-6)


def test_a_test_reports_true_frames_and_the_metric_adds_them_up():
    model = build()
    samples = model.test_step(batch(lengths=(6, 4)))
    assert [sample.change.shape for sample in samples] == [(6, 64), (4, 64)]
    assert [sample.predicted_change.shape for sample in samples] == [(6, 64), (4, 64)]
    metric = MotionChangeR2()
    samples[0].predicted_change, samples[1].predicted_change = samples[0].change / 2, samples[1].change.clone()
    samples[1].change[1, 0] = torch.nan
    metric.process(None, samples)
    squares = [sample.change.nan_to_num(0).square().sum().item() for sample in samples]
    told = metric.evaluate(size=2)["change_r2"]
    assert told == pytest.approx(1 - 0.25 * squares[0] / sum(squares), rel=1e-5)
    landmarks = build(
        dict(landmark_change=dict(type=LandmarkChangeLoss)),
        side=0,
        num_landmarks=68,
        **ENCODERS["states of a CNN-LSTM"],
    )
    assert landmarks.test_step(batch())[1].predicted_change.shape == (4, 68, 2)


def test_the_encoder_sees_a_smaller_picture_where_it_is_told():
    small = CnnLstmEncoder(
        narrow.SIZE, hidden=5, input_size=16, frame_encoder=dict(type="ConvFrameEncoder", widths=(4, 4))
    )
    own = copy.deepcopy(small)
    own.shrink = 1
    video = torch.rand(2, 3, 4, narrow.SIZE, narrow.SIZE)
    averaged = reduce(video, "b c t (h i) (w j) -> b c t h w", "mean", i=2, j=2)
    assert torch.allclose(
        small(VideoBatch(video), GenerationState()).trajectory,
        own(VideoBatch(averaged), GenerationState()).trajectory,
        atol=1e-6,
    )
    with pytest.raises(ConfigError, match="input_size=12: take a divisor"):
        CnnLstmEncoder(narrow.SIZE, input_size=12)


@pytest.mark.parametrize(
    "losses, network, message",
    [
        (
            dict(landmark_change=dict(type=LandmarkChangeLoss)),
            ENCODERS["states of a CNN-LSTM"],
            "num_landmarks=68 for landmark_change",
        ),
        (
            dict(frame_change=dict(type=FrameChangeLoss)),
            dict(encoder=narrow.NARROW["Conv3dEncoder"]),
            "Conv3dEncoder gives none",
        ),
        (
            dict(frame_change=dict(type=FrameChangeLoss)),
            dict(side=0, **ENCODERS["states of a CNN-LSTM"]),
            "nothing to predict",
        ),
        (
            dict(frame_change=dict(type=FrameChangeLoss)),
            dict(side=12, **ENCODERS["states of a CNN-LSTM"]),
            "take a divisor",
        ),
        (
            dict(landmark_change=dict(type=LandmarkChangeLoss, min_displacement=0.0)),
            ENCODERS["states of a CNN-LSTM"],
            "0.0 is not above 0",
        ),
    ],
)
def test_what_cannot_be_told_is_refused(losses, network, message):
    with pytest.raises(ConfigError, match=message):
        build(losses, **network)


def test_clips_without_landmarks_are_refused_with_the_cure():
    model = build(
        dict(landmark_change=dict(type=LandmarkChangeLoss)), num_landmarks=68, **ENCODERS["states of a CNN-LSTM"]
    )
    with pytest.raises(DataError, match=r"ReadPoints, required=\['landmarks'\]"):
        model.train_step(batch(landmarks=False), narrow.optimizers(model))


def test_landmarks_are_padded_cut_and_taken_with_their_frames():
    model = build()
    data = batch(lengths=(6, 4))
    clip = model.data_preprocessor(data)["clip"]
    given = data["inputs"]["landmarks"]
    assert torch.equal(clip.landmarks[0], given[0]) and torch.equal(clip.landmarks[1, :4], given[1])
    assert clip.landmarks[1, 4:].isnan().all()
    assert torch.equal(clip.slice_frames(2, 4).landmarks, clip.landmarks[:, 2:4])
    frames = torch.tensor([[0, 5], [0, 2]])
    assert torch.equal(clip.select_frames(frames).landmarks[1], given[1][[0, 2]])
