"""The base of every API view: finds the project, asks `access`, hands over the idempotency key.

A view names its action for each method in `actions`; a method without one is a programming error
that the access test finds. `locate` finds the object (and so the project) from the URL.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from annotator import access
from annotator.actions.verb import Idem, body_digest
from annotator.core.errors import Invalid, NotFound, Unauthenticated
from annotator.models import Account, Member, Project

LIMIT, LIMIT_MAX = 50, 200


class Door(APIView):
    """One resource. After `initial`: self.actor, and with a project self.project and self.member."""

    actions: ClassVar[dict[str, str]] = {}
    public = False  # whether somebody who is not signed in gets as far as the table
    visitor: Account | None = None
    found: tuple[Project, Member] | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, find, authorise; in this order, so that a stranger gets 404, a member 403."""
        super().initial(request, *args, **kwargs)
        user = request.user
        self.visitor = user if isinstance(user, Account) else None
        action = self.actions.get(request.method or "")
        if action is None:
            self.http_method_not_allowed(request)
        if not self.public and self.visitor is None:
            raise not_signed_in()  # before the object is looked for: nobody learns what there is
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise NotFound()  # PostgreSQL holds no U+0000, so nothing is named so
        project_id = self.locate(**kwargs)
        if project_id is not None:
            self.found = access.membership(self.visitor, project_id)
        access.require(self.visitor, str(action), self.found[1] if self.found else None)

    @property
    def actor(self) -> Account:
        """Who asks. Raises Unauthenticated where nobody is signed in, which only a public view can meet."""
        if self.visitor is None:
            raise not_signed_in()
        return self.visitor

    @property
    def project(self) -> Project:
        """The project that `locate` named. A view without one has a mistake in it."""
        if self.found is None:
            raise RuntimeError("this view's URL names no project")
        return self.found[0]

    @property
    def member(self) -> Member:
        """The actor's membership in the project."""
        if self.found is None:
            raise RuntimeError("this view's URL names no project")
        return self.found[1]

    def locate(self, **kwargs: Any) -> str | None:
        """The public id of the project that the URL's object lies in; None for site-wide views.

        Raises NotFound. Views of objects override this and keep the object.
        """
        return kwargs.get("project")

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """405 with the list of methods."""
        from rest_framework.exceptions import MethodNotAllowed

        raise MethodNotAllowed(str(request.method))

    @property
    def request_id(self) -> str:
        """The id that events of this request carry."""
        return getattr(self.request._request, "concord_id", "")

    def body(self) -> dict[str, Any]:
        """The JSON body, an object. Raises Invalid."""
        data = self.request.data
        if not isinstance(data, dict):
            raise Invalid("not_an_object", "The body must be a JSON object.", field="")
        return data

    def idem(self, body: Any) -> Idem | None:
        """The idempotency key of this request with what it was sent for; None without the header."""
        key = self.request.headers.get("Idempotency-Key")
        if not key:
            return None
        return Idem(
            key=key, route=f"{self.request.method} {self.request.path}"[:200], body_digest=body_digest(body)
        )

    def limit(self) -> int:
        """Rows a page: ?limit=1..200, 50 unless told. Raises Invalid."""
        raw = self.request.query_params.get("limit", str(LIMIT))
        if not raw.isdecimal() or len(raw) > 9 or not 1 <= int(raw) <= LIMIT_MAX:
            raise Invalid("bad_limit", "limit is a whole number from 1 to 200.", field="limit")
        return int(raw)

    def cursor(self) -> list[Any] | None:
        """The decoded ?cursor= of a list, or None. Raises Invalid."""
        raw = self.request.query_params.get("cursor")
        if not raw:
            return None
        try:
            # not strict_loads: places in the queue are integers beyond 2**53
            decoded = base64.urlsafe_b64decode(raw.encode() + b"=" * (-len(raw) % 4))
            value = json.loads(decoded, parse_float=_finite, parse_constant=_finite)
        except (ValueError, UnicodeError):
            value = None
        if not isinstance(value, list) or len(raw) > 400:
            raise Invalid(
                "bad_cursor",
                "This cursor was not made by this list.",
                field="cursor",
                cure="Start without a cursor.",
            )
        return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def not_signed_in() -> Unauthenticated:
    """The error of a door that wants an account."""
    return Unauthenticated("not_signed_in", "You are not signed in.", cure="Sign in, then try again.")


def make_cursor(values: list[Any]) -> str:
    """The opaque form of a list position."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def take(
    body: dict[str, Any], allowed: dict[str, type | tuple[type, ...]], required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The named fields of a body with their types checked; unknown fields are refused.

    A bool is never an int. Raises Invalid with the field.
    """
    for name in body:
        if name not in allowed:
            raise Invalid(
                "unknown_field",
                "This field is not known here.",
                field=name,
                cure=f"Known: {', '.join(sorted(allowed))}.",
            )
    for name in required:
        if name not in body:
            raise Invalid("missing_field", "This field is required.", field=name)
    for name, value in body.items():
        kind = allowed[name]
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if (isinstance(value, bool) and bool not in kinds) or not isinstance(value, kinds):
            names = " or ".join(
                "null"
                if k is type(None)
                else {
                    "str": "text",
                    "dict": "an object",
                    "list": "a list",
                    "int": "a whole number",
                    "float": "a number",
                    "bool": "true or false",
                }[k.__name__]
                for k in kinds
            )
            raise Invalid("wrong_type", "This field has another type.", field=name, wanted=names)
    return body
