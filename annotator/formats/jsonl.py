"""Concord's own lines: one item a line as canonical JSON, the whole accepted document with its provenance.

Loses nothing. A line's `document` is byte for byte what `accepted.digest` is the sha256 of.
"""

from __future__ import annotations

from annotator.core.canonical import canonical
from annotator.formats import Entry, Header, Output, PartBytes, Writer

ID = "jsonl.v1"
TITLE = "JSON lines"
FILE = "items.jsonl"


class _Lines:
    def __init__(self, output: Output) -> None:
        self.file = output.file(FILE)

    def add(self, entry: Entry) -> None:
        # The document is spliced in as it was digested; "document" stands between the keys of the two halves.
        before = {"accepted": entry.accepted, "assets": entry.assets}
        after = {
            "item": entry.item,
            "key": entry.key,
            "prelabels": entry.prelabels,
            "provenance": entry.provenance,
            "schema": entry.schema,
        }
        self.file.write(
            canonical(before)[:-1], b',"document":', entry.document_bytes, b",", canonical(after)[1:], b"\n"
        )

    def close(self) -> None:
        self.file.close()


def writer(header: Header, output: Output, part_bytes: PartBytes) -> Writer:
    return _Lines(output)
