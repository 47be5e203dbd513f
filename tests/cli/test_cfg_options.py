import random
from argparse import ArgumentParser

import pytest
from mmengine.config import DictAction

from i2vkit.cli.cfg_options import CfgOptions, parse_value

WORDS = ["1", "-3", "2.5", "1e-3", "1_000", "nan_", "inf", "true", "FALSE", "None", "none", "adam", "a.b", "", "x=y"]
# What mmengine reads; "f(a" has a bracket but no comma, so nobody looks for its end.
TEXTS = [
    *WORDS,
    "1,2,3",
    "[1,2,3]",
    "(1,2)",
    "[(1,2),[a,b],c]",
    "((1,),())",
    "[]",
    "()",
    "[[]]",
    "[a]",
    "(a,)",
    "a,",
    ",a",
    "a,,b",
    ",",
    "'a b'",
    '"1"',
    "['a', \"b\"]",
    " [ 1 , 2 ] ",
    "f(a",
    "a-(b)",
]


def same(value, other) -> bool:
    """Compare types too: 1, 1.0 and True are not the same option."""
    return repr(value) == repr(other)


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_is_read_as_mmengine_reads_it(text):
    assert same(parse_value(text), DictAction._parse_iterable(text))


def random_text(source: random.Random, depth: int) -> str:
    if not depth or source.random() < 0.4:
        return source.choice([word for word in WORDS if word])
    opening, closing = source.choice(["()", "[]"])
    return opening + ",".join(random_text(source, depth - 1) for _ in range(source.randrange(4))) + closing


def test_nested_values_are_read_as_mmengine_reads_them():
    source = random.Random(0)
    texts = {random_text(source, 4) for _ in range(300)}
    assert len(texts) > 100
    for text in texts:
        assert same(parse_value(text), DictAction._parse_iterable(text)), text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1,2],[3,4]", [[1, 2], [3, 4]]),
        ("(1,2),3", [(1, 2), 3]),
        ("Normalize(0,1)", "Normalize(0,1)"),
        ("a,f(1,2)", ["a", "f(1,2)"]),
        ("(a)(b)", "(a)(b)"),
    ],
)
def test_values_on_which_mmengine_recurses_for_ever_are_read_too(text, value):
    assert same(parse_value(text), value)


def parse(action, words: list[str]) -> dict | None:
    options = ArgumentParser()
    options.add_argument("--cfg-options", nargs="+", action=action)
    return options.parse_args(words).cfg_options


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--cfg-options", "a.b=1", "c=[x,2.5]", "d=None", "e=true", "f=", "g=h=i"],
        ["--cfg-options", "a=1", "b=2", "--cfg-options", "a=3", "c=4"],
    ],
)
def test_the_option_collects_what_that_of_mmengine_collects(words):
    assert same(parse(CfgOptions, words), parse(DictAction, words))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("a.b", "--cfg-options takes key=value pairs, not 'a.b'"),
        ("=1", "--cfg-options takes key=value pairs, not '=1'"),
        ("a=[1,(2]", "--cfg-options a=[1,(2]: ']' in '[1,(2]' closes no bracket"),
        ("a=(1,2", "--cfg-options a=(1,2: ')' is missing in '(1,2'"),
        ("a=1,2)", "--cfg-options a=1,2): ')' in '1,2)' closes no bracket"),
    ],
)
def test_a_word_that_is_no_option_is_a_usage_error(word, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(CfgOptions, ["--cfg-options", "good=1", word])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
