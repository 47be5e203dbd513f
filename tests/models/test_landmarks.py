"""Motion by landmarks: the encoder that finds them, the maps that are drawn of them, and the loss that trains it."""

from dataclasses import replace
from types import SimpleNamespace

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError, DataError
from i2vkit.models import LandmarkRegressor, SupervisedModel
from i2vkit.models.decoders import UNetDecoder
from i2vkit.models.encoders import GivenLandmarks, LandmarkEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.inference import for_inference_
from i2vkit.models.losses import LandmarkLoss
from i2vkit.models.motion_generators import PointMaps
from i2vkit.registry import MODELS
from i2vkit.structures import Content, FeatureSpec, Motion, Points, Spec, VideoBatch

SIZE = narrow.SIZE
ENCODER = narrow.NARROW["LandmarkEncoder"]


def in_units(*pixels) -> torch.Tensor:
    return torch.tensor(pixels) * 2 / (SIZE - 1) - 1


def drawn(moved, still, **arguments) -> torch.Tensor:
    """The maps (4, H, W) of points that lay at ``still`` in the image, in pixels, and lie at ``moved``."""
    points = dict(driving=Points(in_units(*moved)[None, None]), reference=Points(in_units(*still)[None]))
    part = PointMaps(Spec(points=len(moved)), image_size=SIZE, **arguments)
    motion = part(Motion(1, points=points), GenerationState())
    assert part.spec.maps == (FeatureSpec(4, stride=1),) and list(motion.maps) == ["driving"]
    return motion.maps["driving"][0][0, :, 0]


def test_points_of_the_image_move_as_those_of_the_driving_video():
    torch.manual_seed(0)
    encoder = LandmarkEncoder(SIZE, frame_encoder=ENCODER["frame_encoder"], num_landmarks=5).eval()
    clip, image = VideoBatch(torch.rand(2, 3, 4, SIZE, SIZE)), torch.rand(2, 3, SIZE, SIZE)
    with torch.no_grad():
        motion = encoder(clip, GenerationState(), Content(image))
        of_image = encoder.detect(image)
        of_frames = torch.stack([encoder.detect(clip.driving[:, :, t]) for t in range(4)], dim=1)
    assert torch.allclose(motion.points["reference"].place, of_image, atol=1e-6)
    wanted = of_image[:, None] + of_frames - of_frames[:, :1]
    assert torch.allclose(motion.points["driving"].place, wanted, atol=1e-5)
    assert torch.allclose(motion.trajectory, 10 * (of_frames - of_frames[:, :1]).flatten(2), atol=1e-4)
    assert (of_frames[:, 1:] - of_frames[:, :1]).abs().max() > 1e-3  # the frames do differ


def test_given_points_move_the_image_as_found_ones_do():
    known = torch.tensor([[[10.0, 4.0], [3.0, 5.0]], [[12.0, 4.0], [float("nan"), 0.0]], [[9.0, 1.0], [3.0, 6.0]]])
    image = torch.tensor([[20.0, 15.5], [float("nan"), 1.0]])
    clip = VideoBatch(torch.zeros(1, 3, 3, SIZE, SIZE), landmarks=known[None], image_landmarks=image[None])
    encoder, state = GivenLandmarks(SIZE, num_landmarks=2), GenerationState()
    motion = encoder(clip, state)
    unit = 2 / (SIZE - 1)
    assert motion.points["reference"].place[0, 0].tolist() == pytest.approx([20 * unit - 1, 0.0])
    moved = motion.points["driving"].place - motion.points["reference"].place[:, None]
    # Landmarks that are not known do not move, nor do they make anything NaN.
    wanted = torch.tensor([[[0.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [0.0, -5.0]], [[-1.0, -3.0], [0.0, 1.0]]]) * unit
    assert torch.allclose(moved[0], wanted, atol=1e-6)
    assert torch.allclose(motion.trajectory[0], 10 * wanted.flatten(1), atol=1e-5)
    in_chunks = GenerationState()
    parts = [encoder(clip.slice_frames(start, stop), in_chunks) for start, stop in ((0, 1), (1, 3))]
    assert torch.equal(torch.cat([part.trajectory for part in parts], dim=1), motion.trajectory)


def test_given_places_need_not_begin_at_those_of_the_image():
    known = torch.tensor([[[10.0, 4.0], [3.0, 5.0]], [[12.0, 4.0], [float("nan"), 0.0]]])
    image = torch.tensor([[9.0, 4.0], [3.0, 1.0]])
    clip = VideoBatch(torch.zeros(1, 3, 2, SIZE, SIZE), landmarks=known[None], image_landmarks=image[None])
    encoder = GivenLandmarks(SIZE, num_landmarks=2, relative=False)
    motion = encoder(clip, GenerationState())
    moved = motion.points["driving"].place[0] - motion.points["reference"].place
    wanted = torch.tensor([[[1.0, 0.0], [0.0, 4.0]], [[3.0, 0.0], [0.0, -1.0]]]) * 2 / (SIZE - 1)
    assert torch.allclose(moved, wanted, atol=1e-6)
    assert torch.allclose(motion.trajectory[0], 10 * wanted.flatten(1), atol=1e-5)
    second = encoder(clip.slice_frames(1, 2), GenerationState())
    assert torch.equal(second.trajectory, motion.trajectory[:, 1:])


def test_a_generator_says_that_landmarks_are_missing_or_others():
    generator = dict(motion_encoder=narrow.NARROW["GivenLandmarks"], motion_generator=dict(type=PointMaps))
    model = narrow.build(generator=generator, discriminators={}, phases={}).eval()
    assert model.generator.landmarks_read == narrow.POINTS and not model.generator.reads_maps
    clip = model.data_preprocessor(narrow.batch())["clip"]
    model.generator(clip, model.passes)
    with pytest.raises(ConfigError, match=r'landmarks of faces and the clips have none: .* points=\["landmarks"\]'):
        model.generator(VideoBatch(clip.driving, label=clip.label), model.passes)
    wide = replace(clip, landmarks=clip.landmarks.repeat(1, 1, 2, 1), image_landmarks=clip.image_landmarks)
    with pytest.raises(ConfigError, match=r"reads 3 landmarks of a face, and the clips have 6: set model\.generator"):
        model.generator(wide, model.passes)


def test_landmarks_are_found_in_full_precision_whatever_the_models():
    torch.manual_seed(0)
    encoder = LandmarkEncoder(SIZE, frame_encoder=ENCODER["frame_encoder"], num_landmarks=5).eval()
    frames = torch.rand(2, 3, SIZE, SIZE)
    with torch.no_grad():
        wanted = encoder.detect(frames)
        cast = for_inference_(torch.nn.ModuleList([encoder, torch.nn.Linear(2, 2)]), torch.bfloat16)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(cast[0].detect(frames), wanted)
    assert cast[1].weight.dtype == torch.bfloat16  # all else is cast


def test_the_flow_leads_back_to_the_image_near_a_point_and_is_0_far_from_all():
    maps = drawn(moved=[[10.0, 8.0]], still=[[7.0, 8.0]], sigma=2.0, rest=0.05, max_displacement=6.0)
    flow = maps[:2]
    assert flow[0, 8, 10].item() == pytest.approx(-3 / 6 / 1.05)  # the weight of a point at its place is 1
    assert flow[1].abs().max() < 1e-6  # along x alone
    assert flow[:, 28, 28].abs().max() < 1e-6
    # Two steps away: a weight of exp(-1 / 2).
    weight = torch.exp(torch.tensor(-0.5)).item()
    assert flow[0, 8, 12].item() == pytest.approx(-3 / 6 * weight / (weight + 0.05), rel=1e-5)


def test_points_are_drawn_where_they_lie_in_the_frame_and_in_the_image():
    frame, image = drawn(moved=[[10.0, 8.0], [20.0, 25.0]], still=[[7.0, 8.0], [20.0, 21.0]], spot=1.0)[2:]
    for spots, places in ((frame, [(10, 8), (20, 25)]), (image, [(7, 8), (20, 21)])):
        for x, y in places:
            assert spots[y, x].item() == pytest.approx(1, abs=1e-3)
        assert spots[0, 31] < 1e-6


def test_points_that_do_not_move_have_no_flow():
    assert drawn(moved=[[5.0, 6.0], [20.0, 9.0]], still=[[5.0, 6.0], [20.0, 9.0]])[:2].abs().max() < 1e-6


def test_numbers_of_maps_are_above_0():
    with pytest.raises(ConfigError, match=r"PointMaps.sigma is 0, but takes a number above 0"):
        PointMaps(Spec(points=3), image_size=SIZE, sigma=0)


def test_the_u_net_reads_maps_of_full_size_where_there_are_any():
    torch.manual_seed(0)
    narrow_u_net = {key: value for key, value in narrow.NARROW["UNetDecoder"].items() if key != "type"}
    options = dict(image_size=SIZE, out_channels=3, dropout_at_test=False, **narrow_u_net)
    without = Spec(trajectory=6)
    levels = (FeatureSpec(4, stride=1), FeatureSpec(8, stride=2))
    with_maps = Spec(trajectory=6, maps=levels, map_groups=("driving",))
    content = Content(torch.rand(1, 3, SIZE, SIZE))
    trajectory = torch.rand(1, 2, 6)

    def video(decoder, maps):
        with torch.no_grad():
            motion = Motion(2, trajectory=trajectory, maps=dict(driving=(maps, torch.zeros(1, 8, 2, 16, 16))))
            return decoder(content, motion, GenerationState())[0]

    decoder = UNetDecoder(motion=with_maps, **options).eval()
    maps = torch.rand(1, 4, 2, SIZE, SIZE)
    other = maps.clone()
    other[:, :, 1] = 0
    change = (video(decoder, maps) - video(decoder, other)).abs()
    assert change[:, :, 0].max() == 0 < change[:, :, 1].max()  # of the frame whose maps differ, and of no other
    plain = UNetDecoder(motion=without, **options).state_dict()
    blind = UNetDecoder(motion=with_maps, maps=False, **options)
    assert {key: value.shape for key, value in plain.items()} == {k: v.shape for k, v in blind.state_dict().items()}
    assert torch.equal(video(blind.eval(), maps), video(blind, other))


def loss_of(predicted, known, num_frames=None, **arguments) -> float:
    clip = VideoBatch(torch.zeros(len(known), 3, known.shape[1], 8, 8), num_frames=num_frames, landmarks=known)
    return LandmarkLoss(**arguments)(SimpleNamespace(clip=clip, output=lambda name: predicted)).item()


def test_an_error_that_is_the_same_in_all_frames_counts_once_and_not_in_the_displacement():
    known = torch.rand(2, 4, 5, 2)
    assert loss_of(known, known) == 0
    assert loss_of(known + 0.5, known) == pytest.approx(0.5, rel=1e-5)
    late = known.clone()
    late[:, 1:] += 1  # three of four frames are off by 1
    assert loss_of(late, known, change_weight=2.0) == pytest.approx(0.75 + 2 * 0.75, rel=1e-5)


def test_padding_and_unknown_landmarks_do_not_count():
    known = torch.rand(1, 3, 4, 2)
    wild = known.clone()
    wild[0, 2] = 1e6
    assert loss_of(wild, known, num_frames=torch.tensor([2])) == 0
    unknown = known.clone()
    unknown[0, 1, 2] = torch.nan
    wild = known.clone()
    wild[0, 1, 2] = 1e6
    assert loss_of(wild, unknown) == 0


def regressor(**network) -> SupervisedModel:
    torch.manual_seed(0)
    losses = dict(landmarks=dict(type=LandmarkLoss))
    return MODELS.build(
        dict(
            type=SupervisedModel,
            network=dict(type=LandmarkRegressor, encoder=ENCODER) | network,
            image_size=SIZE,
            labels=[],
            phases=dict(landmarks=dict(updates=["network"], losses=losses)),
        )
    )


def test_a_regressor_learns_where_landmarks_lie_and_reports_their_change():
    model = regressor()
    data = narrow.batch(lengths=(4, 4))
    data["inputs"]["landmarks"] = [SIZE * torch.rand(4, 3, 2) for _ in range(2)]
    optimizers = narrow.optimizers(model, lr=1e-2)
    values = [model.train_step(data, optimizers)["landmarks"].item() for _ in range(60)]
    assert values[-1] < 0.7 * values[0]
    samples = model.test_step(data)
    known = data["inputs"]["landmarks"][0]
    assert torch.allclose(samples[0].change, known - known[:1], atol=1e-5)
    assert samples[0].predicted_change.shape == (4, 3, 2) and samples[0].predicted_change[0].abs().max() == 0


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ConfigError, match="CnnLstmEncoder does not"):
        regressor(encoder=narrow.NARROW["CnnLstmEncoder"])
    with pytest.raises(ConfigError, match="takes a number from 0 on"):
        LandmarkLoss(change_weight=-1)
    model = regressor()
    data = narrow.batch(lengths=(4, 4))
    del data["inputs"]["landmarks"]
    with pytest.raises(DataError, match="landmarks"):
        model.train_step(data, narrow.optimizers(model))
