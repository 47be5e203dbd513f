"""The interface of adapters."""

from abc import abstractmethod
from typing import ClassVar

from torch import nn

from i2vkit.interfaces import Interface
from i2vkit.models.fields import FIELDS, check_fields
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import Content, Motion, Spec


class Adapter(nn.Module, Interface):
    """Makes a field of content or motion from another, where two parts do not meet. Registered in ``ADAPTERS``.

    The builder inserts an adapter by itself and names it in the log. It is built from the spec upstream, and
    from ``image_size`` if its constructor asks for that.

    Attributes:
        side: "content" or "motion".
        reads: The field that the adapter reads, for instance "code".
        provides: The field that it adds, for instance "trajectory".
        supports_chunks: True if a clip can be made in chunks.
        code_per_step: True if the adapter can read a motion code for every step, (B, T, D).
        spec: The spec upstream with the field added.
    """

    attributes: ClassVar[tuple[str, ...]] = ("spec",)
    optional: ClassVar[tuple[str, ...]] = ("code_per_step",)
    class_attributes: ClassVar[tuple[str, ...]] = ("side", "reads", "provides")
    side: ClassVar[str]
    reads: ClassVar[str]
    provides: ClassVar[str]
    supports_chunks: ClassVar[bool] = False
    code_per_step: ClassVar[bool] = False
    spec: Spec

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        for attribute in ("reads", "provides"):
            if hasattr(cls, "side") and hasattr(cls, attribute):
                check_fields(cls.__name__, attribute, (f"{cls.side}.{getattr(cls, attribute)}",), FIELDS)

    @abstractmethod
    def forward(self, upstream: Content | Motion, state: GenerationState | None) -> Content | Motion:
        """Return the content or motion with the field added."""
