"""Request id, reader's language, and errors as pages or JSON. No rights are decided here."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation

from annotator.core.errors import ConcordError

log = logging.getLogger("concord")
Answer = Callable[[HttpRequest], HttpResponse]


class RequestId:
    """Gives each request an id that its events carry and its answer names."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.concord_id = secrets.token_hex(8)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request.concord_id  # type: ignore[attr-defined]
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


class Reader:
    """Activates the reader's language: the account's, else the browser's."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = ""
        if not request.path.startswith("/api/") and request.user.is_authenticated:
            language = request.user.language
        translation.activate(language or translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language() or "en"
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response


class Errors:
    """Turns errors that leave a view into an answer with a code, never into a trace."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page for people, JSON for programs."""
        from annotator.api.errors import status_of

        if not isinstance(error, ConcordError):
            log.exception("unexpected error in %s", request.path, exc_info=error)
            error = ConcordError(
                "internal",
                "Something went wrong on the server. Your work in this browser is kept.",
                cure="Try again; if it stays, tell the operator the request id.",
                request=getattr(request, "concord_id", ""),
            )
        status = status_of(error)
        if request.path.startswith("/api/"):
            return error_json(error, status)
        from annotator.pages.errors import error_page

        return error_page(request, error, status)


def error_json(error: ConcordError, status: int) -> JsonResponse:
    """The JSON form of an error."""
    response = JsonResponse({"error": error.as_dict()}, status=status)
    if "retry_after" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retry_after"])
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What an unsafe request without its CSRF token gets."""
    from annotator.core.errors import Forbidden

    error = Forbidden(
        "csrf", "This form is out of date or came from another site.", cure="Load the page again."
    )
    if request.path.startswith("/api/"):
        return error_json(error, 403)
    from annotator.pages.errors import error_page

    return error_page(request, error, 403)
