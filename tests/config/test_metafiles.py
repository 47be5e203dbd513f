"""The metafiles in configs/<paper>: OpenMMLab's model index, of configs that exist."""

from pathlib import Path

import pytest
import yaml

from i2vkit.config.finding import experiment_names, find_experiment

ROOT = Path(__file__).parents[2]
METAFILES = sorted((ROOT / "configs").glob("*/metafile.yml"))
PAPERS = [
    "cnn_lstm",
    "dtgan",
    "dual_mtgan",
    "fomm",
    "frgan",
    "imaginator",
    "mix",
    "mocogan",
    "monkey_net",
    "pose_lstm",
    "vgan",
]


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def models_of(index: dict) -> dict[str, dict]:
    return {model["Name"]: model for model in index["Models"]}


def test_every_paper_has_a_metafile():
    assert [path.parent.name for path in METAFILES] == PAPERS


@pytest.mark.parametrize("path", METAFILES, ids=PAPERS)
def test_models_name_configs_that_exist_and_collections_of_the_file(path):
    index = read(path)
    collections = {collection["Name"]: collection for collection in index["Collections"]}
    for collection in collections.values():
        assert (ROOT / collection["README"]).is_file()
        assert collection["Paper"]["Title"]
    models = models_of(index)
    assert len(models) == len(index["Models"])
    for name, model in models.items():
        assert model["In Collection"] in collections
        path, variant = find_experiment(name)
        assert (ROOT / model["Config"]).samefile(path) and model["Metadata"].get("Variant") == variant
        assert model["Metadata"]["Parameters"] > 0


@pytest.mark.parametrize("path", METAFILES, ids=PAPERS)
def test_results_are_those_of_the_page_of_results(path):
    page = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    for model in read(path)["Models"]:
        for result in model.get("Results", ()):
            assert set(result) == {"Task", "Dataset", "Metrics"}
            for name, value in result["Metrics"].items():
                shown = f"{value:.3f}" if name == "SSIM" else f"{value:.2f}"
                assert f"| {shown} |" in page or f"| **{shown}** |" in page, (model["Name"], shown)


def test_every_experiment_is_in_one_metafile():
    listed = [name for path in METAFILES for name in models_of(read(path))]
    assert sorted(listed) == experiment_names()


@pytest.mark.parametrize("paper", PAPERS)
def test_links_of_the_readme_lead_to_files(paper):
    page = ROOT / "configs" / paper / "README.md"
    links = [part.split(")")[0] for part in page.read_text(encoding="utf-8").split("](")[1:]]
    assert links
    for link in links:
        assert link.startswith("https://") or (page.parent / link).is_file(), link


def test_the_citation_file_has_what_its_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0" and citation["authors"] == [{"name": "The i2vkit authors"}]
    assert f'__version__ = "{citation["version"]}"' in (ROOT / "i2vkit/__init__.py").read_text(encoding="utf-8")
