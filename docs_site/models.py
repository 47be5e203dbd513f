"""Pages of the models, made from the metafiles in configs/, their README files and the index of the shipped weights."""

import json
from typing import Any

import yaml

from docs_site.links import ROOT, page_of

INDEX = "i2vkit/zoo/index.json"
# Beside the overview they stand in this order; other folders follow by name.
ORDER = [
    "dtgan",
    "imaginator",
    "dual_mtgan",
    "frgan",
    "monkey_net",
    "fomm",
    "cnn_lstm",
    "mocogan",
    "vgan",
    "pose_lstm",
    "mix",
]
PICTURES = {
    "dtgan": ("dtgan_weizmann.webp", "Truth and reconstruction of four real clips"),
    "imaginator": ("imaginator_weizmann.webp", "Truth and generated clips of four actions"),
    "dual_mtgan": ("dual_mtgan_weizmann.webp", "Two transfers across people, and four samples of one image"),
    "frgan": ("frgan_weizmann.webp", "Truth and reconstruction of four real clips"),
}
NAMES = {"truth_appearance": "appearance", "truth_motion": "motion", "truth_both": "both"}


def model_folders() -> list[str]:
    """Return the folders of configs with a metafile, those of the papers first."""
    names = [path.parent.name for path in ROOT.glob("configs/*/metafile.yml")]
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def model_navigation() -> list[str]:
    """Return the pages of the models as MkDocs lists them in its navigation."""
    return [page_of(f"configs/{name}/README.md") for name in model_folders()]


def model_pages() -> dict[str, str]:
    """Return the text of each model's page by the README file of the repository with which it begins, and an overview.

    Links in the texts are relative to these files.
    """
    names = model_folders()
    metafiles = {
        name: yaml.safe_load((ROOT / f"configs/{name}/metafile.yml").read_text(encoding="utf-8")) for name in names
    }
    shipped = json.loads((ROOT / INDEX).read_text(encoding="utf-8"))
    pages = {f"configs/{name}/README.md": model_page(name, metafiles[name], shipped) for name in names}
    return pages | {"configs/index/README.md": overview(metafiles, shipped)}


def model_page(folder: str, metafile: dict[str, Any], shipped: dict[str, Any]) -> str:
    """Return the README of a model with its picture, all of its configs, results and checkpoints."""
    text = (ROOT / f"configs/{folder}/README.md").read_text(encoding="utf-8").rstrip()
    [collection] = metafile["Collections"]
    entries = checkpoints(metafile, shipped)
    parts = [with_picture(text, folder), facts(collection), config_table(metafile["Models"])]
    if results := result_table(metafile["Models"]):
        parts.append(results)
    parts += ["## Checkpoints", checkpoint_table(entries) if entries else "No weights are shipped yet."]
    return "\n\n".join(parts) + "\n"


def with_picture(text: str, folder: str) -> str:
    """Return the text with the model's picture before its second heading."""
    if folder not in PICTURES:
        return text
    picture, words = PICTURES[folder]
    head, separator, rest = text.partition("\n## ")
    return f"{head}\n![{words}](../../docs/pictures/{picture})\n{separator}{rest}"


def facts(collection: dict[str, Any]) -> str:
    """Return the paper and the techniques as a table."""
    paper, metadata = collection["Paper"], collection.get("Metadata", {})
    title = f"[{paper['Title']}]({paper['URL']})" if "URL" in paper else paper["Title"]
    rows = [("paper", title), ("authors", paper.get("Authors")), ("year", paper.get("Year"))]
    rows += [(key.lower(), ", ".join(values)) for key, values in metadata.items()]
    return "\n".join(
        ["## At a glance", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows if value)]
    )


def config_table(models: list[dict[str, Any]]) -> str:
    """Return every config with its data, its parameters and the command that trains it."""
    lines = ["## Configs", "", "| config | data | parameters | train |", "|---|---|---:|---|"]
    for model in models:
        data, parameters = model["Metadata"]["Training Data"], model["Metadata"]["Parameters"]
        lines.append(
            f"| [{model['Name']}](../../{model['Config']}) | {data} | {parameters:,} | `i2v train {model['Name']}` |"
        )
    return "\n".join(lines)


def result_table(models: list[dict[str, Any]]) -> str:
    """Return the results of the metafile, or an empty text."""
    lines = []
    for model in models:
        for result in model.get("Results", []):
            scores = ", ".join(f"{name} {value}" for name, value in result["Metrics"].items())
            lines.append(f"| {model['Name']} | {result['Task']} | {result['Dataset']} | {scores} |")
    if not lines:
        return ""
    note = (
        "These are short runs on a CPU, not the papers' settings. [Results](../../docs/results.md) has their commands."
    )
    return "\n".join(["## Results", "", note, "", "| config | task | data | scores |", "|---|---|---|---|", *lines])


def checkpoints(metafile: dict[str, Any], shipped: dict[str, Any]) -> dict[str, Any]:
    """Return the shipped models whose config is one of the metafile."""
    names = {model["Name"] for model in metafile["Models"]}
    return {name: entry for name, entry in shipped.items() if entry["config"] in names}


def checkpoint_table(entries: dict[str, Any]) -> str:
    """Return the shipped weights with their sizes, hashes and scores."""
    lines = ["| model | config | moved by | size | scores | SHA-256 |", "|---|---|---|---:|---|---|"]
    for name, entry in entries.items():
        scores = ", ".join(f"{NAMES.get(key, key)} {value}" for key, value in entry["scores"].items())
        size = f"{entry['bytes'] / 2**20:.1f} MiB"
        motion = ", ".join(entry["motion"])
        lines.append(f"| `{name}` | `{entry['config']}` | {motion} | {size} | {scores} | `{entry['sha256']}` |")
    lines += ["", "The weights come with i2vkit. `i2v animate --model NAME` uses one and compares its hash first."]
    lines += ["[Shipped models](../../docs/model_zoo.md) explains the scores."]
    return "\n".join(lines)


def overview(metafiles: dict[str, Any], shipped: dict[str, Any]) -> str:
    """Return the page that lists all models."""
    lines = [
        "# Models",
        "",
        "Each page has the commands, the deviations from the paper, all configs and the checkpoints.",
    ]
    lines += ["", "| model | paper | configs | shipped weights |", "|---|---|---:|---|"]
    for folder, metafile in metafiles.items():
        [collection] = metafile["Collections"]
        paper = collection["Paper"]
        words = f"{paper['Title']} ({paper['Year']})" if "Year" in paper else paper["Title"]
        weights = ", ".join(f"`{name}`" for name in checkpoints(metafile, shipped))
        name = f"[{collection['Name']}](../{folder}/README.md)"
        lines.append(f"| {name} | {words} | {len(metafile['Models'])} | {weights} |")
    for folder, (picture, words) in PICTURES.items():
        [collection] = metafiles[folder]["Collections"]
        lines += [
            "",
            f"## [{collection['Name']}](../{folder}/README.md)",
            "",
            f"![{words}](../../docs/pictures/{picture})",
        ]
    return "\n".join(lines) + "\n"
