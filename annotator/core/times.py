"""Times as clients, the event log and releases see them. Takes moments, never asks a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: None) -> None: ...


def iso(moment: datetime | None) -> str | None:
    """UTC ISO 8601 text with microseconds and Z; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
