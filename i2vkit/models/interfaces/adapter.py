"""The interface of adapters."""

from abc import abstractmethod
from typing import ClassVar, Generic, TypeVar

from torch import nn

from i2vkit.interfaces import Interface
from i2vkit.models.fields import FIELDS, check_fields
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import Content, Motion, Spec

# An adapter works on one side: it gets a content and returns it, or gets a motion and returns it.
Side = TypeVar("Side", Content, Motion)


class Adapter(nn.Module, Interface, Generic[Side]):
    """Makes a field of content or motion from another one, where two parts do not fit. Registered in ``ADAPTERS``.

    The builder inserts an adapter by itself and names it in the log. It builds the adapter with the spec upstream, and
    with ``image_size`` (in pixels) if the constructor asks for that.

    Attributes:
        side: "content" or "motion".
        reads: The field that the adapter reads, for instance "code".
        provides: The field that it adds, for instance "trajectory".
        supports_chunks: True if a clip can be made in chunks. Default False.
        frame_wise: True if the field of a frame depends only on what the adapter reads of that frame. Default False.
        code_per_step: True if the adapter can read a motion code for every step, (B, T, D). Default False.
        for_accepted: True if the adapter is also inserted for a field that a part accepts and does not require. Default
            False.
        spec: The spec upstream with the field added.

    Raises:
        ConfigError: ``reads`` or ``provides`` names an unknown field, when the class is defined.

    Examples:
        >>> import torch
        >>> from dataclasses import replace
        >>> from i2vkit.models.interfaces import Adapter
        >>> from i2vkit.structures import Motion, Spec
        >>> class LastStep(Adapter):
        ...     side, reads, provides = "motion", "trajectory", "code"
        ...     def __init__(self, spec):
        ...         super().__init__()
        ...         self.spec = replace(spec, code=spec.trajectory)
        ...     def forward(self, motion, state):
        ...         return replace(motion, code=motion.trajectory[:, -1])  # (B, T, D) -> (B, D)
        >>> LastStep(Spec(trajectory=4))(Motion(5, trajectory=torch.zeros(2, 5, 4)), state=None).code.shape
        torch.Size([2, 4])
    """

    attributes: ClassVar[tuple[str, ...]] = ("spec",)
    optional: ClassVar[tuple[str, ...]] = ("code_per_step", "for_accepted", "frame_wise")
    class_attributes: ClassVar[tuple[str, ...]] = ("side", "reads", "provides")
    # Class attributes without values, so that an adapter which lacks one is refused.
    side: ClassVar[str]
    reads: ClassVar[str]
    provides: ClassVar[str]
    supports_chunks: ClassVar[bool] = False
    frame_wise: ClassVar[bool] = False
    code_per_step: ClassVar[bool] = False
    for_accepted: ClassVar[bool] = False
    # Set by the constructor.
    spec: Spec

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        # An abstract class between may leave the names to its subclasses.
        for attribute in ("reads", "provides"):
            if hasattr(cls, "side") and hasattr(cls, attribute):
                check_fields(cls.__name__, attribute, (f"{cls.side}.{getattr(cls, attribute)}",), FIELDS)

    @abstractmethod
    def forward(self, upstream: Side, state: GenerationState | None) -> Side:
        """Return the content or motion with the field added.

        Args:
            upstream: The content or motion so far.
            state: Random draws and recurrent states. None for adapters of the content.
        """
