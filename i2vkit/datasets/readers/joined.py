"""Several layouts as one."""

from collections.abc import Sequence

from i2vkit.datasets.index import ClipIndex
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import LAYOUTS, build_part


@LAYOUTS.register_module()
class JoinedLayouts(DatasetReader):
    """The clips of several layouts, one after the other, as one set: two folders of prepared clips, for instance.

    Args:
        layouts: Configs of layouts, ``dict(type=ClipFolder, root=...)``. All know the same labels in the same order.

    Raises:
        ConfigError: No layout is given.
    """

    def __init__(self, layouts: Sequence[dict]):
        if not layouts:
            raise ConfigError(
                "JoinedLayouts has nothing to join: give it layouts=[dict(type=ClipFolder, root=...), ...]"
            )
        self.layouts = [build_part(LAYOUTS, layout) for layout in layouts]

    def index(self) -> ClipIndex:
        """List the clips of all. Raises ``DataError`` if labels differ, or if a clip's name occurs in two of them."""
        first, *others = [layout.index() for layout in self.layouts]
        for index in others:
            if index.labels != first.labels:
                raise DataError(
                    f"layouts that are joined know the same labels in the same order, and these know {first.labels} "
                    f"and {index.labels}: give each layout labels=[...]"
                )
        indices = [first, *others]
        records = [record for index in indices for record in index.records]
        return ClipIndex(records, first.labels, [entry for index in indices for entry in index.skipped])
