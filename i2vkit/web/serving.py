"""The start of a web server on an address that is known before it starts."""

from __future__ import annotations

import logging
import signal
import socket
from asyncio import CancelledError
from contextlib import suppress
from importlib import import_module
from typing import Any

from i2vkit.errors import ConfigError

LOCALHOST = "127.0.0.1"


def require_web(*packages: str) -> None:
    """Import packages of the extra ``web``.

    Args:
        *packages: Their import names.

    Raises:
        ConfigError: One of them is not installed.
    """
    for name in packages:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] != name.split(".")[0]:
                raise  # a package that is installed and broken
            raise ConfigError(f"the package {name} is not installed: pip install 'i2vkit[web]'") from error


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Args:
        host: A name or number of this machine, such as ``127.0.0.1`` or ``0.0.0.0``.
        port: The port, or 0 for any free one.

    Raises:
        ConfigError: The address is taken or not of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(512)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"nothing can be served at {host}:{port} ({error.strerror or error}): give another --port or --host"
        ) from error
    return bound


def address_of(bound: socket.socket) -> str:
    """Return the address of a socket for a browser on this machine."""
    host, port = bound.getsockname()[:2]
    host = LOCALHOST if host in ("0.0.0.0", "::") else host
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(app: Any, host: str, port: int, what: str) -> None:
    """Serve an ASGI application until Ctrl-C or SIGTERM, which are its usual ends, and print its address first.

    Args:
        app: The application.
        host: As ``listening_socket`` takes it.
        port: As ``listening_socket`` takes it.
        what: The name of the page in the printed line.

    Raises:
        ConfigError: As of ``listening_socket``.
    """
    import uvicorn

    bound = listening_socket(host, port)
    print(f"{what}: {address_of(bound)} (Ctrl-C ends it)", flush=True)
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=3)
    logging.getLogger("uvicorn.error").addFilter(_is_no_closed_page)
    # uvicorn closes all connections first, and then raises the signal again, so that callers can clean up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])


def _is_no_closed_page(record: logging.LogRecord) -> bool:
    """Return False for what uvicorn logs about pages that are still open when the server ends, which is no fault."""
    cancelled = record.exc_info is not None and record.exc_info[0] is CancelledError
    return not cancelled and "graceful shutdown exceeded" not in record.getMessage()
