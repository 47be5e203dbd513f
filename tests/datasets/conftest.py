from pathlib import Path

import numpy as np
import pytest

from i2vkit.datasets import ClipIndex, ClipRecord, FrameFolder
from i2vkit.media import write_image


def write_clip(folder: Path, length: int, value: int, size: tuple[int, int] = (8, 8)) -> None:
    """Write a clip of flat frames, value, value + 1, ... so that a frame tells what it is."""
    for index in range(length):
        write_image(folder / f"{index:03d}.png", np.full((*size, 3), value + index, np.uint8))


@pytest.fixture
def people_folder(tmp_path) -> Path:
    """Three people, two labels; clip number n, in the order of names, is 10 + n frames from value 40 * n on."""
    root = tmp_path / "clips"
    for number, (person, label) in enumerate((p, label) for p in ("ann", "bob", "cem") for label in ("run", "wave")):
        write_clip(root / person / label / "a", 10 + number, 40 * number)
    return root


@pytest.fixture
def shared_data() -> Path:
    """Real clips that lie beside the repository on some machines."""
    path = Path(__file__).resolve().parents[2].parent / "shared/data"
    if not path.is_dir():
        pytest.skip("no real clips here")
    return path


def make_index(*names: str) -> ClipIndex:
    """Make an index of clips "person/label/clip" of 10 frames that are nowhere."""
    records = [
        ClipRecord(name, FrameFolder((Path(name),)), name.split("/")[0], name.split("/")[1], 10) for name in names
    ]
    return ClipIndex(records, sorted({record.label for record in records}))
