"""The web application of a study: a page to begin, a page for each rater, answers and media.

Nothing in a page or an address names a model, a clip or a side. Each showing of a video has a random token.
"""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from i2vkit.errors import DataError
from i2vkit.study import raters
from i2vkit.study.store import Store
from i2vkit.web.headers import SafeHeaders

PAGES = Path(__file__).parent / "pages"
_LARGEST_BODY = 8192
_REMEMBERED = 60 * 24 * 3600  # seconds for which a browser finds its rater again
_NO_STORE = {"cache-control": "no-store"}


def application(store: Store) -> Starlette:
    """Return the ASGI application of a study."""
    pages = _Pages(store)
    return Starlette(
        routes=[
            Route("/", pages.welcome),
            Route("/start", pages.start, methods=["POST"]),
            Route("/r/{rater}", pages.rater),
            Route("/r/{rater}/question", pages.question),
            Route("/r/{rater}/answer", pages.answer, methods=["POST"]),
            Route("/media/{token}", pages.media),
            Mount("/static", StaticFiles(directory=PAGES / "static")),
        ],
        middleware=[Middleware(SafeHeaders)],
    )


class _Pages:
    """The answers to the requests of browsers."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._cookie = f"rater_{store.settings['id']}"  # cookies of two studies on one machine are not told apart
        self._templates = {path.stem: Template(path.read_text(encoding="utf-8")) for path in PAGES.glob("*.html")}

    async def welcome(self, request: Request) -> Response:
        """Show the page to begin, or go on where this browser was."""
        known_as = request.query_params.get("id", "")
        token = request.cookies.get(self._cookie)
        if token and not known_as and await run_in_threadpool(self._is_rater, token):
            return RedirectResponse(f"r/{token}", status_code=303, headers=_NO_STORE)
        nonce = secrets.token_urlsafe(16)
        under = "under the name in the address of this page" if known_as else "without a name or an address"
        stored = f"Only your answers and the time that they take are stored, {under}."
        return self._page("welcome", nonce=nonce, known_as=known_as, stored=stored)

    async def start(self, request: Request) -> Response:
        """Make a rater, or find the one of an earlier click, and send the browser to the rater's page."""
        fields = parse_qs((await _body(request)).decode("utf-8", errors="replace"))
        nonce, known_as = (fields.get(name, [""])[0] for name in ("nonce", "known_as"))
        if not nonce:
            return self._page("message", 400, text="Please go back to the first page and press Start again.")
        try:
            token = await run_in_threadpool(raters.join, self.store, nonce, known_as or None)
        except DataError as error:
            return self._page("message", 400, text=str(error))
        if token is None:
            return self._page("message", text="All questions have been answered or are taken. Thank you for coming.")
        response = RedirectResponse(f"r/{token}", status_code=303, headers=_NO_STORE)
        response.set_cookie(self._cookie, token, max_age=_REMEMBERED, httponly=True, samesite="lax")
        return response

    async def rater(self, request: Request) -> Response:
        """Show the page of a rater, which fetches the questions."""
        if not await run_in_threadpool(self._is_rater, request.path_params["rater"]):
            text = "This address belongs to nobody who takes part in this study."
            return self._page("message", 404, text=text, root="../")
        return self._page("rater")

    async def question(self, request: Request) -> Response:
        """Return the open question of a rater as JSON."""
        return await _as_json(lambda: raters.progress(self.store, request.path_params["rater"]))

    async def answer(self, request: Request) -> Response:
        """Store an answer, and return the next question as JSON."""
        try:
            given = json.loads(await _body(request))
            question, values = given["question"], dict(given["answer"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return JSONResponse({"error": "an answer is JSON with question and answer"}, status_code=400)
        if not isinstance(question, str):
            return JSONResponse({"error": "a question is named by its token"}, status_code=400)
        return await _as_json(lambda: raters.answer(self.store, request.path_params["rater"], question, values))

    async def media(self, request: Request) -> Response:
        """Send the video of one showing."""
        path = await run_in_threadpool(raters.media_file, self.store, request.path_params["token"])
        if path is None or not path.is_file():
            return Response(status_code=404)
        return FileResponse(path, media_type="video/mp4", headers={"cache-control": "private, max-age=3600"})

    def _is_rater(self, token: str) -> bool:
        with self.store.reading() as database:
            return database.execute("SELECT 1 FROM raters WHERE token = ?", (token,)).fetchone() is not None

    def _page(self, name: str, status: int = 200, **texts: Any) -> HTMLResponse:
        """Return a page with texts in it, which are escaped."""
        settings = self.store.settings
        count = settings["questions"] + settings["checks"]
        texts = {"title": settings["title"], "questions": count, "root": ""} | texts
        shown = {key: html.escape(str(value)) for key, value in texts.items()}
        return HTMLResponse(self._templates[name].substitute(shown), status_code=status, headers=_NO_STORE)


async def _body(request: Request) -> bytes:
    """Return the body of a request, or as much of it as any honest one has."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            return b""
    return body


async def _as_json(work: Callable[[], raters.Progress]) -> Response:
    """Return the place of a rater as JSON, or the error that ``work`` raises."""
    try:
        return JSONResponse(asdict(await run_in_threadpool(work)), headers=_NO_STORE)
    except DataError as error:
        return JSONResponse({"error": str(error)}, status_code=400)
