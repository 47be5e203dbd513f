"""Prints the oldest version of each package that setup.py allows, as constraints for pip (`make test-oldest`)."""

import ast
import re
from pathlib import Path


def oldest() -> list[str]:
    """``name==version`` of every lower bound in ``install_requires``, in its order."""
    call = next(
        node
        for node in ast.walk(ast.parse((Path(__file__).parents[1] / "setup.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setup"
    )
    required = next(ast.literal_eval(word.value) for word in call.keywords if word.arg == "install_requires")
    return [re.sub(r"^([\w-]+)>=([^,]+),.*", r"\1==\2", line) for line in required]


if __name__ == "__main__":
    print("\n".join(oldest()))
