"""The server of the demo: Gradio without its analytics, its typefaces from elsewhere and its proxy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from i2vkit.demo.limits import Limits
from i2vkit.web.headers import SafeHeaders

# Gradio's page has scripts and styles in its text. Its players and uploads make addresses of the kinds blob and data.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)


def serve_demo(
    models: Sequence[str],
    host: str,
    port: int,
    device: str | None = None,
    workers: int = 2,
    limits: Limits | None = None,
) -> None:
    """Serve the demo until Ctrl-C. All files that it makes are deleted at the end.

    Args:
        models: As ``Shelf`` takes them.
        host: As ``i2vkit.web.serving.serve`` takes it.
        port: As ``host``.
        device: As ``Shelf`` takes it.
        workers: Jobs that run at the same time. Default 2.
        limits: The limits of the inputs. By default those of ``Limits``.

    Raises:
        ConfigError: As of ``Shelf`` and ``serve``.
    """
    from i2vkit.web.serving import serve

    with tempfile.TemporaryDirectory(prefix="i2vkit_demo_", ignore_cleanup_errors=True) as folder:
        serve(application(Path(folder), models, device, workers, limits or Limits()), host, port, "demo")


def application(
    folder: Path, models: Sequence[str], device: str | None = None, workers: int = 2, limits: Limits | None = None
) -> Any:
    """Return the ASGI application of the demo. Uploads and results are in ``folder``, the only files that it serves."""
    # Gradio reads these when it is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gradio as gr
    from fastapi import FastAPI

    from i2vkit.demo.jobs import JobBook, write_examples
    from i2vkit.demo.models import Shelf
    from i2vkit.demo.page import STYLE, build_page, theme

    shelf, limits = Shelf(models, device), limits or Limits()
    page = build_page(shelf, limits, JobBook(folder), write_examples(folder / "examples", shelf), workers)
    no_docs = dict(docs_url=None, redoc_url=None, openapi_url=None)
    app = gr.mount_gradio_app(
        FastAPI(**no_docs),
        page,
        path="",
        app_kwargs=no_docs,
        footer_links=[],
        max_file_size=limits.megabytes * 10**6,
        show_error=True,
        ssr_mode=False,
        enable_monitoring=False,
        theme=theme(),
        css_paths=STYLE,
    )
    # Gradio checks that inputs are uploads, and not any file of this machine, only in pages that it takes for launched.
    page.has_launched = page.is_running = True
    return SafeHeaders(NoProxy(app), POLICY)


class NoProxy:
    """ASGI middleware that refuses addresses with which Gradio would fetch a page from elsewhere.

    Args:
        app: The application.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or answer it with 404."""
        path = scope.get("path", "").lower()
        if scope["type"] == "http" and ("/file=http" in path or "/proxy=" in path):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)
