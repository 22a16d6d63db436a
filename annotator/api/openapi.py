"""The OpenAPI description of the API, made from the doors themselves: paths, rights, errors.

Bodies are described as objects with the text of the door's docstring; their fields are checked by the
doors (`take`), which name what is wrong.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import access
from annotator.api.base import Door

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "field": {"type": "string"},
                "place": {"type": "string"},
                "cure": {"type": "string"},
            },
        }
    },
}
REFUSALS = {
    "400": "The body or a parameter cannot be taken; the field is named.",
    "401": "No valid credential.",
    "403": "A member without the right.",
    "404": "Unknown, or of a project that the caller is not a member of.",
    "409": "A stale revision, a lost lease or a forbidden transition.",
    "413": "Beyond a published budget.",
    "429": "Too many tries; Retry-After says when.",
    "503": "Something that is needed is away; Retry-After says when to come back.",
}


class DoorSchema(AutoSchema):
    """One operation from one method of a door."""

    def get_operation_id(self) -> str:
        """method_path"""
        return f"{self.method.lower()}_" + re.sub(
            r"[^a-z0-9]+", "_", self.path.removeprefix("/api/").lower()
        ).strip("_")

    def get_tags(self) -> list[str]:
        """The first noun that is not `projects/{project}`."""
        nouns = [p for p in self.path.split("/") if p and not p.startswith("{") and p not in ("api",)]
        return [nouns[1] if nouns[:1] == ["projects"] and len(nouns) > 1 else nouns[0]]

    def get_description(self) -> str:
        """What the door says of itself, and who may."""
        method = getattr(self.view, self.method.lower(), None)
        action = self.view.actions.get(self.method, "")
        entry = access.TABLE.get(action)
        who = ", ".join(sorted(entry.roles)) or entry.who if entry else ""
        return "\n\n".join(
            t for t in (type(self.view).__doc__, getattr(method, "__doc__", ""), f"`{action}`: {who}.") if t
        )

    def get_request_serializer(self) -> None:
        """Doors check their bodies themselves."""

    def get_response_serializers(self) -> None:
        """Answers are described in words."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """The session cookie or a token; nothing for a public door."""
        return [] if getattr(self.view, "public", False) else [{"session": []}, {"token": []}]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with body, idempotency key, answers."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        ok = {"description": "The answer.", "content": {"application/json": {"schema": {"type": "object"}}}}
        operation["responses"] = {"2XX": ok} | {
            status: {"description": text, "content": {"application/json": {"schema": ERROR}}}
            for status, text in REFUSALS.items()
        }
        if self.method in ("POST", "PUT", "PATCH"):
            operation["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
            operation.setdefault("parameters", []).append(
                {
                    "in": "header",
                    "name": "Idempotency-Key",
                    "schema": {"type": "string", "maxLength": 80},
                    "description": "A repeat with the same key and body gets the first answer again.",
                }
            )
        return operation


class OpenApi(Door):
    """The description itself."""

    actions: ClassVar[dict[str, str]] = {"GET": "site.openapi"}

    def get(self, request: Request) -> Response:
        """OpenAPI 3.1."""
        return Response(SchemaGenerator().get_schema(request=None, public=True))


urlpatterns = [path("openapi.json", OpenApi.as_view(), name="api-openapi")]
