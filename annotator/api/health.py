"""Is the server well? For supervisors and load balancers; tells nothing of content."""

from __future__ import annotations

from typing import ClassVar

from django.db import connection
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door


class Health(Door):
    """GET: 200 while the database answers."""

    public = True
    authentication_classes: ClassVar[list[type]] = []
    actions: ClassVar[dict[str, str]] = {"GET": "site.health"}

    def get(self, request: Request) -> Response:
        """{"ok": true}"""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response({"ok": True})
