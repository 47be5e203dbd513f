"""Headers for pages that fetch nothing from elsewhere and are shown nowhere else."""

from __future__ import annotations

from typing import Any

# Pages, scripts and media come from this server only. Browsers refuse everything else.
OWN_FILES_ONLY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class SafeHeaders:
    """ASGI middleware that adds a content security policy and its relatives to every answer.

    Args:
        app: The application.
        policy: The content security policy. By default ``OWN_FILES_ONLY``.
    """

    def __init__(self, app: Any, policy: str = OWN_FILES_ONLY) -> None:
        self.app = app
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-robots-tag", b"noindex"),
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and add the headers to its answer."""

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self.app(scope, receive, send if scope["type"] != "http" else send_with_headers)
