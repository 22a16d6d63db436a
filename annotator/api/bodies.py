"""Raw bodies: read as a stream, bounded, never parsed here. Shared by uploads, assets and imports."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import UnreadablePostError
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request

from annotator.core.errors import Invalid, TooLarge

CHUNK = 1 << 18
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class LengthRequired(APIException):
    """411: a body of unknown length is not taken."""

    status_code = 411
    default_code = "length_required"
    default_detail = "Say how long the body is (Content-Length)."


class NoSpace(APIException):
    """507: the disk is full."""

    status_code = 507
    default_code = "no_space"
    default_detail = "The server has no space left. Nothing was stored."


def media_type(request: Request) -> str:
    """The claimed media type without parameters. Never trusted for what a file is, only for how to read the body."""
    return str(request._request.META.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()


def length_of(request: Request, limit: int) -> int:
    """The declared length. Raises LengthRequired, TooLarge, UnsupportedMediaType (forms are not raw bodies)."""
    if media_type(request) in _FORMS:
        raise UnsupportedMediaType(media_type(request))
    declared = str(request._request.META.get("CONTENT_LENGTH") or "")
    if not declared.isdecimal() or len(declared) > 18:
        raise LengthRequired()
    if int(declared) > limit:
        raise TooLarge("body_too_large", "The body is larger than the published limit.", limit=limit)
    return int(declared)


def chunks(request: Request, length: int, *, partial: bool = False) -> Iterator[bytes]:
    """The body in pieces. With `partial` a body that breaks off just ends; else Invalid("body_cut")."""
    left = length
    try:
        while left:
            piece = request._request.read(min(CHUNK, left))
            if not piece:
                break
            left -= len(piece)
            yield piece
    except (UnreadablePostError, ConnectionError):
        if not partial:
            raise Invalid("body_cut", "The body broke off.", cure="Send it again.") from None
        return
    if left and not partial:
        raise Invalid("body_cut", "The body is shorter than its declared length.", cure="Send it again.")


@contextmanager
def disk() -> Iterator[None]:
    """A full disk becomes 507; every other error stays what it is."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace() from error
        raise
