"""Errors to HTTP: the only place that knows both."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from annotator.core import errors

STATUS: list[tuple[type[errors.ConcordError], int]] = [
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Gone, 410),
    (errors.TooLarge, 413),
    (errors.Throttled, 429),
    (errors.Unavailable, 503),
    (errors.Invalid, 400),
]
log = logging.getLogger("concord.api")


def status_of(error: errors.ConcordError) -> int:
    """The HTTP status of an error."""
    for kind, status in STATUS:
        if isinstance(error, kind):
            return status
    return 500


def handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's exception handler: every answer has the same form."""
    from annotator.site.middleware import error_json

    known: errors.ConcordError
    if isinstance(error, errors.ConcordError):
        known = error
    elif isinstance(error, Http404):
        known = errors.NotFound()
    elif isinstance(error, RequestDataTooBig):
        known = errors.TooLarge("body_too_large", "The body is larger than the published limit.")
    elif isinstance(error, PermissionDenied):
        known = errors.Forbidden("not_allowed", "This is not allowed.")
    elif isinstance(error, exceptions.APIException):
        body = errors.ConcordError(
            str(error.get_codes()) if not isinstance(error.get_codes(), str) else error.get_codes(),  # type: ignore[arg-type]
            str(error.detail),
        )
        response = error_json(body, error.status_code)
        if isinstance(error, exceptions.MethodNotAllowed):
            response.headers["Allow"] = ", ".join(context["view"].allowed_methods)
        return response
    else:
        log.exception("unexpected error", exc_info=error)
        request = context.get("request")
        known = errors.ConcordError(
            "internal",
            "Something went wrong on the server.",
            cure="Try again with the same key.",
            request=getattr(getattr(request, "_request", None), "concord_id", ""),
        )
    return error_json(known, status_of(known))
