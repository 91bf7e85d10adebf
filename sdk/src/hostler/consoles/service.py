# SPDX-License-Identifier: Apache-2.0
"""fleet.consoles: where VMs' consoles are, the serial port, proxies for browsers, screenshots."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hostler.backends.libvirt.console import SerialConsole, screenshot
from hostler.consoles.read import consoles_of
from hostler.consoles.target import Target, open_target
from hostler.errors import BackendError, Conflict, MissingLibrary, NotFound
from hostler.models.console import Console

if TYPE_CHECKING:
    from hostler.consoles.proxy import ConsoleProxy
    from hostler.fleet import Fleet

_HINT = "Run: pip install 'hostler[consoles]'"


class Consoles:
    """Consoles of VMs on libvirt hypervisors."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def info(
        self,
        name: str,
        *,
        uri: str | None = None,
        host: str | None = None,
        password: bool = False,
    ) -> Sequence[Console]:
        """Return a VM's graphics servers, and its serial port.

        Args:
            name: the VM.
            uri: the hypervisor; the fleet's own where left out.
            host: the same, as a host of the pool.
            password: read passwords too, which needs a connection that may write.

        Raises:
            NotFound: there is no such VM.
        """
        hypervisor = self._fleet.hypervisor(uri, host)
        domains = hypervisor.domains
        running = domains.status(name) not in ("stopped", "crashed")
        xml = domains.xml(name, active=True, secure=password)
        return consoles_of(name, hypervisor.uri, xml, running=running, secure=password)

    def serial(
        self,
        name: str,
        *,
        uri: str | None = None,
        host: str | None = None,
        device: str | None = None,
        force: bool = False,
    ) -> SerialConsole:
        """Open a VM's serial console; close it when done.

        Args:
            name: the VM.
            uri: the hypervisor; the fleet's own where left out.
            host: the same, as a host of the pool.
            device: another serial port than the first, such as ``serial1``.
            force: take it from somebody who has it open.

        Raises:
            NotFound: there is no such VM.
            BackendError: it does not run, or somebody else has the console open.
        """
        return SerialConsole(self._fleet.hypervisor(uri, host), name, device=device, force=force)

    def proxy(
        self,
        *,
        listen: str = "127.0.0.1",
        port: int = 0,
        cert: str | Path | None = None,
        key: str | Path | None = None,
    ) -> ConsoleProxy:
        """Start a WebSocket proxy; ``offer`` it what ``opener`` returns.

        Raises:
            Unreachable: the address can't be listened on.
            InvalidInput: the certificate can't be used.
            MissingLibrary: websockify is not installed.
        """
        try:
            from hostler.consoles.proxy import ConsoleProxy
        except ImportError as error:
            raise MissingLibrary(str(error), on="WebSocket proxy", hint=_HINT) from error
        return ConsoleProxy(listen=listen, port=port, cert=cert, key=key)

    def opener(
        self,
        name: str,
        type: Literal["vnc", "spice"] = "vnc",
        *,
        uri: str | None = None,
        host: str | None = None,
    ) -> Callable[[], Target]:
        """Return what connects to a VM's graphics server, whenever it is called.

        Raises:
            NotFound: there is no such VM, or it has no such server.
            Conflict: it does not run.
        """
        self._find(name, type, uri, host)

        def connect() -> Target:
            console, index = self._find(name, type, uri, host)
            return open_target(self._fleet.hypervisor(uri, host), console, index)

        return connect

    def _find(self, name: str, type: str, uri: str | None, host: str | None) -> tuple[Console, int]:
        on = f"VM {name!r} on {self._fleet.uri_of(uri, host)}"
        for index, console in enumerate(self.info(name, uri=uri, host=host)):
            if console.type == type:
                if not console.running:
                    raise Conflict("it does not run", on=on, hint="Start it: 'hostler vm start'.")
                return console, index
        hint = f"Give it one: 'graphics: {{type: {type}}}', and restart it."
        raise NotFound(f"it has no {type.upper()} server", on=on, hint=hint)

    def screenshot(
        self, name: str, *, uri: str | None = None, host: str | None = None, screen: int = 0
    ) -> bytes:
        """Take a picture of a VM's screen; returns a PNG file.

        Raises:
            NotFound: there is no such VM.
            BackendError: it does not run, or has no such screen.
            MissingLibrary: Pillow is not installed.
        """
        try:
            from PIL import Image, UnidentifiedImageError
        except ImportError as error:
            raise MissingLibrary(str(error), on="screenshot", hint=_HINT) from error
        hypervisor = self._fleet.hypervisor(uri, host)
        kind, data = screenshot(hypervisor, name, screen)
        if kind == "image/png":
            return data
        out = io.BytesIO()
        try:
            with Image.open(io.BytesIO(data)) as picture:
                picture.save(out, "PNG")
        except (UnidentifiedImageError, OSError) as error:
            on = f"VM {name!r} on {hypervisor.uri}"
            raise BackendError(f"its screen came as {kind}, which can't be read", on=on) from error
        return out.getvalue()
