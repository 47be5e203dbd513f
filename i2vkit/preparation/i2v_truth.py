"""The whole of i2v-truth-v1, from nothing to a prepared data set that is checked against its checksums."""

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
from i2vkit.preparation.pipeline import prepare_set
from i2vkit.preparation.prepared_penn_action import JointMaps
from i2vkit.rendering.i2v_truth.checksums import compare_part
from i2vkit.rendering.i2v_truth.parts import FACES, PARTS, SEED, SPLITS, VERSION, BenchmarkPart
from i2vkit.rendering.i2v_truth.rendering import render_part

SIZE = 64
# Brows that rise and a jaw that drops stay in the picture, and some of the hair.
_FACE_MARGIN = 0.3
# Of pictures of 128x128; nobody leaves it while 16 frames are looked at.
_STAGE = (10, 16, 118, 124)


def make_i2v_truth(out: Path, workers: int | None = None) -> str:
    """Render and prepare both parts, faces and figures, below `out`, and check what was made.

    Each is a `ClipFolder` with `truth/` beside it, condition maps for both, and its test and validation transfers as
    lists of samples, `test.json` and `val.json`. What is finished stays; the rendered pictures are removed at the end.

    Args:
        out: The folder.
        workers: Processes; one a core by default.

    Returns:
        A summary for the user.

    Raises:
        DataError: Another set lies there, it cannot be written, or what was made is not i2v-truth-v1.
    """
    lines = [make_part(part, out / part.name, workers) for part in PARTS.values()]
    if differences := [line for part in PARTS.values() for line in compare_part(part, out / part.name)]:
        shown = "\n".join(differences[:10])
        raise DataError(
            f"{out} is not {VERSION}: {len(differences)} clips differ from its checksums, and scores on it do not "
            f"compare. Other versions of numpy, scipy or opencv-python may draw otherwise.\n{shown}"
        )
    return "\n".join([*lines, f"{out} is {VERSION}: all checksums agree"])


def make_extra_people(out: Path, people: int, workers: int | None = None) -> str:
    """Render and prepare `people` more training people for each part, below `out`; a summary for the user.

    They lie apart from the set, in `faces_extra` and `figures_extra`, drawn by the same renderers, with condition maps
    and as many performances as the people who train give. The set itself stays as it is, and its checksums do not know
    them.

    Raises:
        ConfigError: `people` is below 1.
        DataError: Others lie there, or it cannot be written.
    """
    if people < 1:
        raise ConfigError(f"--extra-people takes a number of people, 1 or more, not {people}")
    return "\n".join(make_part(part.extra(people), out / f"{part.name}_extra", workers) for part in PARTS.values())


def make_part(part: BenchmarkPart, out: Path, workers: int | None = None) -> str:
    """Render and prepare one part; a summary. Raises ``DataError`` as ``make_i2v_truth``."""
    settings = asdict(part)
    if part.first == 1:  # sets that were made before there were others say nothing of it
        del settings["first"]
    claim_folder(out, "i2v_truth.json", {"version": VERSION, "seed": SEED, "size": SIZE} | settings)
    raw = out / "rendered"
    if (out / "index.csv").exists() and not raw.exists():
        return f"{out}: made before"
    index = render_part(part, raw, workers)
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
