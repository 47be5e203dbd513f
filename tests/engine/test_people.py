"""People in both train and test are a warning; a wrong name among those left out is an error."""

import logging

import numpy as np
import pytest
from mmengine.config import Config

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.shared_people import describe_shared, shared_people
from i2vkit.engine.people import PeopleHook
from i2vkit.errors import DataError
from i2vkit.media import write_image


@pytest.fixture
def root(tmp_path):
    for person in ("ann", "bob", "cleo"):
        for t in range(4):
            write_image(tmp_path / f"{person}/smile/a/{t}.png", np.zeros((8, 8, 3), np.uint8))
    return str(tmp_path)


def data(root, **changes):
    return dict(reader=dict(type=ClipFolder, root=root)) | changes


def test_people_in_two_splits_are_found(root):
    index = ClipFolder(root).index()
    train = data(root, exclude_people=["bob"])
    assert shared_people(index, train, data(root)) == ["ann", "cleo"]
    assert shared_people(index, train, data(root, people="bob")) == []
    assert shared_people(index, train, data(root, people=["bob", "ann"], min_frames=5)) == []
    assert shared_people(index, train, dict(reader=dict(type="x.ClipFolder", root=root))) == ["ann", "cleo"]
    # Other folders, and other parts of the same clips, are no overlap.
    assert shared_people(index, train, data(root + "/ann")) == [] == shared_people(index, train, {})
    late, early = data(root, temporal_split=(0.5, 1)), data(root, temporal_split=(0, 0.5))
    assert shared_people(index, early, late) == [] and shared_people(index, late, late)
    assert describe_shared([], ["test"]) is None


class Runner:
    """What the hook reads of a runner."""

    def __init__(self, root, test):
        self.logger = logging.getLogger("people")
        self.cfg = Config(
            {f"{split}_dataloader": dict(dataset=value) for split, value in (("train", data(root)), ("test", test))}
        )
        self.train_dataloader = type("Loader", (), {"dataset": ClipDataset(data(root)["reader"], {})})


def test_a_training_warns_of_them(root, caplog):
    PeopleHook().before_train(Runner(root, data(root, people=["ann"])))
    assert "1 person is both in the training and in the test data (ann)" in caplog.text
    assert "train_dataloader.dataset.exclude_people, test_dataloader.dataset.people" in caplog.text


def test_a_wrong_name_among_those_left_out_is_an_error(root):
    with pytest.raises(DataError, match=r"exclude_people: no clip has person Bob.*nearest: bob"):
        ClipDataset(data(root)["reader"], {}, exclude_people=["ann", "Bob"])
    with pytest.raises(DataError, match="no clip has person nobody"):
        ClipDataset(data(root)["reader"], {}, exclude_people="nobody")
    assert len(ClipDataset(data(root)["reader"], {}, exclude_people="bob")) == 2
    assert len(ClipDataset(data(root)["reader"], {}, exclude_people="mug/test")) == 3  # a split of a smaller set
