"""How a request proves who it is: the session cookie (with CSRF) or a token."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from annotator import sql
from annotator.core.errors import Forbidden, Unauthenticated
from annotator.models import Account


class Session(SessionAuthentication):
    """Session cookie; an unsafe method needs the CSRF token."""

    def authenticate_header(self, request: Request) -> str:
        """Makes DRF answer 401, not 403."""
        return "Session"

    def enforce_csrf(self, request: Request) -> None:
        """The same check, with our error."""
        from rest_framework.exceptions import PermissionDenied

        http = request._request
        if not hasattr(http, "_post"):
            # The token comes in the header: looking for it in a form would parse, and so refuse, raw bodies.
            http._post, http._files = QueryDict(), MultiValueDict()
        try:
            super().enforce_csrf(http)
        except PermissionDenied as error:
            raise Forbidden(
                "csrf", "This request lacks its CSRF token.", cure="Load the page again, or use a token."
            ) from error


class Token(TokenAuthentication):
    """`Authorization: Token …` (stored hashed, many an account, may expire)."""

    def authenticate_credentials(self, token: bytes) -> tuple[Account, AuthToken]:
        """As knox does it, with its own hash and compare, through prepared SQL: each request comes by here."""
        text = token.decode("utf-8", "replace")
        try:
            hashed = hash_token(text)
        except (TypeError, ValueError):
            raise AuthenticationFailed("This token is not valid.") from None
        for known in sql.many(AuthToken, "token_key = %s", [text[: CONSTANTS.TOKEN_KEY_LENGTH]]):
            if known.expiry is not None and known.expiry < timezone.now():
                continue
            if compare_digest(hashed, known.digest):
                account = sql.one(Account, "id = %s", [known.user_id])
                if account is None or not account.is_active:
                    break
                return account, known
        raise AuthenticationFailed("This token is not valid.")


class SignedIn(BasePermission):
    """Somebody, unless the view says anyone. The action's rights are checked by `Door`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or Unauthenticated."""
        if getattr(view, "public", False):
            return True
        user = request.user
        if user is None or isinstance(user, AnonymousUser) or not user.is_active:
            raise Unauthenticated("not_signed_in", "You are not signed in.", cure="Sign in, then try again.")
        return True
