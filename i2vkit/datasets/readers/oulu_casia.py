"""A reader of Oulu-CASIA, as its owners hand it out."""

import re
from collections.abc import Iterator
from pathlib import Path

from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import missing_data, subfolders
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.media import image_paths
from i2vkit.registry import READERS

LABELS = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")
FPS = 25.0

# How many folders down from the root the one named VL or NI is looked for; wrapper folders vary between copies.
_DEPTH = 4


@READERS.register_module()
class OuluCasia(DatasetReader):
    """A reader of Oulu-CASIA: 80 people, 6 expressions, 320x240 at 25 frames a second.

    Each clip goes from the neutral face to the apex. The reader reads ``[wrappers/]VL/Strong/P001/Anger/*.jpeg``. If
    ``root/landmarks/VL/Strong/P001/Anger.csv`` exists, it is the clip's ``metadata["landmarks"]``.

    Args:
        root: Any folder above ``VL``.
        spectrum: "VL" (visible light, the default) or "NI" (near infrared).
        illumination: "Strong" (the default), "Weak" or "Dark".

    Source: Zhao et al., "Facial expression recognition from near-infrared videos", 2011.
    """

    def __init__(self, root: str, spectrum: str = "VL", illumination: str = "Strong"):
        self.root = Path(root)
        self.spectrum = spectrum
        self.illumination = illumination

    def facts(self) -> DataFacts:
        """Return the six expressions and the frames a second of the recordings."""
        return DataFacts(labels=LABELS, fps=FPS)

    def index(self) -> ClipIndex:
        """List the clips. Empty or missing ones are skipped.

        Raises:
            DataError: There is none.
        """
        found = [folder for folder in _folders_below(self.root, _DEPTH) if self._fits(folder)]
        if not found:
            raise self._missing()
        # A copy may hold cropped pictures too; the originals come first.
        people_folder = sorted(found, key=lambda path: "OriginalImg" not in path.parts)[0] / self.illumination
        if len(found) > 1:
            print_log(f"{self.root} holds {len(found)} copies of Oulu-CASIA; reading {people_folder}", logger="current")
        records, skipped = [], []
        for person in _people_in(people_folder):
            for label in LABELS:
                paths = image_paths(person / label) if (person / label).is_dir() else []
                if paths:
                    records.append(self._record(person.name, label, paths))
                else:
                    skipped.append((f"{person.name}/{label}", f"no images in {person / label}"))
        if not records:
            raise self._missing()
        return ClipIndex(records, list(LABELS), skipped)

    def _fits(self, folder: Path) -> bool:
        return folder.name == self.spectrum and any(
            subfolders(person) for person in _people_in(folder / self.illumination)
        )

    def _record(self, person: str, label: str, paths: list[Path]) -> ClipRecord:
        landmarks = self.root / "landmarks" / self.spectrum / self.illumination / person / f"{label}.csv"
        return ClipRecord(
            name=f"{person}/{label}/{self.spectrum}_{self.illumination}",
            frames=FrameFolder(tuple(paths)),
            person=person,
            label=label,
            num_frames=len(paths),
            fps=FPS,
            metadata={"landmarks": landmarks} if landmarks.exists() else {},
        )

    def _missing(self) -> Exception:
        return missing_data(
            f"a folder {self.spectrum}, at most {_DEPTH} folders down, with {self.illumination}/P001/Anger/*.jpeg",
            self.root,
            "Oulu-CASIA is given on request by its owner, the Center for Machine Vision and Signal Analysis (CMVS) of "
            "the University of Oulu.\n"
            f"For a synthetic data set: python tools/synthesize_data.py oulu_casia --out {self.root}",
        )


def _people_in(folder: Path) -> list[Path]:
    return [path for path in subfolders(folder) if re.fullmatch(r"P[0-9]+", path.name)]


def _folders_below(root: Path, depth: int) -> Iterator[Path]:
    """Yield ``root`` and the folders down to ``depth`` below it, upper ones first."""
    level = [root]
    for _ in range(depth + 1):
        yield from level
        level = [child for folder in level if not _people_in(folder) for child in subfolders(folder)]
