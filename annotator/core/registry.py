"""Finds plug-in files: every module of a package that carries a versioned id is an entry.

Pure: imports the package's modules on first use, nothing else. A plug-in file imports nothing heavier than
numpy at module level, so that a scan stays cheap in the web process.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar, cast

from annotator.core.errors import Invalid

VERSIONED = re.compile(r"([a-z][a-z0-9_]*)\.v([1-9][0-9]*)\Z")
Plugin = TypeVar("Plugin")


class Registry(Generic[Plugin]):
    """The plug-ins of one package. An entry is the module itself; its id stands in the module's `attribute`.

    `get("iou.v1")` wants that version, `get("iou")` the highest one. Files whose name starts with an
    underscore and modules without the attribute are helpers, not entries.
    """

    def __init__(self, package: str, attribute: str = "ID") -> None:
        self.package = package
        self.attribute = attribute
        self._lock = threading.Lock()
        self._entries: dict[str, Plugin] | None = None
        self._latest: dict[str, str] = {}

    def _scan(self) -> dict[str, Plugin]:
        entries = self._entries
        if entries is not None:
            return entries
        with self._lock:
            if self._entries is None:
                self._entries, self._latest = self._read()
            return self._entries

    def _read(self) -> tuple[dict[str, Plugin], dict[str, str]]:
        package = importlib.import_module(self.package)
        found: dict[str, Plugin] = {}
        latest: dict[str, tuple[int, str]] = {}
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
            if info.name.startswith("_"):
                continue
            module = importlib.import_module(f"{self.package}.{info.name}")
            plugin_id = getattr(module, self.attribute, None)
            if plugin_id is None:
                continue
            match = VERSIONED.match(plugin_id) if isinstance(plugin_id, str) else None
            if match is None:
                raise RuntimeError(
                    f"{module.__name__}.{self.attribute} is not a versioned id such as 'name.v1'"
                )
            if plugin_id in found:
                raise RuntimeError(f"two files of {self.package} carry the id {plugin_id!r}")
            found[plugin_id] = cast(Plugin, module)
            name, version = match.group(1), int(match.group(2))
            if name not in latest or latest[name][0] < version:
                latest[name] = (version, plugin_id)
        return found, {name: plugin_id for name, (_, plugin_id) in latest.items()}

    def find(self, plugin_id: str) -> Plugin | None:
        """The entry, or None for an id that is not here (rows that name it stay readable)."""
        entries = self._scan()
        return entries.get(plugin_id) or entries.get(self._latest.get(plugin_id, ""))

    def get(self, plugin_id: str) -> Plugin:
        entry = self.find(plugin_id)
        if entry is None:
            raise Invalid(
                "unknown_plugin",
                "No plug-in has this id.",
                field=plugin_id,
                cure="Use one of: " + ", ".join(self.ids()) + ".",
            )
        return entry

    def __contains__(self, plugin_id: object) -> bool:
        return isinstance(plugin_id, str) and self.find(plugin_id) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids())

    def ids(self) -> list[str]:
        return sorted(self._scan())

    def names(self) -> list[str]:
        """Bare names, without versions."""
        self._scan()
        return sorted(self._latest)

    def items(self) -> list[tuple[str, Plugin]]:
        return sorted(self._scan().items(), key=lambda entry: entry[0])
