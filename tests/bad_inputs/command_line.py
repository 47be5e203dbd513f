"""Numbers, devices and outputs of command lines that make no sense. They are refused while the words are parsed."""

from pathlib import Path

from bad_inputs.case import Case
from i2vkit.cli.main import command_parser

_SEED = "is not a whole number from 0 to 4,294,967,295"
_COUNT = "is not a whole number from 1 to"
_ANIMATE = "animate cfg ck --image a.png --out o.mp4"
_FOLDER, _FILE = "is a file, not a folder", "it is a folder"

# The command line, the words to be tried behind it, and the message. FILE is a file that exists, DIR a folder.
_WORDS: list[tuple[str, tuple[str, ...], str]] = [
    (f"{_ANIMATE} --samples", ("0", "-1", "2.5", "x", "1e9", "9" * 30), _COUNT),
    (f"{_ANIMATE} --interpolate", ("0", "1", "-2", "x"), "is not a whole number from 2"),
    (f"{_ANIMATE} --steps", ("-1", "x"), "is not a whole number from 0"),
    (f"{_ANIMATE} --frames", ("0", "-1", "x", "10000000"), _COUNT),
    (f"{_ANIMATE} --fps", ("0", "-1", "nan", "inf", "x", "100000"), "is not a number above 0 and at most 1000"),
    (f"{_ANIMATE} --margin", ("-1", "nan", "x"), "is not a number from 0 on"),
    (f"{_ANIMATE} --seed", ("-1", "x", "1.5", "4294967296"), _SEED),
    (f"{_ANIMATE} --device", ("foo", "gpu", "cuda:x", "cuda:-1", ""), "is no device"),
    ("train cfg --seed", ("-1", "x", "99999999999"), _SEED),
    ("train cfg --work-dir", ("FILE", "FILE/below"), _FOLDER),
    ("train cfg --work-dir", ("/proc/x",), "nothing can be made in /proc"),
    ("train cfg --work-dir", ("", " "), "is no path of an output"),
    ("test cfg ck --seed", ("-1", "x"), _SEED),
    ("test cfg ck --out", ("FILE", "FILE/a/b"), _FOLDER),
    ("browse cfg --number", ("0", "-1", "x"), _COUNT),
    ("browse cfg --seed", ("-1", "2.5"), _SEED),
    ("browse cfg --out", ("FILE",), _FOLDER),
    ("compare m.json --out", ("FILE", "/proc/x"), "cannot be written"),
    ("export cfg ck --out", ("DIR",), _FILE),
    ("export cfg ck --out", ("/proc/e.safetensors", "FILE/e.safetensors"), "cannot be written"),
    ("export cfg ck --out e.pt2 --frames", ("0", "-1", "x"), _COUNT),
    ("flops cfg --frames", ("0", "-1", "100000000"), _COUNT),
    ("flops cfg --size", ("0", "-1", "x", "100000"), _COUNT),
    ("flops cfg --clips", ("0", "x"), _COUNT),
    ("flops cfg --json", ("/proc/x.json", "DIR"), "cannot be written"),
    ("table t.json --iterations", ("-1", "0", "x", "1.5"), _COUNT),
    ("table t.json --minutes", ("-1", "0", "nan", "x"), "is not a number above 0"),
    ("table t.json --jobs", ("0", "-1", "x"), _COUNT),
    ("table t.json --out", ("FILE",), _FOLDER),
    ("benchmark data cfg --steps", ("-1", "x"), "is not a whole number from 0"),
    ("benchmark data cfg --seconds", ("0", "-1", "nan", "x"), "is not a number above 0"),
    ("benchmark decoder cfg --batch", ("0", "-1", "x"), _COUNT),
    ("benchmark maps --size", ("0", "-1", "x"), _COUNT),
    ("benchmark maps --out", ("/proc/x.json", "DIR"), "cannot be written"),
    ("truth-bounds data --number", ("0", "-1", "x"), _COUNT),
    ("truth-benchmark prepare --workers", ("0", "-1", "x"), _COUNT),
    ("truth-benchmark prepare --extra-people", ("-1", "x"), "is not a whole number from 0"),
    ("truth-benchmark metrics --seed", ("-1", "x"), _SEED),
    ("truth-benchmark metrics --out", ("FILE", "/proc/x"), "cannot be written"),
    ("truth-benchmark metrics --weights", ("fvd", "=a.pt", "fvd="), "is not NAME=FILE, for instance"),
    ("synthesize oulu_casia --out s --people", ("0", "-1", "x"), _COUNT),
    ("synthesize oulu_casia --out s --seed", ("-1", "x"), _SEED),
    ("synthesize oulu_casia --out s --workers", ("0", "-1", "9999"), _COUNT),
    ("synthesize mug --out s --takes", ("0", "-1"), _COUNT),
    ("synthesize oulu_casia --out", ("FILE", "/proc/x"), "cannot be written"),
    ("prepare oulu_casia --source s --out p --size", ("0", "-1", "x", "99999"), _COUNT),
    ("prepare oulu_casia --source s --out p --workers", ("0", "-1"), _COUNT),
    ("prepare weizmann --source s --out p --margin", ("-1", "nan"), "is not a number from 0 on"),
    ("prepare oulu_casia --source s --out", ("FILE",), _FOLDER),
    ("forecast-poses cfg ck --data d --length", ("0", "-1", "x"), _COUNT),
    ("verify-gpu --out v --minutes", ("0", "-1", "x"), "is not a number above 0"),
    ("verify-gpu --out", ("FILE",), _FOLDER),
]


def _case(line: str, word: str, message: str) -> Case:
    def parse(folder: Path) -> None:
        (folder / "file").touch()
        given = word.replace("FILE", str(folder / "file")).replace("DIR", str(folder))
        name, *words = line.split()
        command_parser(name, f"i2v {name}").parse_args([*words[:-1], f"{words[-1]}={given}"])

    return Case("command line", f"{line} {word!r}", parse, message)


COMMAND_LINE = [_case(line, word, message) for line, words, message in _WORDS for word in words]
