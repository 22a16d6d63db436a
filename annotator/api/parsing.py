"""Strict JSON in and out: no NaN, no doubled keys, bounded size and depth."""

from __future__ import annotations

import json
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from annotator.core.canonical import strict_loads
from annotator.core.errors import TooLarge


class StrictJSONParser(BaseParser):
    """application/json, at most BODY_LIMIT bytes."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The parsed body. Raises Invalid("bad_json", place) or TooLarge."""
        data = stream.read(settings.BODY_LIMIT + 1)
        if len(data) > settings.BODY_LIMIT:
            raise TooLarge(
                "body_too_large", "The body is larger than the published limit.", limit=settings.BODY_LIMIT
            )
        return strict_loads(data) if data.strip() else {}


class StrictJSONRenderer(BaseRenderer):
    """application/json, UTF-8."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Compact UTF-8; NaN is a programming error and raises."""
        if data is None:
            return b""
        return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
