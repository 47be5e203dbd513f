import pytest

from i2vkit.errors import DataError

from .conftest import make_index


def test_select_keeps_the_class_indices_when_people_are_filtered():
    index = make_index("ann/run/a", "ann/wave/a", "bob/run/a").select(people=["bob"])
    assert [record.name for record in index.records] == ["bob/run/a"]
    assert index.labels == ["run", "wave"]


def test_select_by_label_and_exclusion():
    index = make_index("ann/run/a", "ann/wave/a", "bob/run/a", "bob/jump/a")
    assert [r.name for r in index.select(labels=["run"], exclude_people=["ann"]).records] == ["bob/run/a"]
    assert index.select(labels=["wave", "jump"]).labels == ["jump", "wave"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"people": ["eve", "dan"]}, "no clip has person among dan, eve; known are ann, bob"),
        ({"labels": ["Run"]}, "no clip has label among Run; known are run, wave"),
        ({"exclude_people": ["ann", "bob"]}, "no clip is left without person among ann, bob"),
        ({"min_frames": 11}, "no clip has min_frames=11 frames; the longest has 10"),
    ],
)
def test_filters_that_leave_nothing_list_what_is_known(filters, message):
    with pytest.raises(DataError, match=message):
        make_index("ann/run/a", "bob/wave/a").select(**filters)


def test_summary_counts():
    index = make_index("ann/run/a", "ann/wave/a", "bob/run/a")
    assert index.summary() == "3 clips of 2 people, 10 to 10 frames; labels: run 2, wave 1"
