"""Pages made from notebooks: text, code and the outputs that were saved with them."""

import json
import re
from pathlib import Path
from typing import Any


def notebook_page(path: Path) -> str:
    """Return a notebook as Markdown. Pictures and players are part of the page.

    >>> from tempfile import TemporaryDirectory
    >>> cell = dict(cell_type="code", source="print(1)", outputs=[dict(output_type="stream", text="1\\n")])
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "small.ipynb"
    ...     _ = path.write_text(json.dumps(dict(cells=[dict(cell_type="markdown", source=["# Small"]), cell])))
    ...     print(notebook_page(path))
    # Small
    <BLANKLINE>
    ```python
    print(1)
    ```
    <BLANKLINE>
    ```text
    1
    ```
    <BLANKLINE>
    """
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        parts += [shown for output in cell["outputs"] if (shown := output_text(output))]
    return "\n\n".join(parts) + "\n"


def output_text(output: dict[str, Any]) -> str:
    """Return one output of a cell as Markdown: its HTML, else its picture, else its text."""
    if "text" in output:
        return f"```text\n{''.join(output['text']).rstrip()}\n```"
    data = output.get("data", {})
    if "text/html" in data:
        return re.sub(r"\n\s*", " ", "".join(data["text/html"]))
    if "image/png" in data:
        return f'<img alt="output of the cell" src="data:image/png;base64,{"".join(data["image/png"]).strip()}">'
    return f"```text\n{''.join(data['text/plain']).rstrip()}\n```" if "text/plain" in data else ""
