"""Model cards: Markdown with YAML front matter, as the Hugging Face Hub shows it, made of a file's header."""

from __future__ import annotations

import json

from i2vkit.zoo.index import ZooEntry

_TITLES = {
    "ssim": "SSIM",
    "psnr": "PSNR",
    "appearance": "nearest SSIM",
    "motion_error": "motion error",
    "truth_appearance": "appearance, 1 is the truth",
    "truth_motion": "motion, 1 is the truth",
    "truth_both": "both, 1 is the truth",
}


def model_card(header: dict[str, str], entry: ZooEntry | None = None) -> str:
    """Return the README.md of a trained model.

    Args:
        header: The header of its file of weights, see ``metadata.describe``.
        entry: Its row of the zoo, with scores, if it has one.
    """
    name = entry.name if entry else header["config"].rpartition("/")[2]
    return "\n".join([*_front_matter(name, header, entry), *_body(name, header, entry)]) + "\n"


def _front_matter(name: str, header: dict[str, str], entry: ZooEntry | None) -> list[str]:
    lines = ["---", "license: apache-2.0", "library_name: i2vkit", "pipeline_tag: image-to-video"]
    lines += ["tags:", "- image-to-video", "- gan", "- i2vkit"]
    if entry and entry.scores:
        lines += ["model-index:", f"- name: {name}", "  results:", "  - task:", "      type: image-to-video"]
        lines += [
            "    dataset:",
            f"      name: {json.dumps(f'{entry.protocol} of {entry.config}')}",
            "      type: i2vkit",
            "    metrics:",
        ]
        for metric, value in entry.scores.items():
            lines += [f"    - type: {metric}", f"      value: {value}"]
    return [*lines, "---", ""]


def _body(name: str, header: dict[str, str], entry: ZooEntry | None) -> list[str]:
    motion, labels = json.loads(header.get("motion", "[]")), json.loads(header["labels"])
    training, versions = json.loads(header["training"]), json.loads(header["versions"])
    size = header["image_size"]
    lines = [f"# {name}", "", f"A model of i2vkit that turns one image into a video of {size}x{size} pixels.", ""]
    motion = entry.motion if entry else motion
    rows = {
        "config": f"`{header['config']}`",
        "motion from": ", ".join(motion),
        "labels": ", ".join(labels) if "label" in motion else "",
        "parameters": f"{entry.parameters if entry else int(header['parameters']):,}",
        "training data": header["data"],
        **{key.replace("_", " "): str(value) for key, value in training.items()},
        "weights": f"{header['dtype']}, SHA-256 of the tensors `{header['sha256']}`",
        "versions": ", ".join(f"{package} {version}" for package, version in versions.items() if version),
    }
    lines += ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items() if value), ""]
    if entry and entry.scores:
        lines += [f"## Scores ({entry.protocol})", "", *_scores(entry), ""]
        lines += [f"`i2v zoo verify {name}` computes them again and compares every digit.", ""]
    return [*lines, "## Use", "", "```python", *_example(name, entry), "```"]


def _scores(entry: ZooEntry) -> list[str]:
    """Return a table with the model and the static baseline, which repeats the image."""
    names = list(entry.scores)
    titles = " | ".join(_TITLES.get(name, name) for name in names)
    lines = [f"| | {titles} |", f"|---|{'---:|' * len(names)}"]
    lines.append(f"| this model | {' | '.join(entry.scores[name] for name in names)} |")
    if entry.static_baseline:
        lines.append(f"| the image repeated | {' | '.join(entry.static_baseline.get(name, '') for name in names)} |")
    return lines


def _example(name: str, entry: ZooEntry | None) -> list[str]:
    where = f'"{name}"' if entry else '"path/to/this/folder"'
    call = 'animate("face.png", "clip.mp4")'
    motion = entry.motion if entry else []
    if entry and "label" in motion:
        call = f'animate("image.png", label="{entry.labels[0]}")'
    elif motion == ["noise"]:
        call = 'animate("image.png", seed=1)'
    load = f"animate = I2VInferencer.from_pretrained({where})"
    return ["from i2vkit.apis import I2VInferencer", "", load, f'{call}.save("moved.mp4")']
