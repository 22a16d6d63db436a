"""The one family of errors. No HTTP in it: `annotator.api` maps a class to a status.

Each error names what happened (`message`), where (`field`, `place`) and the cure, so that a
person or a client can act on it without reading a log.
"""

from __future__ import annotations

from typing import Any


class ConcordError(Exception):
    """Base of every error that a person may see.

    `code` is stable and machine-readable; `message` is an English sentence (a msgid);
    `extra` holds JSON values that the client needs to go on (a current revision, say).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        place: str | None = None,
        cure: str | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.place = place
        self.cure = cure
        self.extra = extra

    def as_dict(self) -> dict[str, Any]:
        """The body of the error as clients see it; absent parts are left out."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        for name in ("field", "place", "cure"):
            value = getattr(self, name)
            if value is not None:
                body[name] = value
        body.update(self.extra)
        return body

    def __str__(self) -> str:
        where = " ".join(p for p in (self.place, self.field) if p)
        return f"{self.code}: {self.message}" + (f" ({where})" if where else "")


class Invalid(ConcordError):
    """The body, a row or a file says something that cannot be stored."""


class Unauthenticated(ConcordError):
    """No valid credential."""


class Forbidden(ConcordError):
    """A member without the right."""


class NotFound(ConcordError):
    """Unknown, or of a project that the caller is not a member of: the two look alike."""

    def __init__(
        self, code: str = "not_found", message: str = "There is no such object.", **extra: Any
    ) -> None:
        super().__init__(code, message, **extra)


class Conflict(ConcordError):
    """A stale revision, a lost lease or a forbidden transition."""


class TooLarge(ConcordError):
    """Beyond a published budget."""


class Gone(ConcordError):
    """Was there, is no longer."""


class Throttled(ConcordError):
    """Too many tries; `retry_after` seconds are in `extra`."""


class Unavailable(ConcordError):
    """Something that is needed is away for now."""
