"""Motion encoders that move the landmarks of a face: landmarks that they find, and landmarks that they are given."""

import torch
from einops import rearrange
from torch import Tensor, nn

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionEncoder
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import FRAME_ENCODERS, MOTION_ENCODERS, build_part
from i2vkit.structures import Content, Motion, Points, Spec, VideoBatch


@MOTION_ENCODERS.register_module()
class LandmarkEncoder(MotionEncoder):
    """Landmarks of every driving frame ("driving") and of the image that is animated ("reference").

    A frame encoder and a linear layer tell where the landmarks of a picture lie. They learn it from known landmarks
    (``LandmarkRegressor``), before the generator trains with the encoder frozen. At test no landmarks are given.

    The driving points are those of the image, moved as the landmarks of the driving video have moved since its first
    frame. So another person keeps the proportions of the image, and whatever the network gets wrong in all frames of a
    face cancels. The image should show about the pose of the first driving frame. The displacements of all landmarks
    are also a trajectory, for parts that read no points. There they are in twentieths of the picture's side.

    Source: Ours.

    Args:
        image_size: Side of the frames in pixels.
        frame_encoder: Config of one of ``FRAME_ENCODERS``. By default a ``ConvFrameEncoder``.
        num_landmarks: Number of landmarks, 68 in prepared sets of faces.
    """

    provides = ("motion.points", "motion.trajectory")
    accepts = ("content.image",)
    supports_chunks = frame_wise = True
    full_precision = True  # for ``for_inference_``

    def __init__(self, image_size: int, frame_encoder: dict | None = None, num_landmarks: int = 68):
        super().__init__()
        frame_encoder = frame_encoder or dict(type="ConvFrameEncoder")
        self.frame_encoder = build_part(FRAME_ENCODERS, frame_encoder, image_size=image_size)
        # A hyperbolic tangent in front, as the features of frame encoders end linearly.
        self.to_places = nn.Sequential(nn.Tanh(), nn.Linear(self.frame_encoder.features, 2 * num_landmarks))
        self.spec = Spec(points=num_landmarks, trajectory=2 * num_landmarks)

    def detect(self, frames: Tensor) -> Tensor:
        """Return the landmarks (N, K, 2) of frames (N, 3, H, W), in the units of ``Points``."""
        # In full precision: bf16 would round places to a tenth of a pixel, and faces move by a few.
        with autocast(frames.device, enabled=False):
            places = self.to_places(self.frame_encoder(frames.float()))
        return rearrange(places, "n (k xy) -> n k xy", xy=2)

    # The generator passes the content to a part that reads it.
    def forward(self, clip: VideoBatch, state: GenerationState, content: Content) -> Motion:  # type: ignore[override]
        """Return the points of the driving frames and of the image, and a trajectory (B, T, 2 K) of displacements."""
        length = clip.driving.shape[2]
        # The image and the driving frames as one batch: (B, C, 1 + T, H, W) -> (B (1 + T), C, H, W).
        every = torch.cat([content.image[:, :, None], clip.driving], dim=2)
        places = self.detect(rearrange(every, "b c t h w -> (b t) c h w"))
        reference, *driving = rearrange(places, "(b t) k xy -> t b k xy", t=1 + length)
        return _moved(self, torch.stack(driving, dim=1), reference, clip, state)  # (B, T, K, 2)


@MOTION_ENCODERS.register_module()
class GivenLandmarks(MotionEncoder):
    """Landmarks that come with the data, of every driving frame ("driving") and of the image ("reference").

    Points and trajectory are those of ``LandmarkEncoder``, without a network that finds the landmarks. So it tells how
    well a generator does whose landmarks are right, and it serves where a face tracker gives them. A landmark that is
    unknown (NaN) does not move.

    Source: Ours.

    Args:
        image_size: Side of the frames in pixels.
        num_landmarks: Number of landmarks, 68 in prepared sets of faces.
        relative: False takes the landmarks of the driving frames as places in the image, for landmarks that are those
            of the person in the image: of its own clips, or after ``RetargetLandmarks``.
    """

    provides = ("motion.points", "motion.trajectory")
    supports_chunks = True
    reads_landmarks = True
    frame_wise = True
    reads_video = False

    def __init__(self, image_size: int, num_landmarks: int = 68, relative: bool = True):
        super().__init__()
        self.image_size, self.relative = image_size, relative
        self.spec = Spec(points=num_landmarks, trajectory=2 * num_landmarks)

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """Return the points of the driving frames and of the image, and a trajectory (B, T, 2 K) of displacements."""
        assert clip.landmarks is not None and clip.image_landmarks is not None  # the generator checks it
        scale = 2 / (self.image_size - 1)  # pixels, from the centre of the first to that of the last, to [-1, 1]
        reference = torch.nan_to_num(clip.image_landmarks * scale - 1)  # (B, K, 2)
        places = clip.landmarks * scale - 1
        if self.relative:
            return _moved(self, places, reference, clip, state)
        return _motion(places - reference[:, None], reference, clip)


def _moved(part: MotionEncoder, places: Tensor, reference: Tensor, clip: VideoBatch, state: GenerationState) -> Motion:
    """Return a motion in which the image's landmarks move as those of the driving video since its first frame.

    Args:
        part: The encoder, which keeps the first frame's landmarks in ``state``.
        places: Landmarks (B, T, K, 2) of the driving frames, NaN where unknown.
        reference: Landmarks (B, K, 2) of the image.
        clip: The driving clip.
        state: The first frame's landmarks, from an earlier chunk.
    """
    first = state.recurrent.get(part, places[:, :1])  # of the clip's first frame, also in later chunks
    state.recurrent[part] = first
    return _motion(places - first, reference, clip)


def _motion(displacements: Tensor, reference: Tensor, clip: VideoBatch) -> Motion:
    """Return a motion in which landmarks (B, K, 2) move by ``displacements`` (B, T, K, 2), unknown ones (NaN) not."""
    moved = torch.nan_to_num(displacements)
    points = dict(driving=Points(reference[:, None] + moved), reference=Points(reference))
    # From -1 to 1 is the whole side: ten times a displacement is in twentieths of it.
    return Motion(moved.shape[1], trajectory=10 * moved.flatten(2), points=points, num_frames=clip.num_frames)
