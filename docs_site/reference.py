"""Pages of the API reference: one for each public package, which mkdocstrings fills in from the docstrings."""

from docs_site.links import ROOT

# Name of the page, modules.
SECTIONS = {
    "Use": {
        "apis": ["i2vkit.apis.inferencer", "i2vkit.apis.animation", "i2vkit.apis.motion_sources"],
        "training": ["i2vkit.apis.train", "i2vkit.config.loading"],
        "testing": ["i2vkit.evaluation.run"],
        "zoo": ["i2vkit.zoo"],
        "media": ["i2vkit.media"],
        "visualization": ["i2vkit.visualization"],
    },
    "Core": {
        "structures": ["i2vkit.structures"],
        "registry": ["i2vkit.registry", "i2vkit.generator_slots"],
        "errors": ["i2vkit.errors"],
    },
    "Models": {
        "interfaces": ["i2vkit.models.interfaces"],
        "encoders": ["i2vkit.models.encoders"],
        "motion_generators": ["i2vkit.models.motion_generators"],
        "decoders": ["i2vkit.models.decoders"],
        "heads_and_refiners": ["i2vkit.models.heads", "i2vkit.models.refiners"],
        "adapters": ["i2vkit.models.adapters"],
        "discriminators": ["i2vkit.models.discriminators"],
        "losses": ["i2vkit.models.losses"],
        "generator": ["i2vkit.models.generator", "i2vkit.models.generation_state"],
        "training_step": ["i2vkit.models.training"],
    },
    "Data": {
        "datasets": ["i2vkit.datasets.clip_dataset", "i2vkit.datasets.clip_index", "i2vkit.datasets.pair_samplers"],
        "readers": ["i2vkit.datasets.readers"],
        "transforms": ["i2vkit.datasets.transforms"],
        "conditions": ["i2vkit.conditions"],
    },
    "Evaluation": {
        "protocols": ["i2vkit.evaluation.protocols"],
        "metrics": ["i2vkit.evaluation.metrics"],
        "embedders": ["i2vkit.evaluation.embedders"],
    },
    "Engine": {
        "engine": ["i2vkit.engine"],
    },
}


def reference_pages() -> dict[str, str]:
    """Return the source path on the site and the text of each page of the reference, and of their overview."""
    pages = {}
    overview = ["# API reference", "", "Made from the docstrings. Types stand in the signatures.", ""]
    for section, names in SECTIONS.items():
        overview += [f"## {section}", "", "| page | modules |", "|---|---|"]
        for name, modules in names.items():
            title = name.replace("_", " ")
            overview.append(f"| [{title}]({name}.md) | {', '.join(f'`{module}`' for module in modules)} |")
            blocks = "\n\n".join(block(module) for module in modules)
            pages[f"reference/{name}.md"] = f"# {title[0].upper()}{title[1:]}\n\n{blocks}\n"
        overview.append("")
    pages["reference/index.md"] = "\n".join(overview)
    return pages


def block(module: str) -> str:
    """Return the lines with which mkdocstrings shows a module. A package without exports shows all of its modules."""
    package = ROOT / module.replace(".", "/") / "__init__.py"
    if package.is_file() and "__all__" not in package.read_text(encoding="utf-8"):
        return f"::: {module}\n    options:\n      show_submodules: true"
    return f"::: {module}"


def reference_navigation() -> list[str | dict[str, list[str]]]:
    """Return the pages of the reference as MkDocs lists them in its navigation."""
    sections = [{section: [f"reference/{name}.md" for name in names]} for section, names in SECTIONS.items()]
    return ["reference/index.md", *sections]
