"""The index of the shipped models. This module imports no torch, so that ``i2v list`` answers at once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.media.files import atomic_path
from i2vkit.utils.json_files import read_json

INDEX = Path(__file__).parent / "index.json"
MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class ZooEntry:
    """One shipped model.

    Attributes:
        name: Its name for users, such as "dtgan-faces".
        sha256: Hash of the file ``weights/NAME.safetensors`` beside the index.
        bytes: Size of that file.
        config: Name of the config that it was trained with.
        data: The training data, in words.
        image_size: Side of its videos in pixels.
        parameters: Number of parameters of the generator.
        motion: The sources of its motion: "driving video", "label", "noise", "face video", "landmarks", "poses",
            "silhouettes".
        labels: The labels that it takes, if it makes videos by label.
        training: Iterations, seed, budget and so on, as far as they are known.
        protocol: The protocol of the config that the scores come from.
        scores: Scores of the file by metric, written with the digits that ``i2v zoo verify`` must reproduce.
        static_baseline: The scores of the first image, repeated, if the protocol has them.
        quick_scores: Scores on a small subset that is rendered on the fly. Empty if there is no such subset.
        framing: The crop of faces in its training data, see ``DataFacts``. None if these are no crops of faces.
        fps: Frames a second of its training data, where its file does not say.
    """

    name: str
    sha256: str
    bytes: int
    config: str
    data: str
    image_size: int
    parameters: int
    motion: list[str]
    labels: list[str] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    protocol: str | None = None
    scores: dict[str, str] = field(default_factory=dict)
    static_baseline: dict[str, str] = field(default_factory=dict)
    quick_scores: dict[str, str] = field(default_factory=dict)
    framing: str | None = None
    fps: float | None = None

    def file(self, index: Path = INDEX) -> Path:
        """Return the path of the weights, without checking that they exist."""
        return index.parent / "weights" / f"{self.name}.safetensors"

    def verified_file(self, index: Path = INDEX) -> Path:
        """Return the path of the weights, after a check of their SHA-256 against the index.

        Raises:
            CheckpointError: The file is missing or is another one.
        """
        path = self.file(index)
        if not path.is_file():
            raise CheckpointError(
                f"the weights of {self.name} are not at {path}: this copy of i2vkit is not whole, install it again"
            )
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise CheckpointError(
                f"{path} is damaged: its SHA-256 is {found}, the index says {self.sha256}; install i2vkit again"
            )
        return path


def read_index(index: Path = INDEX) -> dict[str, ZooEntry]:
    """Return the shipped models by name, in the order of the index.

    Raises:
        CheckpointError: The index cannot be read.
    """
    try:
        rows = read_json(index) if index.is_file() else {}
        return {name: ZooEntry(name=name, **row) for name, row in rows.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{index} is not an index of models ({error}): install i2vkit again") from error


def write_index(entries: dict[str, ZooEntry], index: Path = INDEX) -> None:
    """Write the index, completely or not at all, sorted by name."""
    rows = {name: asdict(entries[name]) for name in sorted(entries)}
    for row in rows.values():
        del row["name"]
    with atomic_path(index) as temporary:
        temporary.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def find_entry(name: str, index: Path = INDEX) -> ZooEntry:
    """Return the shipped model of that name.

    Raises:
        ConfigError: There is none. The message names the nearest.
    """
    entries = read_index(index)
    if name not in entries:
        near = ", ".join(get_close_matches(name, entries, n=3, cutoff=0.4) or sorted(entries)) or "none"
        raise ConfigError(f"there is no shipped model '{name}'; nearest: {near} (`i2v list` shows all)")
    return entries[name]


def as_table(entries: dict[str, ZooEntry]) -> str:
    """Return the models as an aligned table for a terminal, one line each.

    >>> entry = ZooEntry("tiny", "00", 2**20, "c", "rendered faces", 64, 1_500_000, ["label", "noise"])
    >>> print(as_table({"tiny": entry}))
    name  motion from   size   parameters  weights  trained on
    tiny  label, noise  64x64  1.5 M       1.0 MiB  rendered faces
    """
    rows = [("name", "motion from", "size", "parameters", "weights", "trained on")]
    rows += [
        (
            entry.name,
            ", ".join(entry.motion),
            f"{entry.image_size}x{entry.image_size}",
            f"{entry.parameters / 1e6:.1f} M",
            f"{entry.bytes / 2**20:.1f} MiB",
            entry.data,
        )
        for entry in entries.values()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
