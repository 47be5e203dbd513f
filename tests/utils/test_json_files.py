"""What is read as JSON, and what is not."""

import pytest

from i2vkit.utils.json_files import read_json


def test_a_folder_is_named_as_one(tmp_path):
    with pytest.raises(ValueError, match="it is a folder: give the file in it"):
        read_json(tmp_path)
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [1, 2]}')  # with a byte order mark
    assert read_json(tmp_path / "a.json") == {"a": [1, 2]}
    with pytest.raises(OSError):
        read_json(tmp_path / "absent.json")
