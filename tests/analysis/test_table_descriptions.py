"""The descriptions in docs/tables: every row can be loaded, and every cross is made of its parents' parts."""

from pathlib import Path

import pytest

from i2vkit.analysis.tables.description import read_description, row_settings
from i2vkit.config.loading import load_config

TABLES = sorted((Path(__file__).parents[2] / "docs/tables").glob("*.json"))
SLOTS = ("content_encoder", "motion_encoder", "motion_generator", "decoder", "head")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_has_a_config_that_takes_its_options(path):
    table = read_description(path)
    for row in table["rows"]:
        assert row_settings(table, row, seed=0)["config"] == row["config"]


def parts(config: str) -> dict[str, str | None]:
    """The class names of a generator's parts, by slot."""
    generator = load_config(config).model.generator
    found = {slot: generator.get(slot) for slot in SLOTS}
    return {slot: part and getattr(part["type"], "__name__", part["type"]) for slot, part in found.items()}


def test_a_cross_has_parts_of_its_parents_and_is_none_of_them():
    table = read_description(next(path for path in TABLES if path.stem == "truth_faces"))
    configs = {row["name"]: row["config"] for row in table["rows"]}
    mixes = [row for row in table["rows"] if row["name"].startswith("mix_")]
    assert len(mixes) >= 6
    seen = set()
    for row in mixes:
        own, parents = parts(row["config"]), [parts(configs[name]) for name in row["parents"]]
        for slot in SLOTS:
            assert own[slot] in {parent[slot] for parent in parents} | {None}, f"{row['name']}: {slot}"
        assert own not in parents and tuple(own.values()) not in seen
        seen.add(tuple(own.values()))
        for parent in parents:
            assert any(own[slot] == parent[slot] for slot in SLOTS if own[slot])
