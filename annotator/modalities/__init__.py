"""Kinds of items, one file each: which files are let in, and what their header says.

A modality file has `ID`, `KIND`, `sniff(head, name) -> media type or None` and `check(path, limits) -> Header`.
The claimed media type of a client is never read: the first bytes decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from annotator.core.errors import Invalid
from annotator.core.registry import Registry

HEAD_BYTES = 512


@dataclass(frozen=True)
class Header:
    """What a checked file is; sizes in pixels of the stored frame."""

    kind: str
    media_type: str
    width: int | None = None
    height: int | None = None
    text: str | None = None


@dataclass(frozen=True)
class Limits:
    """Budgets of one file."""

    pixels: int
    text_bytes: int = 16 * 2**20
    encoding: str = "utf-8"


class Modality(Protocol):
    """What a modality file offers."""

    ID: str
    KIND: str

    def sniff(self, head: bytes, name: str) -> str | None: ...

    def check(self, path: Path, limits: Limits) -> Header: ...


MODALITIES: Registry[Modality] = Registry("annotator.modalities")


def sniff(head: bytes, name: str) -> tuple[Modality, str] | None:
    """The modality and media type that the first bytes (and, for plain text only, the name's suffix) say."""
    for _, modality in MODALITIES.items():
        media_type = modality.sniff(head, name)
        if media_type is not None:
            return modality, media_type
    return None


def check(path: Path, name: str, limits: Limits) -> Header:
    """The header of a stored file. Raises Invalid or TooLarge with the reason for refusing it."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise Invalid("empty_file", "The file is empty.")
    found = sniff(head, name)
    if found is None:
        raise Invalid(
            "file_type_refused",
            "Files of this type are not taken.",
            cure="Send PNG, JPEG, WebP or BMP pictures, or plain text (.txt, .md).",
        )
    return found[0].check(path, limits)
