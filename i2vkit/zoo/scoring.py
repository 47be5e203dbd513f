"""Scores of weights, with the digits that the zoo commits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mmengine.config import Config

from i2vkit.analysis.truth_benchmark.reference_scores import score_references
from i2vkit.analysis.truth_benchmark.scoring import benchmark_config, combine, lay_over, part_of
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.run import build_protocol, test
from i2vkit.preparation.i2v_truth import make_part
from i2vkit.rendering.i2v_truth.checksums import compare_part
from i2vkit.rendering.i2v_truth.parts import PARTS, SPLITS, VERSION, BenchmarkPart
from i2vkit.zoo.metadata import with_classes

DATA = Path("data/i2v_truth_v1")
QUICK_PEOPLE = 2
# Decimals of a score in tables; all others have three.
_DECIMALS = {"psnr": 2}
# Endings of the names of scores of the static baseline, and of the model's improvement over it.
_BASELINE, _GAIN = "_static_baseline", "_improvement"

Scores = dict[str, str]


def truth_part(cfg: Config) -> str | None:
    """Return the part of i2v-truth-v1, "faces" or "figures", that a config is tested on, or None."""
    try:
        return part_of(cfg)
    except ConfigError:
        return None


def score_weights(
    cfg: Config, weights: Path, protocol: str | None = None, data: Path = DATA, quick: bool = False
) -> tuple[Scores, Scores]:
    """Test a file of weights, and return its scores and those of the static baseline, rounded for tables.

    Models of i2v-truth-v1 are tested on its test transfers. Their part of the set is rendered and prepared below
    ``data`` if it is missing. They also get ``truth_appearance``, ``truth_motion`` and ``truth_both``. All others are
    tested on the data of their config, which must be there.

    Args:
        cfg: The config of the model.
        weights: The file.
        protocol: A protocol of the config. By default its first one.
        data: Folder of i2v-truth-v1.
        quick: Test only on the transfers between two of the test people, which are rendered into a temporary folder.
            Default False.

    Raises:
        ConfigError: ``quick`` is set and the model is not one of i2v-truth-v1.
        DataError: The set below ``data`` is not i2v-truth-v1.
        I2VError: The errors of ``test``.
    """
    part, cfg = truth_part(cfg), with_classes(cfg)
    if part is None:
        if quick:
            raise ConfigError("only models of i2v-truth-v1 have a quick subset: leave --quick away")
        return split_scores(_test(cfg, weights, protocol))
    if quick:
        with TemporaryDirectory() as folder:
            make_part(quick_part(part), Path(folder) / part, workers=1)
            return _score_truth(cfg, weights, part, Path(folder))
    make_part(PARTS[part], data / part)  # returns at once if the part exists
    if changed := compare_part(PARTS[part], data / part):
        raise DataError(
            f"{data / part} is not {VERSION}: {len(changed)} clips differ from its checksums, and scores on it do not "
            f"compare. The first: {changed[0]}"
        )
    return _score_truth(cfg, weights, part, data)


def quick_part(name: str) -> BenchmarkPart:
    """Return a part of i2v-truth-v1 with two of its test people and no others.

    >>> quick_part("faces").people_of("test"), len(quick_part("faces").samples("test"))
    (['face29', 'face30'], 12)
    """
    part = PARTS[name]
    first = part.first + sum(part.people[:-1])
    assert len(SPLITS) == 3  # train, val and test
    return replace(part, people=(0, 0, QUICK_PEOPLE), actors=(0, 0, 1), first=first)


def _score_truth(cfg: Config, weights: Path, part: str, data: Path) -> tuple[Scores, Scores]:
    benchmark = benchmark_config(part, "test", data)
    found = _test(lay_over(cfg, benchmark), weights, "transfer")
    # The repeated image is the static baseline, which the test has scored already.
    references = score_references(benchmark, ["driving video"])
    references["image repeated"] = {"motion_error": found[f"motion_error{_BASELINE}"]}
    scores, baseline = split_scores(found)
    return scores | rounded({f"truth_{name}": value for name, value in combine(found, references).items()}), baseline


def _test(cfg: Config, weights: Path, protocol: str | None) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        return test(cfg, weights, protocol, out=folder)["scores"]


def split_scores(found: dict[str, float]) -> tuple[Scores, Scores]:
    """Return the rounded scores of the model, and those of the static baseline under the same names."""
    own = {name: value for name, value in found.items() if not name.endswith((_BASELINE, _GAIN))}
    baseline = {name: found[f"{name}{_BASELINE}"] for name in own if f"{name}{_BASELINE}" in found}
    return rounded(own), rounded(baseline)


def rounded(scores: dict[str, float]) -> Scores:
    """Return scores with the digits of tables.

    >>> rounded({"ssim": 0.83968, "psnr": 25.4299, "change": -0.0001})
    {'ssim': '0.840', 'psnr': '25.43', 'change': '0.000'}
    """
    return {
        name: f"{round(value, _DECIMALS.get(name, 3)) + 0.0:.{_DECIMALS.get(name, 3)}f}"
        for name, value in scores.items()
    }


def protocol_of(cfg: Config, protocol: str | None) -> str:
    """Return the name of the protocol that a model is scored by. Raise ``ConfigError`` if the config has none."""
    return "transfer" if truth_part(cfg) else build_protocol(cfg, protocol)[0]


def differences(committed: Scores, found: Scores) -> list[tuple[str, str, str]]:
    """Return (metric, committed, found) for every committed score that differs. A missing score is "-".

    >>> differences({"ssim": "0.840", "psnr": "25.43", "lpips": "0.1"}, {"ssim": "0.841", "psnr": "25.43"})
    [('ssim', '0.840', '0.841'), ('lpips', '0.1', '-')]
    """
    return [(name, value, found.get(name, "-")) for name, value in committed.items() if found.get(name, "-") != value]
