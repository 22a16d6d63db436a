"""Error pages: what happened, what is safe, what to do; never a code alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from annotator.core.errors import ConcordError, NotFound, Unauthenticated


def error_page(request: HttpRequest, error: ConcordError, status: int) -> HttpResponse:
    """The page of an error; whoever is not signed in is sent to sign in first."""
    if isinstance(error, Unauthenticated):
        return redirect(f"{reverse('sign-in')}?next={quote(request.get_full_path(), safe='/')}")
    context = {
        "error": error,
        "status": status,
        "heading": gettext(error.message),
        "cure": gettext(error.cure) if error.cure else "",
    }
    return render(request, "error.html", context, status=status)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404, JSON under /api/."""
    if request.path.startswith("/api/"):
        from annotator.site.middleware import error_json

        return error_json(NotFound(), 404)
    return error_page(request, NotFound(), 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 when even the middleware could not answer."""
    error = ConcordError("internal", "Something went wrong on the server.", cure="Try again in a minute.")
    if request.path.startswith("/api/"):
        from annotator.site.middleware import error_json

        return error_json(error, 500)
    return HttpResponse(
        "Something went wrong on the server. Try again in a minute.",
        status=500,
        content_type="text/plain; charset=utf-8",
    )
