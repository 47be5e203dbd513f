"""Animation by condition maps: points to maps on the way, and the files that show them."""

import narrow
import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import SIZE

from i2vkit.apis import map_driving
from i2vkit.apis.face_crop import crop_face
from i2vkit.apis.forecasting import forecast_set, load_pose_lstm
from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.apis.inputs import inference_config
from i2vkit.apis.map_driving import body_maps, face_maps, read_landmarks, read_poses
from i2vkit.apis.motion_sources import BodyPoses, ClipMaps, ConditionMaps, DrawnMaps, FaceVideo, declared_generator
from i2vkit.conditions import FaceMaps, JointHeatmaps, Silhouettes, retarget_landmarks
from i2vkit.conditions.camera import to_image_space
from i2vkit.config.finding import experiment_names
from i2vkit.config.loading import load_config
from i2vkit.datasets.map_files import maps_of, write_maps
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import read_image, read_video, write_image, write_video
from i2vkit.models import PoseLstm, SupervisedModel
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.registry import MODELS
from i2vkit.rendering.faces.expressions import ActionUnits, HeadPose
from i2vkit.rendering.faces.face_identity import draw_identity
from i2vkit.rendering.faces.face_renderer import FaceRenderer

PARTS = ("content_encoder", "motion_encoder", "decoder")


DATA = {13: "penn", 3: "mug", 1: "weizmann"}  # by the number of maps a frame


def model_config(stage: str = "forecast", channels: int = 13) -> Config:
    options = {"model.image_size": SIZE}
    options |= {f"model.generator.{part}.width": 4 for part in PARTS}
    options |= {f"model.generator.{part}.max_width": 8 for part in PARTS}
    options |= {"model.discriminators.frame.network.width": 4, "model.discriminators.frame.network.max_width": 8}
    if stage == "refine":
        options |= {"model.generator.refiner.widths": (4, 8), "model.generator.refiner.window": 8}
        options |= {"model.discriminators.video.network.width": 4, "model.discriminators.video.network.max_width": 8}
    if channels == 13 and stage == "forecast":  # VGG's weights are not there
        options["model.phases.generator.losses.features"] = None
    return load_config(f"frgan_{stage}_{DATA[channels]}", options)


def inferencer(tmp_path, stage: str = "forecast", channels: int = 13) -> I2VInferencer:
    cfg, path = model_config(stage, channels), tmp_path / f"{stage}{channels}.pth"
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, path)
    return I2VInferencer(cfg, path, "cpu")


def pointed(tmp_path) -> I2VInferencer:
    """A model that reads given landmarks, with weights under which they matter."""
    options = {"model.image_size": SIZE, "model.generator.decoder.widths": (8, 8, 8, 8, 8)}
    cfg, path = load_config("mix/given_landmarks_recipe_faces", options), tmp_path / "pointed.pth"
    model = MODELS.build(inference_config(cfg))
    narrow.set_weights(model.generator)
    torch.save({"state_dict": model.state_dict()}, path)
    return I2VInferencer(cfg, path, "cpu")


def pose_config() -> Config:
    network = dict(type=PoseLstm, observed=4, hidden=8)
    phases = dict(poses=dict(updates=["network"], losses=dict(pose=dict(type="PoseLoss"))))
    return Config(dict(model=dict(type=SupervisedModel, image_size=SIZE, labels=[], network=network, phases=phases)))


@pytest.fixture
def pose_lstm(tmp_path) -> PoseLstm:
    """One that says: everybody stays."""
    cfg, path = pose_config(), tmp_path / "poses.pth"
    model = MODELS.build(cfg.model)
    torch.nn.init.zeros_(model.network.change.weight)
    torch.save({"state_dict": model.state_dict()}, path)
    return load_pose_lstm(cfg, path)


def walk(frames: int) -> np.ndarray:
    """Joints (T, 13, 2) that go to the right by two pixels a frame."""
    start = np.random.default_rng(0).uniform(8, 20, (1, 13, 2))
    return start + 2.0 * np.arange(frames)[:, None, None] * np.array([1.0, 0.0])


def picture(height: int = SIZE, width: int = SIZE) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def test_poses_become_heatmaps_of_the_image_and_of_what_follows():
    made = body_maps(picture(2 * SIZE, 2 * SIZE), 2 * walk(3) + 0.5, SIZE)
    assert np.array_equal(made.maps, JointHeatmaps(SIZE)(walk(3)))
    assert np.array_equal(made.image_maps, made.maps[0])
    empty = walk(3)
    empty[0] = np.nan
    with pytest.raises(DataError, match="the first pose, that of the image, is empty"):
        body_maps(picture(), empty, SIZE)


def test_forecast_poses_begin_with_the_last_one_seen(pose_lstm):
    made = body_maps(picture(), walk(6), SIZE, pose_lstm, length=5)
    assert made.maps.shape == (6, 13, SIZE, SIZE)
    standing = JointHeatmaps(SIZE)(walk(6)[[-1] * 6])
    assert np.abs(made.maps.astype(int) - standing).max() <= 1
    with pytest.raises(DataError, match="sees 4 poses and was given 3"):
        body_maps(picture(), walk(3), SIZE, pose_lstm)
    with pytest.raises(DataError, match=f"trained on {SIZE} pixels, the model on 16"):
        body_maps(picture(), walk(4), 16, pose_lstm)


def test_files_of_poses(tmp_path):
    write_landmarks(tmp_path / "poses.csv", walk(3), first=7)
    assert np.allclose(read_poses(tmp_path / "poses.csv"), walk(3), atol=0.01)
    with pytest.raises(DataError, match=r"there is no .*none.csv: a CSV file"):
        read_poses(tmp_path / "none.csv")
    with pytest.raises(DataError, match="with 68 or 5 points"):
        read_landmarks(tmp_path / "poses.csv")


def landmarks(generator: FaceMaps, smiles: list[float], x: float) -> np.ndarray:
    """Landmarks (T, 68, 2) of the built-in model's mean face around (x, 16), with its first expression so strong."""
    model = generator.model
    expressions = np.zeros((len(smiles), model.num_expression))
    expressions[:, 0] = smiles
    camera = np.tile([0, 0, 0, 1, x, 16.0], (len(smiles), 1))
    points = to_image_space(model.shapes(np.zeros(model.num_identity), expressions)[:, model.landmarks], camera)
    return (points - points[:1].mean(axis=1)) * 20 / np.ptp(points[:1]) + (x, 16)


def test_the_image_has_the_driving_expression_in_its_own_place():
    generator = FaceMaps(SIZE)
    image, driving = landmarks(generator, [0], x=13), landmarks(generator, [0, 0, 2.5], x=19)
    made = face_maps(picture(), np.stack([picture()] * 3), SIZE, (image, driving))
    assert made.maps.shape == (3, 3, SIZE, SIZE) and made.image_maps.shape == (3, SIZE, SIZE)
    difference = np.abs(made.maps.astype(int) - made.image_maps).mean(axis=(1, 2, 3))
    assert difference[0] < 3 and difference[1] < 3 and difference[2] > 2 * difference[0]
    columns = np.flatnonzero((made.maps[0] != 128).any(axis=(0, 1)))
    assert abs(columns.mean() - 13) < 2


def test_a_clip_of_poses_is_forecast_on_the_disk(tmp_path, pose_lstm):
    root = tmp_path / "set"
    for name, length in (("ann", 6), ("bob", 3)):
        for t in range(length):
            write_image(root / f"{name}/run/a/{t:03d}.png", picture())
        write_landmarks(root / f"joints/{name}.csv", walk(length))
    rows = [
        "path,person,label,num_frames,fps,joints",
        *(f"{n}/run/a,{n},run,,25,joints/{n}.csv" for n in ("ann", "bob")),
    ]
    (root / "index.csv").write_text("\n".join(rows) + "\n")
    assert "poses of 1 of 2 clips forecast" in forecast_set(pose_lstm, root, length=1)
    records = ClipFolder(str(root)).index().records
    assert records[0].label == "run" and records[1].metadata.get("forecast", "") == ""
    maps = maps_of(type(records[0])(**{**vars(records[0]), "metadata": {"maps": records[0].metadata["forecast"]}}))
    seen = np.round(walk(4), 2)
    assert np.abs(maps[:4].astype(int) - JointHeatmaps(SIZE)(seen)).max() <= 1
    assert np.abs(maps[4].astype(int) - maps[3]).max() <= 1 and not maps[5].any()


@pytest.mark.parametrize("stage, rows", [("forecast", 3), ("refine", 4)])
def test_maps_masks_coarse_and_refined_frames_are_shown(tmp_path, stage, rows):
    made = inferencer(tmp_path, stage)
    driving = body_maps(picture(), walk(8), SIZE)
    driving = ConditionMaps(driving.maps, driving.image_maps)
    shown = made(picture(), driving, tmp_path / "shown.mkv", show_maps=True, keep_frames=True)
    plain = made(picture(), driving, tmp_path / "plain.png", keep_frames=True)
    assert shown.num_frames == 8 and np.array_equal(shown.frames, plain.frames)
    grid = read_video(tmp_path / "shown.mkv")
    assert len(grid) == 8 and grid.shape[1] > rows * SIZE
    assert read_image(tmp_path / "plain.png").ndim == 3
    with pytest.raises(ConfigError, match="reads maps"):
        made(picture(), ConditionMaps(driving.maps[:, :3]))


def test_the_data_set_declares_what_draws_its_maps():
    found = {}
    for name in experiment_names():
        cfg = load_config(name)
        if (cfg.get("model") or {}).get("map_channels"):
            found[name] = type(declared_generator(cfg))
    assert found["frgan_forecast_weizmann"] is found["frgan_forecast_weizmann_narrow"] is Silhouettes
    assert found["frgan_refine_penn"] is found["frgan_forecast_figures"] is JointHeatmaps
    assert found["frgan_refine_mug"] is found["frgan_forecast_faces"] is FaceMaps
    # Every shipped model that reads maps can be moved.
    assert set(found.values()) == {Silhouettes, JointHeatmaps, FaceMaps}
    with pytest.raises(ConfigError, match=r"JointHeatmaps, which draws 13 condition maps .* model reads 3"):
        declared_generator(load_config("frgan_forecast_penn", {"model.map_channels": 3}))


def test_the_model_says_what_drives_it(tmp_path):
    bodies, faces, shapes = (inferencer(tmp_path, channels=channels) for channels in (13, 3, 1))
    with pytest.raises(ConfigError, match="driven by poses: give --poses"):
        bodies.choose_source()
    with pytest.raises(ConfigError, match="driven by a video of a face: give --driving"):
        faces(picture())
    with pytest.raises(ConfigError, match="of which Silhouettes draws maps: give --driving FILE, or the maps"):
        shapes(picture())
    with pytest.raises(ConfigError, match="driven by poses: --landmarks, --margin mean nothing"):
        bodies.choose_source(poses="poses.csv", margin=0.1, landmarks=("a.csv", "b.csv"))
    with pytest.raises(ConfigError, match="driven by a video of a face: --background means nothing"):
        faces.choose_source(driving="clip.mp4", background="wall.png")
    with pytest.raises(ConfigError, match="set the number of frames: leave frames"):
        faces.choose_source(driving="clip.mp4", frames=9)
    with pytest.raises(ConfigError, match=r"\(--maps\) drive: --driving means nothing"):
        shapes.choose_source(driving="clip.mp4", maps=["clip"])
    bodies.condition_generator = None
    with pytest.raises(ConfigError, match=r"does not declare a generator for them .*give a clip of a prepared set"):
        bodies.choose_source(poses="poses.csv")


def test_poses_in_a_file_move_a_body(tmp_path):
    write_image(tmp_path / "image.png", picture())
    write_landmarks(tmp_path / "poses.csv", walk(3))
    animate, out = inferencer(tmp_path), tmp_path / "out.mkv"
    made = animate(tmp_path / "image.png", BodyPoses(tmp_path / "poses.csv"), out, keep_frames=True)
    assert made.num_frames == 3 and out.is_file()
    prepared = animate.prepare(picture(), BodyPoses(tmp_path / "poses.csv"))
    assert np.abs(prepared.maps.astype(int) - JointHeatmaps(SIZE)(walk(3))).max() <= 1  # the file has two decimals
    again = animate(picture(), ConditionMaps(prepared.maps, prepared.image_maps))
    assert np.array_equal(made.frames, again.frames)


def test_a_raw_face_is_animated_as_its_crop_is(tmp_path):
    faces = [FaceRenderer(draw_identity(0, person), 128, 96) for person in (1, 2)]
    image, of_image = faces[0].render(head=HeadPose(dx=-8))
    driving = [faces[1].render(ActionUnits(jaw_drop=step)) for step in (0, 0.5, 1)]
    write_image(tmp_path / "image.png", image)
    for number, (frame, _) in enumerate(driving):
        write_image(tmp_path / f"driving/{number}.png", frame)
    files = [str(tmp_path / f"{name}.csv") for name in ("image", "driving")]
    for path, points in zip(files, (of_image[None], np.stack([points for _, points in driving])), strict=True):
        write_landmarks(path, points)
    model = inferencer(tmp_path, channels=3)
    moved_by = FaceVideo([tmp_path / "driving"], landmarks=files)
    made = model(tmp_path / "image.png", moved_by).frames.astype(int)

    maps = face_maps(image, [frame for frame, _ in driving], SIZE, tuple(map(read_landmarks, files)))
    crop, _ = crop_face(image, read_landmarks(files[0]), FirstFrameBox(SIZE), "image")
    moved_by = ConditionMaps(maps.maps, maps.image_maps)
    of_crop, of_centre = (model(picture, moved_by).frames for picture in (crop, image))
    assert len(made) == 3 and np.array_equal(made, of_crop)
    assert np.abs(made - of_centre).mean() > 5
    with pytest.raises(ConfigError, match=r"--margin 5.0: it must be a share of the box, from 0 to 2"):
        model(tmp_path / "image.png", FaceVideo([tmp_path / "driving"], landmarks=files, margin=5.0))


def test_landmarks_of_a_raw_face_move_a_model_that_reads_them(tmp_path):
    faces = [FaceRenderer(draw_identity(0, person), 128, 96) for person in (1, 2)]
    image, of_image = faces[0].render(head=HeadPose(dx=-8))
    driving, of_driving = zip(*(faces[1].render(ActionUnits(jaw_drop=step)) for step in (0, 0.5, 1)), strict=True)
    animate = pointed(tmp_path)
    moved_by = animate.choose_source(driving=np.stack(driving), landmarks=[of_image[None], np.stack(of_driving)])
    assert isinstance(moved_by, FaceVideo)
    prepared = animate.prepare(image, moved_by)
    framing = animate.framing  # of the training data
    crop, points = crop_face(image, of_image[None], framing, "image")
    assert np.array_equal(prepared.image, crop) and np.allclose(prepared.image_landmarks, points[0])
    # As in the tests on its data, the landmarks are those of the person in the image.
    moving, maps = crop_face(driving[0], np.stack(of_driving), framing, "clip")[1], animate.condition_generator
    fits = maps.fit(moving), maps.fit(points)
    assert np.allclose(prepared.landmarks, retarget_landmarks(maps.model, moving, fits[0], points[0], fits[1]))
    assert np.abs(prepared.landmarks - moving).max() > 0.5
    made = animate(image, moved_by).frames.astype(int)
    assert made.shape == (3, SIZE, SIZE, 3)
    # The moving chin moves pixels. Landmarks that stay leave every frame as the first.
    assert np.abs(made[2] - made[0]).max() > 5
    still = animate(image, FaceVideo(np.stack(driving), landmarks=[of_image[None], np.stack([of_driving[0]] * 3)]))
    assert (still.frames == still.frames[0]).all()
    in_chunks = animate(image, moved_by, chunk=2).frames.astype(int)
    assert np.abs(in_chunks - made).max() <= 1
    with pytest.raises(ConfigError, match="driven by landmarks: --background means nothing to it"):
        animate.choose_source(driving=np.stack(driving), background="wall.png")
    with pytest.raises(ConfigError, match=r"driven by the landmarks of a video, .* give --driving FILE"):
        animate.choose_source()


def walker(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """A dark bar (T, SIZE, SIZE, 3) that goes right by four pixels a frame before a bright wall, and the wall."""
    wall = np.random.default_rng(2).integers(180, 200, (SIZE, SIZE, 3), np.uint8)
    clip = np.stack([wall] * frames)
    for t in range(frames):
        clip[t, 8:28, 4 * t : 4 * t + 4] = 20
    return clip, wall


def test_silhouettes_are_drawn_of_the_driving_video_and_of_the_image(tmp_path):
    """Nothing is given but the two: the wall behind is the median over time."""
    clip, wall = walker(6)
    write_video(tmp_path / "clip.mkv", clip, fps=10)
    animate = inferencer(tmp_path, channels=1)
    prepared = animate.prepare(clip[0], DrawnMaps(tmp_path / "clip.mkv"))
    expected = (clip < 100).all(axis=3)[:, None] * np.uint8(255)
    assert np.array_equal(prepared.maps, expected) and np.array_equal(prepared.image_maps, expected[0])
    made = animate(clip[0], tmp_path / "clip.mkv")
    assert made.fps == 10 and np.array_equal(made.frames, animate(clip[0], ConditionMaps(expected)).frames)
    # Somebody who stays is hidden in the median, and seen before the empty scene.
    still = np.repeat(clip[2:3], 4, axis=0)
    with pytest.raises(DataError, match="silhouettes of the driving video: no person is found"):
        animate(clip[2], still)
    prepared = animate.prepare(clip[2], DrawnMaps(still, background=wall))
    assert np.array_equal(prepared.maps, expected[[2] * 4])
    with pytest.raises(DataError, match=r"silhouettes of the image: 100 % of the picture would be a person"):
        animate(np.zeros_like(wall), clip)


def test_the_maps_of_a_prepared_clip_drive_any_model_that_reads_maps(tmp_path):
    clip, _ = walker(4)
    root, maps = tmp_path / "set", np.random.default_rng(3).integers(0, 256, (2, 4, 1, SIZE, SIZE), np.uint8)
    for name, own in zip(("ann", "bob"), maps, strict=True):
        for t, frame in enumerate(clip):
            write_image(root / f"{name}/walk/a/{t:03d}.png", frame)
        write_maps(root / f"maps/{name}.npz", own)
    rows = [f"{name}/walk/a,{name},walk,,12.5,maps/{name}.npz" for name in ("ann", "bob")]
    (root / "index.csv").write_text("\n".join(["path,person,label,num_frames,fps,maps", *rows]) + "\n")
    animate = inferencer(tmp_path, channels=1)
    made = animate(clip[0], ClipMaps(root / "ann/walk/a"))
    assert made.fps == 12.5 and np.array_equal(made.frames, animate(clip[0], ConditionMaps(maps[0])).frames)
    prepared = animate.prepare(clip[0], ClipMaps(root / "ann/walk/a", root / "bob/walk/a"))
    assert np.array_equal(prepared.maps, maps[0]) and np.array_equal(prepared.image_maps, maps[1, 0])
    with pytest.raises(DataError, match=r"lists no clip ann/walk/b"):
        animate(clip[0], ClipMaps(root / "ann/walk/b"))
    with pytest.raises(DataError, match=r"there is no index.csv above"):
        animate(clip[0], ClipMaps(tmp_path / "clip.mp4"))


def test_a_driving_face_must_have_landmarks_for_its_frames():
    points = np.zeros((1, 68, 2))
    with pytest.raises(DataError, match="has 4 frames, its landmarks are of 1"):
        face_maps(picture(), np.stack([picture()] * 4), SIZE, (points, points))


def test_without_dlib_landmarks_can_be_given(monkeypatch):
    monkeypatch.setattr(map_driving, "dlib_installed", lambda: False)
    with pytest.raises(DataError, match=r"no landmarks of the image: give --landmarks.*i2vkit\[faces\]"):
        face_maps(np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((2, SIZE, SIZE, 3), np.uint8), SIZE)
