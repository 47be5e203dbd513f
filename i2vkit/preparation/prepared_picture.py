"""Preparation of one picture or video of a face for a trained model."""

from __future__ import annotations

from pathlib import Path

from i2vkit.errors import ConfigError
from i2vkit.preparation.face_crops import FramingName, face_framing


def prepare_picture(
    source: Path,
    out: Path,
    size: int | None = None,
    *,
    framing: FramingName | None = None,
    margin: float | None = None,
    landmarks: Path | None = None,
    model: str | None = None,
) -> str:
    """Cut the face out of one picture, or of one video, as the training data of a model were cut out.

    Args:
        source: A picture, or a video.
        out: The picture or video to write, such as `face.png`.
        size: Side of the result in pixels, 64 by default, or that of the model.
        framing: "box" keeps the box of the face on the first frame, as MUG and UvA-NEMO are prepared. "eyes" rotates
            and scales every frame so that the eyes keep their positions, as Oulu-CASIA is. By default "box", or that of
            the model's training data.
        margin: Margin of the box on every side, as a share of its side, 0.1 by default, or that of the model.
        landmarks: CSV file of the landmarks, one row for each frame. By default they are found in the pictures.
        model: A trained model by name or file, as `i2v animate --model` takes it, whose size and framing are used.

    Raises:
        ConfigError: The model was not trained on crops of faces, or its size or framing is given as well.
        DataError: No face is found, or nothing is installed that finds it.
        MediaError: The picture cannot be read, or the result cannot be written.
    """
    # These import torch, which other sets do not need.
    from i2vkit.apis.face_preparation import framing_of, prepare_faces
    from i2vkit.apis.map_driving import find_landmarks, read_landmarks
    from i2vkit.media import VideoWriter, iterate_video, video_facts, write_image
    from i2vkit.zoo.pretrained import find_pretrained

    if source.resolve() == out.resolve():
        raise ConfigError(f"{out} is the picture itself: choose another --out")
    if model is None:
        chosen = face_framing(framing or "box", 64 if size is None else size, margin)
    else:
        if size is not None or framing is not None or margin is not None:
            raise ConfigError("--model sets size, framing and margin: leave --size, --framing and --margin away")
        cfg = find_pretrained(model).cfg
        found = framing_of(cfg, cfg.model.image_size)
        if found is None:
            raise ConfigError(f"{model} was not trained on crops of faces: animate takes any picture for it")
        chosen = found
    if chosen.size < 16:
        raise ConfigError(f"--size {chosen.size}: frames need at least 16 pixels")
    facts = video_facts(source)
    points = None if landmarks is None else read_landmarks(landmarks)
    if facts.num_frames == 1:
        found_points = find_landmarks(list(iterate_video(source)), "picture") if points is None else points[:1]
        (picture,) = prepare_faces(source, chosen, "picture", found_points)
        write_image(out, picture)
        return f"{out}: {chosen.size}x{chosen.size}"
    if points is None:
        points = find_landmarks(list(iterate_video(source)), "video")
    count = 0
    with VideoWriter(out, facts.fps or 25.0) as writer:
        for frame in prepare_faces(source, chosen, "video", points):
            writer.write(frame)
            count += 1
    return f"{out}: {count} frames of {chosen.size}x{chosen.size}"
