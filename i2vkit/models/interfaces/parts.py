"""The interfaces of the parts that a generator's plan connects: encoders, motion generators and decoders."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.interfaces import Interface
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.fields import FIELDS, FROM_GENERATOR, check_fields, side_of
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import Content, Motion, Spec, VideoBatch


class Part(nn.Module, Interface):
    """The common base of content encoder, motion encoder, motion generator and decoder.

    The names in ``requires``, ``accepts`` and ``provides`` are those of ``models/fields.py``: "content.image",
    "content.past", "content.code", "content.pyramid", "motion.code", "motion.trajectory", "motion.maps",
    "motion.points", "motion.flow" and "motion.condition".

    A part with ``reads_past`` turns generation into a rollout: frame 0 is the image itself, and step t is made from
    frame t - 1. All parts behind the motion encoder must then support chunks. They are called step by step, or once for
    all steps with the true frames before them (``Pass.feed``). The content that such a part gets has the frames before
    its steps as ``past`` (B, C, n, H, W), and the codes (B, n, D) of these frames in place of the image's code.

    The builder passes the following keyword arguments to every constructor that names them, so a config never gives
    them. All classes of this module share them.

    - ``image_size``: Side of the image in pixels.
    - ``requested``: Names of the fields that another part reads.
    - ``content`` and ``motion``: Specs upstream.
    - ``out_channels``: Number of channels that the head reads.
    - ``base_requested``: True if the head reads a base.
    - ``head``: The head, for a decoder that applies it at coarser scales too.
    - ``num_labels``: Number of labels of the model, 0 for none.
    - ``map_channels``: Number of channels of condition maps, 0 for none.

    Attributes:
        requires: Fields that the part needs. For a missing one the builder inserts an adapter, or it refuses the
            config. Default ().
        accepts: Fields that the part also uses, if they are there. Default ().
        provides: Fields that the part can give; ``spec`` has their sizes. Default ().
        optional_outputs: Names from ``provides`` that an argument of the part can switch off. Default ().
        supports_chunks: True if a clip can be made in chunks, with the state between them in the ``GenerationState``.
            Default False.
        reads_past: True if step t of the part depends on frame t - 1, given or made. It must support chunks. Default
            False.
        code_per_frame: True if the part can read a content code for every frame, (B, T, D). A motion encoder then gets
            the codes of the clip's own frames. Default False.
        code_per_step: True if the part can read a motion code for every step, (B, T, D). Default False.
        accepted_sides: Sides ("content", "motion") that a part of this role may read. The role sets it.
        provided_side: Side that a part of this role gives. The role sets it.
        spec: Sizes of the part's output, once it is built.

    Raises:
        ConfigError: A class names an unknown field, or one that its role cannot read or give. Python raises it where
            the class is defined.

    Examples:
        >>> from i2vkit.models.interfaces import Decoder
        >>> class Painter(Decoder):
        ...     requires = ("motion.trajectory",)
        ...     accepts = ("content.code",)
        ...     def forward(self, content, motion, state):
        ...         ...
        >>> sorted(Painter.reads()), Painter.reads_content()
        (['content.code', 'motion.trajectory'], True)
    """

    # Class attributes, since the plan reads them before it builds anything.
    requires: ClassVar[tuple[str, ...]] = ()
    accepts: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ()
    optional_outputs: ClassVar[tuple[str, ...]] = ()
    # What a part must declare before others rely on it. False keeps a simple part correct.
    supports_chunks: ClassVar[bool] = False
    reads_past: ClassVar[bool] = False
    code_per_frame: ClassVar[bool] = False
    code_per_step: ClassVar[bool] = False
    # Set by the roles below.
    accepted_sides: ClassVar[tuple[str, ...]] = ("content", "motion")
    provided_side: ClassVar[str | None] = None
    # Set by the constructor, since it depends on the arguments.
    spec: Spec
    # Members that were added later, so that parts from outside without them stay valid.
    optional: ClassVar[tuple[str, ...]] = ("reads_past", "code_per_frame", "code_per_step", "prior")

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        # Checked where the class is defined, so that the traceback points there.
        readable = [field for field in FIELDS if side_of(field) in cls.accepted_sides]
        givable = [field for field in FIELDS if side_of(field) == cls.provided_side and field not in FROM_GENERATOR]
        check_fields(cls.__name__, "requires", cls.requires, readable)
        check_fields(cls.__name__, "accepts", cls.accepts, readable)
        check_fields(cls.__name__, "provides", cls.provides, givable)
        check_fields(cls.__name__, "optional_outputs", cls.optional_outputs, cls.provides)
        cls._check_past()

    @classmethod
    def _check_past(cls) -> None:
        """Raise ``ConfigError`` unless ``reads_past`` agrees with everything else that the class declares."""
        if not cls.reads_past:
            # Without the flag there is no rollout, and so no frame before.
            if "content.past" in cls.reads():
                raise ConfigError(f"{cls.__name__} reads content.past, the frames before: set reads_past=True")
            return
        if "content" not in cls.accepted_sides:  # a content encoder
            raise ConfigError(
                f"{cls.__name__} has reads_past=True, and a part of this kind gets single images: leave reads_past out"
            )
        # Between two steps a part can remember something only in the state, as between two chunks.
        if not cls.supports_chunks:
            raise ConfigError(
                f"{cls.__name__} has reads_past=True, so it is called step by step: keep what it remembers in the "
                f"generation state, and set supports_chunks=True"
            )

    @classmethod
    def reads(cls) -> set[str]:
        """Return the names of everything that the part needs or uses."""
        return {*cls.requires, *cls.accepts}

    @classmethod
    def provides_set(cls) -> set[str]:
        """Return the names of everything that the part can give."""
        return set(cls.provides)

    @classmethod
    def reads_content(cls) -> bool:
        """Return True if the part reads anything of the content."""
        return any(side_of(field) == "content" for field in cls.reads())


class ContentEncoder(Part):
    """Encodes the appearance of single images. Registered in ``CONTENT_ENCODERS``.

    Examples:
        >>> import torch
        >>> from i2vkit.models.interfaces import ContentEncoder
        >>> from i2vkit.structures import Content, Spec
        >>> class MeanColour(ContentEncoder):
        ...     provides = ("content.code",)
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.spec = Spec(code=3)
        ...     def forward(self, image):
        ...         return Content(image=image, code=image.mean(dim=(2, 3)))  # (N, 3, H, W) -> (N, 3)
        >>> MeanColour()(torch.zeros(2, 3, 8, 8)).code.shape
        torch.Size([2, 3])
    """

    attributes: ClassVar[tuple[str, ...]] = ("spec",)
    accepted_sides: ClassVar[tuple[str, ...]] = ()  # it reads only the image, which is no output of a part
    provided_side: ClassVar[str | None] = "content"

    @abstractmethod
    def forward(self, image: Tensor) -> Content:
        """Return the content of images (N, 3, H, W) in [-1, 1].

        ``Content.code`` is (N, D); ``Content.pyramid`` holds maps (N, C_i, H_i, W_i), fine to coarse.
        """


class MotionEncoder(Part):
    """Encodes the motion of a driving clip. Registered in ``MOTION_ENCODERS``.

    An encoder that names a field of the content in ``requires`` or ``accepts`` is called with a third argument. This is
    the content of the image that the motion will animate, with one code (B, D) for each clip. The constructor may ask
    for the spec ``content``. If a loss encodes the motion of a generated video, it passes the content of that video's
    first frame.

    An encoder with ``reads_past`` encodes frames that were given or made before, and needs no driving video. It is
    called with a clip whose ``driving`` is ``content.past``, the frame before each step. Any other encoder runs once on
    the whole driving clip, in a rollout too.

    Attributes:
        reads_maps: True if the encoder reads the condition maps of the clip. Default False.
        reads_landmarks: True if it reads the landmarks of clip and image. Default False.
        reads_video: False if it does not read the video itself. Default True.
        reads_label: True if it reads the label of the clip, which only an encoder with ``reads_past`` may: motion that
            is encoded from a driving video does not depend on labels. Default False.
        frame_wise: True if the motion of a frame depends only on that frame, the first one and the image, and not on
            the frames between. Such a motion is the same at any frame rate. Default False.

    Examples:
        >>> import torch
        >>> from i2vkit.models.interfaces import MotionEncoder
        >>> from i2vkit.structures import VideoBatch, Motion, Spec
        >>> class MeanColours(MotionEncoder):
        ...     provides = ("motion.trajectory",)
        ...     supports_chunks = True
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.spec = Spec(trajectory=3)
        ...     def forward(self, clip, state):
        ...         trajectory = clip.driving.mean(dim=(3, 4)).transpose(1, 2)  # (B, T, 3)
        ...         return Motion(clip.driving.shape[2], trajectory=trajectory, num_frames=clip.num_frames)
        >>> MeanColours()(VideoBatch(torch.zeros(2, 3, 5, 8, 8)), state=None).trajectory.shape
        torch.Size([2, 5, 3])
    """

    attributes: ClassVar[tuple[str, ...]] = ("spec",)
    accepted_sides: ClassVar[tuple[str, ...]] = ("content",)  # it makes the motion
    provided_side: ClassVar[str | None] = "motion"
    reads_maps: ClassVar[bool] = False
    reads_landmarks: ClassVar[bool] = False
    reads_video: ClassVar[bool] = True
    reads_label: bool = False
    frame_wise: ClassVar[bool] = False
    optional: ClassVar[tuple[str, ...]] = (*Part.optional, "frame_wise")

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        # The generator passes a content to the prior only if the encoder reads one.
        if cls.prior is not MotionEncoder.prior and not cls.reads_content():
            raise ConfigError(
                f"{cls.__name__} has a prior of its own and reads no content: name the fields that the prior reads in "
                f'requires, for instance "content.code"'
            )

    @abstractmethod
    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """Return the motion of a driving clip.

        Args:
            clip: The batch; ``clip.driving`` is (B, 3, T, H, W) in [-1, 1].
            state: Draw noise from it and keep recurrent state in it.

        Returns:
            A motion of length T. Its ``code`` is (B, D), or (B, T, D) with ``code_per_step`` in the spec. With a
            variational spec, ``mean`` and ``log_variance`` have the same shape. Its ``trajectory`` is (B, T, D).
        """

    def prior(self, content: Content, state: GenerationState) -> tuple[Tensor, Tensor] | None:
        """Return mean and log-variance of the motion code before the driving clip is seen, or None for N(0, I).

        Args:
            content: Content of the image. In a rollout with ``code_per_step``, its ``past`` has the frames before the n
                steps, and its code is that of these frames, (B, n, D).
            state: Keeps recurrent state. The prior and ``forward`` need separate entries in it.

        Returns:
            (B, D) each, or (B, n, D) each, one for each step.
        """
        return None  # N(0, I), of which nothing need be computed


class MotionGenerator(Part):
    """Makes the motion of every frame from a code, a label or noise. Registered in ``MOTION_GENERATORS``.

    A motion generator that names a field of the content in ``requires`` or ``accepts`` is called with the content as
    third argument, with one code (B, D) for each clip. Its constructor may ask for the spec ``content``.

    Attributes:
        frame_wise: True if the motion of a frame depends only on what the part reads of that frame. Default False.

    Examples:
        >>> import torch
        >>> from dataclasses import replace
        >>> from einops import repeat
        >>> from i2vkit.models.interfaces import MotionGenerator
        >>> from i2vkit.structures import Motion, Spec
        >>> class RepeatedCode(MotionGenerator):
        ...     requires = ("motion.code",)
        ...     provides = ("motion.trajectory",)
        ...     supports_chunks = True
        ...     def __init__(self, motion: Spec):
        ...         super().__init__()
        ...         self.spec = replace(motion, trajectory=motion.code)
        ...     def forward(self, motion, state):
        ...         return replace(motion, trajectory=repeat(motion.code, "b d -> b t d", t=motion.length))
        >>> RepeatedCode(Spec(code=4))(Motion(5, code=torch.zeros(2, 4)), state=None).trajectory.shape
        torch.Size([2, 5, 4])
    """

    attributes: ClassVar[tuple[str, ...]] = ("spec",)
    provided_side: ClassVar[str | None] = "motion"
    frame_wise: ClassVar[bool] = False
    optional: ClassVar[tuple[str, ...]] = (*Part.optional, "frame_wise")

    @abstractmethod
    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Return ``motion`` with a code (B, D) or a trajectory (B, ``motion.length``, D) added.

        Args:
            motion: The motion so far. In a rollout it holds one step, or all of them.
            state: Draw noise from it and keep recurrent state in it.
        """


class Decoder(Part):
    """Makes the features of every frame from content and motion. Registered in ``DECODERS``.

    Attributes:
        frame_wise: True if a frame depends only on the content and on the motion of that frame. A training step can
            then decode some frames of a clip without the others. Default False.
        lengths: The numbers of frames that the decoder can make. Any by default.

    Examples:
        >>> import torch
        >>> from einops import rearrange
        >>> from i2vkit.models.interfaces import Decoder
        >>> from i2vkit.structures import Content, Motion, Spec
        >>> class FlatColour(Decoder):
        ...     requires = ("motion.trajectory",)
        ...     supports_chunks = frame_wise = True
        ...     def __init__(self, motion: Spec, out_channels: int):
        ...         super().__init__()
        ...         self.to_colour = torch.nn.Linear(motion.trajectory, out_channels)
        ...     def forward(self, content, motion, state):
        ...         colour = rearrange(self.to_colour(motion.trajectory), "b t c -> b c t 1 1")
        ...         return colour.expand(-1, -1, -1, *content.image.shape[2:]), content.image[:, :, None]
        >>> motion = Motion(5, trajectory=torch.zeros(2, 5, 4))
        >>> features, base = FlatColour(Spec(trajectory=4), 3)(Content(torch.zeros(2, 3, 8, 8)), motion, None)
        >>> features.shape, base.shape
        (torch.Size([2, 3, 5, 8, 8]), torch.Size([2, 3, 1, 8, 8]))
    """

    frame_wise: ClassVar[bool] = False
    # A decoder whose lengths depend on its arguments sets them in its constructor.
    lengths: ClipLengths = ClipLengths()

    @abstractmethod
    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return the features of all frames, and the base for the head.

        Args:
            content: Content of the image.
            motion: Motion of T frames.
            state: Draw noise from it and keep recurrent state in it.

        Returns:
            Features (B, out_channels, T, H, W) for the head, and the base (B, 3, T or 1, H, W) in [-1, 1]. A decoder
            without a base of its own returns the content image, (B, 3, 1, H, W). A decoder may return a third thing, a
            tuple of coarser videos (B, 3, T, h, w) in [-1, 1], fine to coarse (``Generated.scales``).
        """
