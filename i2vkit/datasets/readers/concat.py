"""A reader that joins several readers."""

from collections.abc import Sequence

from i2vkit.datasets.broken_clips import OnError
from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import READERS, arguments_of, build_part, find_part


@READERS.register_module()
class ConcatReader(DatasetReader):
    """A reader of the clips of several readers, one after the other, for instance of two folders of prepared clips.

    Args:
        readers: Configs of readers, ``dict(type=ClipFolder, root=...)``. All have the same labels in the same order.
        on_error: Given to the readers that take it, see ``ClipFolder``. By default each has its own.

    Raises:
        ConfigError: No reader is given.
    """

    def __init__(self, readers: Sequence[dict], on_error: OnError | None = None):
        if not readers:
            raise ConfigError(
                "ConcatReader has nothing to join: give it readers=[dict(type=ClipFolder, root=...), ...]"
            )
        more = {} if on_error is None else {"on_error": on_error}
        takes = [arguments_of(find_part(READERS, reader["type"])) or {} for reader in readers]
        self.readers = [
            build_part(READERS, {**reader, **(more if "on_error" in own else {})})
            for reader, own in zip(readers, takes, strict=True)
        ]

    def facts(self) -> DataFacts:
        """Return the facts of the readers if all agree, and otherwise none."""
        known = {reader.facts() for reader in self.readers}
        return known.pop() if len(known) == 1 else DataFacts()

    def index(self) -> ClipIndex:
        """List the clips of all readers.

        Raises:
            DataError: Labels differ, or a clip's name occurs in two readers.
        """
        first, *others = [reader.index() for reader in self.readers]
        for index in others:
            if index.labels != first.labels:
                raise DataError(
                    f"readers that are joined know the same labels in the same order, and these know {first.labels} "
                    f"and {index.labels}: give each reader labels=[...]"
                )
        indices = [first, *others]
        records = [record for index in indices for record in index.records]
        return ClipIndex(records, first.labels, [entry for index in indices for entry in index.skipped])
