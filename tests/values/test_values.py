"""Ranges of numbers, annotations, outputs and estimates of memory."""

import inspect
import math
from argparse import ArgumentParser, _SubParsersAction

import pytest
from mmengine.config import Config

from i2vkit.cli.main import COMMANDS, command_parser
from i2vkit.cli.values import check_numbers, output_file, output_file_path, output_folder, output_folder_path
from i2vkit.config.requests import check_trainable
from i2vkit.engine.devices import find_device
from i2vkit.errors import ConfigError
from i2vkit.registry import ROLES, PartRegistry, arguments_of, part_names
from i2vkit.values import RANGES, Range, check_arguments, check_output_file, check_output_folder, hints_of, range_of
from i2vkit.values.hints import takes_numbers


def our_arguments():
    """Yield the numeric arguments of all parts of i2vkit: part, name, annotation, default."""
    for registry in ROLES.values():
        for part in part_names(registry).values():
            hints, takes = hints_of(part), arguments_of(part) or {}
            for name, parameter in takes.items():
                if part.__module__.startswith("i2vkit.") and name in hints and takes_numbers(hints[name]):
                    yield part, name, hints[name], parameter.default


def test_every_number_that_a_part_takes_has_a_range():
    missing = {f"{part.__name__}.{name}" for part, name, _, _ in our_arguments() if range_of(name) is None}
    assert not missing, "add these names to _NAMES in i2vkit/values/ranges.py"


def test_defaults_lie_in_the_ranges_of_their_names():
    for part, name, hint, default in our_arguments():
        given = default if isinstance(default, tuple) else (default,)
        numbers = [one for one in given if isinstance(one, int | float) and not isinstance(one, bool)]
        wrong = [one for one in numbers if not RANGES[name].holds(one)]
        assert not wrong, f"{part.__name__}.{name} is {wrong} by default, with {hint}: {RANGES[name].text}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_number_of_a_command_has_a_range(name):
    command_parser(name, "i2v")  # raises LookupError for an option without one


def actions_of(parser):
    """Yield the actions of a parser and of its sub-commands."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for below in action.choices.values():
                yield from actions_of(below)
        else:
            yield action


@pytest.mark.parametrize("name", COMMANDS)
def test_every_output_of_a_command_is_checked_before_the_work(name):
    for action in actions_of(command_parser(name, "i2v")):
        if action.dest in ("out", "work_dir", "json") and name != "animate":  # a file, or a folder for several images
            assert action.type in (output_file, output_folder, output_file_path, output_folder_path), action.dest


def test_an_option_without_a_range_is_a_mistake_of_the_author():
    options = ArgumentParser()
    options.add_argument("--never-heard-of", type=int)
    with pytest.raises(LookupError, match="never_heard_of"):
        check_numbers(options)


@pytest.mark.parametrize(
    ("numbers", "inside", "outside"),
    [
        (Range(0, 1), [0, 1, 0.5, 1.0], [-0.1, 1.1, math.nan, math.inf, True, "1", None]),
        (Range(0, 1, above=True, below=True), [0.5], [0, 1]),
        (Range(1, 8, whole=True), [1, 8], [0, 9, 1.0, True, "1"]),
        (Range(1, whole=True, also=(-1,)), [1, 10**30, -1], [0, -2]),
        (Range(), [-1e300, 0, 10**400], [math.inf, -math.inf, math.nan]),
    ],
)
def test_ranges(numbers, inside, outside):
    assert all(numbers.holds(value) for value in inside)
    assert not any(numbers.holds(value) for value in outside)


def test_parts_from_outside_check_their_arguments_and_may_give_a_name_another_meaning():
    parts = PartRegistry("thing")

    @parts.register_module()
    class Mine:
        """A part with a length in seconds and an offset that has a mark of its own."""

        def __init__(self, length: float = 0.5, seed: int = -1, width: int = 8):
            self.length, self.seed, self.width = length, seed, width

    made = Mine(length=0.25, seed=-1)  # a float, and its own default
    assert (made.length, made.seed) == (0.25, -1)
    assert list(inspect.signature(Mine).parameters) == ["length", "seed", "width"]
    for wrong in (dict(length=math.nan), dict(length="x"), dict(seed=-2), dict(width=0), dict(width=8.5)):
        with pytest.raises(ConfigError, match=f"thing Mine.{next(iter(wrong))} is"):
            Mine(**wrong)
    with pytest.raises(TypeError):
        Mine(depth=3)


def test_functions_are_checked_too():
    def make(size: int, names: list[str] | None = None):
        pass

    check_arguments(make, dict(size=64, names=["a"]), "here")
    with pytest.raises(ConfigError, match=r"here.names is 'a', but takes a list of texts or None. Write \['a'\]"):
        check_arguments(make, dict(names="a"), "here")


def test_outputs(tmp_path):
    (tmp_path / "file").touch()
    assert check_output_file(tmp_path / "new/deep/a.mp4") == tmp_path / "new/deep/a.mp4"
    assert check_output_folder(tmp_path) == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]  # nothing is made by the check
    for check, path, message in [
        (check_output_file, tmp_path, "it is a folder"),
        (check_output_file, tmp_path / "file/a.mp4", "file is a file, not a folder"),
        (check_output_folder, tmp_path / "file", "file is a file, not a folder"),
        (check_output_folder, "/proc/a", "nothing can be made in /proc"),
        (check_output_folder, "", "is no path"),
        (check_output_folder, 3, "is a path, not 3"),
    ]:
        with pytest.raises(ConfigError, match=message):
            check(path)


@pytest.mark.parametrize("name", ["foo", "cuda:77", "meta", 3.5, ""])
def test_devices_that_are_not_there(name):
    with pytest.raises(ConfigError, match="device"):
        find_device(name)


def test_a_batch_that_fits_is_not_refused(monkeypatch):
    window = dict(type="FirstFrames", length=16)
    cfg = Config(
        dict(
            model=dict(image_size=64),
            train_dataloader=dict(batch_size=8, dataset=dict(size=64, window=window)),
            train_cfg=dict(max_iters=1),
            optim_wrapper=dict(optimizer=dict(type="Adam")),
        )
    )
    need = 8 * 16 * 64 * 64 * 3 * 4
    monkeypatch.setattr("i2vkit.values.memory.machine_memory", lambda: need)
    check_trainable(cfg)
    monkeypatch.setattr("i2vkit.values.memory.machine_memory", lambda: need - 1)
    with pytest.raises(ConfigError, match=r"a batch of 8 clips of 16 frames of 64x64 takes at least .* Lower train_"):
        check_trainable(cfg)
