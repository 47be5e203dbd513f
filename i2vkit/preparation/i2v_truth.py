"""Creation of the data set i2v-truth-v1: rendering, preparation, and verification against its checksums."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from i2vkit.errors import ConfigError, DataError
from i2vkit.media import atomic_path
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.face_maps import face_map_maker
from i2vkit.preparation.jobs import claim_folder
from i2vkit.preparation.person_crops import FixedBox
from i2vkit.preparation.pipeline import Framing, MapMaker, prepare_set
from i2vkit.preparation.prepared_penn_action import JointMaps
from i2vkit.rendering.i2v_truth.checksums import compare_part
from i2vkit.rendering.i2v_truth.parts import FACES, PARTS, SEED, SPLITS, VERSION, BenchmarkPart
from i2vkit.rendering.i2v_truth.rendering import render_part

SIZE = 64
# This margin keeps raised brows, a dropped jaw and some of the hair in the picture.
_FACE_MARGIN = 0.3
# The crop of figures, in pixels of the rendered 128x128 pictures. Nobody leaves it within 16 frames.
_STAGE = (10, 16, 118, 124)


def make_i2v_truth(out: Path, workers: int | None = None) -> str:
    """Render and prepare both parts, faces and figures, below `out`, and verify the result.

    Each part is a `ClipFolder` with condition maps and with `truth/` beside it. Its transfers for testing and
    validation are lists of samples, `test.json` and `val.json`. A part that is finished is not made again. The rendered
    pictures are removed at the end.

    Args:
        out: The folder to write to.
        workers: The number of processes. By default one for each core.

    Returns:
        A summary for the user.

    Raises:
        DataError: The folder holds another set, it cannot be written, or the result is not i2v-truth-v1.
    """
    lines = [make_part(part, out / part.name, workers) for part in PARTS.values()]
    if differences := [line for part in PARTS.values() for line in compare_part(part, out / part.name)]:
        shown = "\n".join(differences[:10])
        raise DataError(
            f"{out} is not {VERSION}: {len(differences)} clips differ from its checksums, so scores on it cannot be "
            f"compared. Other versions of numpy, scipy or opencv-python may draw differently.\n{shown}"
        )
    return "\n".join([*lines, f"{out} is {VERSION}: all checksums agree"])


def make_extra_people(out: Path, people: int, workers: int | None = None) -> str:
    """Render and prepare more people for training, for each part.

    They are stored apart from the set, in `faces_extra` and `figures_extra`. The renderers, the condition maps and the
    number of performances for each person are those of the set's training people. The set itself and its checksums stay
    as they are.

    Args:
        out: The folder to write to.
        people: The number of people for each part, at least 1.
        workers: The number of processes. By default one for each core.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: `people` is below 1.
        DataError: The folder holds other people, or it cannot be written.
    """
    if people < 1:
        raise ConfigError(f"--extra-people needs a number of people, 1 or more, not {people}")
    return "\n".join(make_part(part.extra(people), out / f"{part.name}_extra", workers) for part in PARTS.values())


def make_part(part: BenchmarkPart, out: Path, workers: int | None = None) -> str:
    """Render and prepare one part, and return a summary. Raise ``DataError`` as ``make_i2v_truth`` does."""
    settings = asdict(part)
    if part.first == 1:  # older sets do not have this setting
        del settings["first"]
    claim_folder(out, "i2v_truth.json", {"version": VERSION, "seed": SEED, "size": SIZE} | settings)
    raw = out / "rendered"
    # The rendered pictures are removed last, so without them the part is complete.
    if (out / "index.csv").exists() and not raw.exists():
        return f"{out}: made before"
    index = render_part(part, raw, workers)
    framing: Framing
    maps: MapMaker | None
    if part.name == FACES.name:
        framing, maps = FirstFrameBox(SIZE, _FACE_MARGIN), face_map_maker(True, SIZE, None, None, None)
    else:
        framing, maps = FixedBox(SIZE, _STAGE, (part.size, part.size)), JointMaps(SIZE)
    summary = prepare_set(f"{VERSION}/{part.name}", index, out, framing, workers, truth=raw / "truth", maps=maps)
    for split in (split for split in SPLITS[1:] if part.samples(split)):
        with atomic_path(out / f"{split}.json") as temporary:
            samples = ",\n".join(json.dumps(sample) for sample in part.samples(split))
            temporary.write_text(f"[\n{samples}\n]\n", encoding="utf-8")
    shutil.rmtree(raw)
    return summary
