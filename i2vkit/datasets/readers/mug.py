"""A reader of the MUG facial expression database, as its owners hand it out."""

import re
from collections.abc import Iterator
from pathlib import Path

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import find_sidecar_folder, missing_data, subfolders
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import DataError
from i2vkit.media import image_paths
from i2vkit.registry import READERS

LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
FPS = 19.0

# Takes are looked for this many folders down from the root. Copies differ in wrappers, and some hold a person's folder
# within itself.
_DEPTH = 7
_TAKE = re.compile(r"take\d+(?P<mark>\w*)")


@READERS.register_module()
class Mug(DatasetReader):
    """A reader of MUG: 52 people, 7 expressions, several takes each, at 19 frames a second.

    Each take goes from the neutral face over the apex back to neutral. The reader reads
    ``[wrappers/]<person>/[session<k>/]<expression>/take<NNN>/img_<NNNN>.jpg``. Frames are sorted by their number, which
    need not begin at 0 and may have gaps.

    A few takes have a mark after their number (``take001nsg``, ``take002end``). The meaning of the marks is not
    documented, and such a clip may not begin with a neutral face. They are left out by default.

    A clip's ``metadata["landmarks"]`` is ``landmarks/<person>/[session<k>/]<expression>/take<NNN>.csv``. The folder
    ``landmarks`` is in ``root``, beside the people's folders or above them (``sidecar_folder``).

    Args:
        root: Any folder above the takes, also a single person's.
        marked_takes: Read the marked takes too. Default False.

    Source: Aifanti et al., "The MUG facial expression database", 2010.
    """

    def __init__(self, root: str, marked_takes: bool = False):
        self.root = Path(root)
        self.marked_takes = marked_takes

    def facts(self) -> DataFacts:
        """Return the seven expressions and the frames a second of the recordings."""
        return DataFacts(labels=LABELS, fps=FPS)

    def index(self) -> ClipIndex:
        """List the takes. A folder that is no clip of an expression is skipped.

        Raises:
            DataError: There is none.
        """
        records: dict[str, ClipRecord] = {}
        skipped = []
        for take in _takes_below(self.root, _DEPTH):
            try:
                record = self._record(take)
                if record.name in records:
                    raise DataError(f"a second copy of {record.name}, which was read from another folder")
                records[record.name] = record
            except DataError as reason:
                skipped.append((take.relative_to(self.root).as_posix(), str(reason)))
        if not records:
            raise self._missing(skipped)
        return ClipIndex([records[name] for name in sorted(records)], list(LABELS), skipped)

    def sidecar_folder(self, name: str) -> Path:
        """Return the folder ``name`` ("landmarks", "truth") of this copy, or the place where it would be put."""
        return find_sidecar_folder(next(_takes_below(self.root, _DEPTH), self.root), self.root, name)

    def _record(self, take: Path) -> ClipRecord:
        """Describe a take by the folders above it. Raise ``DataError`` with the reason if it is no clip."""
        label, *above = reversed(take.absolute().parts[:-1])
        session = above.pop(0) if above and re.fullmatch(r"session\d+", above[0]) else None
        person = above[0] if above else ""
        match = _TAKE.fullmatch(take.name)
        assert match is not None  # ``_takes_below`` yields folders with such names only
        if match["mark"] and not self.marked_takes:
            raise DataError("a marked take, left out unless the reader is given marked_takes=True")
        if label not in LABELS:
            raise DataError(f"its folder {label} is none of the expressions {', '.join(LABELS)}")
        if not person.isdigit():
            raise DataError(f"the folder above its expression, {person}, is not a person's number")
        paths = image_paths(take)
        if not paths:
            raise DataError("no images in it")
        within = [person, *([session] if session else []), label, f"{take.name}.csv"]
        landmarks = find_sidecar_folder(take, self.root, "landmarks").joinpath(*within)
        return ClipRecord(
            name=f"{person}/{label}/{f'{session}_' if session else ''}{take.name}",
            frames=FrameFolder(tuple(paths)),
            person=person,
            label=label,
            num_frames=len(paths),
            fps=FPS,
            metadata={"landmarks": landmarks} if landmarks.exists() else {},
        )

    def _missing(self, skipped: list[tuple[str, str]]) -> DataError:
        return missing_data(
            f"folders <person>/<expression>/take<number>, at most {_DEPTH} folders down, with images",
            self.root,
            "".join(f"Skipped {what}: {why}\n" for what, why in skipped[:5])
            + "MUG is given on request by its owner, the Multimedia Understanding Group of the Aristotle University of "
            "Thessaloniki (mug.ee.auth.gr/fed); give the folder subjects3 or any above it.\n"
            f"For a synthetic data set: python tools/synthesize_data.py mug --out {self.root}",
        )


def _takes_below(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the folders of takes below ``folder``, without searching takes or the folders beside the data."""
    for child in subfolders(folder) if depth else ():
        if _TAKE.fullmatch(child.name):
            yield child
        elif child.name not in ("landmarks", "truth"):
            yield from _takes_below(child, depth - 1)
