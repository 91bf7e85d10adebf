# SPDX-License-Identifier: Apache-2.0
"""What NetBox's answers mean. Pure.

NetBox compares names without regard to case, and ignores filters that it does not know: then it
returns every device that there is. So nothing is taken from an answer that was not asked for.
https://netboxlabs.com/docs/netbox/reference/filtering/
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from hostler.errors import BackendError, Conflict

Row = Mapping[str, Any]

CHUNK = 50
CHUNK_CHARACTERS = 3000
"""As a URL; web servers take 4 to 8 kB."""

SHOWN = 5


class Group(NamedTuple):
    """An owner group."""

    name: str | None = None
    slug: str | None = None


def chunks(words: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Split what is asked for into questions of which none is too long for a URL."""
    chunk: list[str] = []
    length = 0
    for word in words:
        more = len(quote(word, safe="")) + len("&name=")
        if chunk and (len(chunk) == CHUNK or length + more > CHUNK_CHARACTERS):
            yield tuple(chunk)
            chunk, length = [], 0
        chunk.append(word)
        length += more
    if chunk:
        yield tuple(chunk)


def rebased(base: str, url: str) -> str:
    """Return a URL of NetBox's API below the address that we know NetBox by.

    Behind a proxy, ``next`` may name an inner host, another path or plain HTTP.
    """
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{base}/api/{parts.path.rpartition('/api/')[2]}{query}"


def complete(url: str, answer: Mapping[str, Any]) -> bool:
    """Whether an answer has exactly what its URL asks for, by ``name`` or by ``id``."""
    query = parse_qs(urlsplit(url).query)
    field = "name" if "name" in query else "id"
    asked = set(query.get(field, ()))
    found = {str(row.get(field)) for row in answer["results"] if isinstance(row, dict)}
    return answer.get("count") == len(asked) and found <= asked


def asked_for(rows: Iterable[Any], field: str, asked: Collection[str], on: str) -> Iterator[Row]:
    """Pass rows on; stop at the first one that was not asked for.

    Raises:
        BackendError: NetBox returned something else than it was asked for.
    """
    known = {word.casefold() for word in asked}
    for row in rows:
        if not isinstance(row, dict) or "id" not in row:
            raise not_netbox(on)
        if str(row.get(field)).casefold() not in known:
            raise BackendError(
                f"it returned {row.get(field)!r}, which was not asked for",
                on=on,
                hint=f"It ignores the filter {field!r}: is netbox.url NetBox itself, and does a"
                " proxy before it leave the query alone?",
            )
        yield row


def not_netbox(on: str) -> BackendError:
    """Return the error for an answer that is none of NetBox's."""
    return BackendError(
        "its answer is not one of NetBox's API",
        on=on,
        hint="Set netbox.url or NETBOX_URL to NetBox's own address, without '/api'.",
    )


def by_name(
    asked: Collection[str], devices: Iterable[Row], site: str | None
) -> tuple[dict[str, Row], list[str]]:
    """Find the device of each name; the rest is told in warnings.

    Raises:
        Conflict: several devices have the same name.
    """
    found: dict[str, Row] = {}
    others: dict[str, str] = {}
    for device in devices:
        name = str(device["name"])
        if name not in asked:
            others[name.casefold()] = name
        elif name in found:
            raise _twice(name, (found[name], device))
        else:
            found[name] = device
    absent = [name for name in sorted(asked) if name not in found]
    spelled = [f"{n} (there is {others[n.casefold()]})" for n in absent if n.casefold() in others]
    absent = [name for name in absent if name.casefold() not in others]
    place = f" at site {site!r}" if site else ""
    warnings = []
    if absent:
        warnings.append(f"NetBox has no device{place} with the name {listed(absent)}.")
    if spelled:
        warnings.append(f"NetBox writes the name in another case: {listed(spelled)}.")
    return found, warnings


def _twice(name: str, devices: Sequence[Row]) -> Conflict:
    sites = sorted({str((d.get("site") or {}).get("slug")) for d in devices})
    if len(sites) > 1:
        what = f"NetBox has it at the sites {' and '.join(sites)}"
        hint = "Set netbox.site to the one that the hosts are at."
    else:
        tenants = sorted({str((d.get("tenant") or {}).get("name", "no tenant")) for d in devices})
        what = f"NetBox has it twice at site {sites[0]}: of {' and '.join(tenants)}"
        hint = "Rename one of them in NetBox."
    return Conflict(what, on=f"device {name!r}", hint=hint)


def listed(words: Sequence[str]) -> str:
    """Return some words, and how many more there are."""
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def reference(row: Row, field: str) -> int | None:
    """Return the id of an object that a row refers to."""
    value = row.get(field)
    return value["id"] if isinstance(value, dict) and isinstance(value.get("id"), int) else None


def word(value: Any) -> str | None:
    """Return a choice's value: NetBox writes it as ``{value, label}``, or plainly."""
    if isinstance(value, dict):
        value = value.get("value")
    return str(value) if value not in (None, "") else None


def group(value: Any) -> Group:
    """Return a group: an object, a choice or a text."""
    if isinstance(value, dict):
        if "name" in value:
            return Group(value["name"], value.get("slug"))
        return Group(value.get("label") or word(value), word(value))
    return Group(word(value))


def flag(value: Any) -> bool | None:
    """Return a custom field as true, false or unknown; a number is true unless it is 0."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str):
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.casefold())
    return bool(value) if isinstance(value, int) else None
