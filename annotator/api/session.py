"""The session, the own account and own tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth import SESSION_KEY, login, logout, update_session_auth_hash
from django.http import HttpRequest
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.actions import accounts, sign_in
from annotator.api.base import Door, take
from annotator.models import Account


def address_of(request: Any) -> str:
    """Where the request came from, as far as the socket (or the trusted proxy's server) says."""
    return str(request.META.get("REMOTE_ADDR", ""))


def open_session(request: HttpRequest, account: Account) -> None:
    """The account's session under a new id, also when the same person was signed in already."""
    if SESSION_KEY in request.session:
        request.session.cycle_key()
    login(request, account, backend="django.contrib.auth.backends.ModelBackend")


class Session(Door):
    """POST signs in, GET tells who is signed in, DELETE signs out."""

    actions: ClassVar[dict[str, str]] = {
        "POST": "site.sign_in",
        "GET": "site.sign_in",
        "DELETE": "account.self",
    }
    public = True

    def post(self, request: Request) -> Response:
        """{"account"} and a session under a new id; 400 wrong_credentials, 429 with Retry-After."""
        body = take(self.body(), {"username": str, "password": str}, required=("username", "password"))
        account = sign_in.sign_in(
            username=body["username"],
            password=body["password"],
            address=address_of(request._request),
            request=self.request_id,
        )
        open_session(request._request, account)
        return Response({"account": accounts.account_body(account)})

    def get(self, request: Request) -> Response:
        """{"account"}, or 401."""
        return Response({"account": accounts.account_body(self.actor)})

    def delete(self, request: Request) -> Response:
        """The session ends; a token is left as it is."""
        sign_in.sign_out(actor=self.actor, request=self.request_id)
        logout(request._request)
        return Response(status=204)


class OwnAccount(Door):
    """The own settings."""

    actions: ClassVar[dict[str, str]] = {"GET": "account.self", "PATCH": "account.self"}

    def get(self, request: Request) -> Response:
        """{"account"}."""
        return Response({"account": accounts.account_body(self.actor)})

    def patch(self, request: Request) -> Response:
        """Name, language, theme, keys."""
        body = take(self.body(), {"name": str, "language": str, "theme": str, "keys": dict})
        return Response(accounts.edit_own(actor=self.actor, changes=body, request=self.request_id))


class OwnPassword(Door):
    """Change the own password; other sessions and all tokens end."""

    actions: ClassVar[dict[str, str]] = {"POST": "account.self"}

    def post(self, request: Request) -> Response:
        """{"changed": true}; the session of this request goes on."""
        body = take(self.body(), {"old": str, "new": str}, required=("old", "new"))
        answer = accounts.change_password(
            actor=self.actor, old=body["old"], new=body["new"], request=self.request_id
        )
        if request.auth is None:
            update_session_auth_hash(request._request, self.actor)
        return Response(answer)


class Tokens(Door):
    """Own API tokens."""

    actions: ClassVar[dict[str, str]] = {"GET": "account.self", "POST": "account.self"}

    def get(self, request: Request) -> Response:
        """{"results"}, newest first; never the secret."""
        return Response({"results": [accounts.token_body(row) for row in accounts.own_tokens(self.actor)]})

    def post(self, request: Request) -> Response:
        """201 {"id", "label", "token"}: the only time the token is told."""
        body = take(self.body(), {"label": str, "days": int}, required=("label",))
        answer = accounts.create_token(
            actor=self.actor,
            label=body["label"],
            days=body.get("days"),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


class Token(Door):
    """One own token."""

    actions: ClassVar[dict[str, str]] = {"DELETE": "account.self"}

    def delete(self, request: Request, token: str) -> Response:
        """It ends at once."""
        accounts.revoke_token(actor=self.actor, token=token, request=self.request_id)
        return Response(status=204)


urlpatterns = [
    path("session", Session.as_view()),
    path("account", OwnAccount.as_view()),
    path("account/password", OwnPassword.as_view()),
    path("tokens", Tokens.as_view()),
    path("tokens/<str:token>", Token.as_view()),
]
