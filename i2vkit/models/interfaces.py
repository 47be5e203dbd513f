"""The contract of the parts that a generator is assembled from."""

from typing import ClassVar

from torch import nn

from i2vkit.models.clip_lengths import Lengths
from i2vkit.structures import Spec


class Part(nn.Module):
    """An encoder, motion generator or decoder.

    ``needs`` names what the part cannot do without and ``uses`` what it takes when it is there, as "content.code",
    "content.pyramid", "motion.code", "motion.trajectory", "motion.condition" or "motion.maps"; the builder looks at
    both before it builds what stands upstream, and inserts adapters for what is needed and missing. ``spec`` says what
    the part gives. ``streams`` is true if a clip can be made in chunks, ``code_per_frame`` if the part reads a content
    code for every frame too. ``reads_maps`` is true of a motion encoder that reads the clip's condition maps, and
    ``reads_video`` is false if it reads nothing of the video itself. ``lengths`` says of a decoder which numbers of
    frames it can make; any, if it does not. ``frame_wise`` is true of a decoder in which a frame depends on the content
    and on the motion of that frame alone, so that some frames of a clip can be decoded without the others.

    The builder hands over, as keyword arguments that a config never gives: ``image_size``; ``wanted``, the names of the
    fields that somebody downstream reads; ``content`` and ``motion``, the specs upstream; ``out_channels``, what the
    head reads; ``base_wanted``, whether the head reads a base; ``num_labels``; ``map_channels`` of condition maps.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    uses: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[tuple[str, ...]] = ()
    streams: ClassVar[bool] = False
    code_per_frame: ClassVar[bool] = False
    reads_maps: ClassVar[bool] = False
    reads_video: ClassVar[bool] = True
    frame_wise: ClassVar[bool] = False
    lengths: Lengths = Lengths()
    spec: Spec

    @classmethod
    def reads(cls) -> set[str]:
        """Everything the part needs or uses."""
        return {*cls.needs, *cls.uses}

    @classmethod
    def gives_set(cls) -> set[str]:
        """Everything the part can give."""
        return set(cls.gives)
