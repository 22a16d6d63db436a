"""The operator's accounts: list, create, deactivate, reset. No content of projects."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.actions import accounts
from annotator.api.base import Door, make_cursor, take
from annotator.models import Account


class Accounts(Door):
    """All accounts of the site."""

    actions: ClassVar[dict[str, str]] = {"GET": "accounts.manage", "POST": "accounts.manage"}

    def get(self, request: Request) -> Response:
        """{"results", "next"}, by user name."""
        limit, cursor = self.limit(), self.cursor()
        rows = Account.objects.order_by("username")
        if cursor:
            rows = rows.filter(username__gt=str(cursor[0]))
        found = list(rows[: limit + 1])
        after = make_cursor([found[limit - 1].username]) if len(found) > limit else None
        return Response({"results": [accounts.account_body(a) for a in found[:limit]], "next": after})

    def post(self, request: Request) -> Response:
        """201 {"account", "link"}: the link sets the password, once."""
        body = take(self.body(), {"username": str, "name": str, "operator": bool}, required=("username",))
        answer = accounts.create_account(
            actor=self.actor, idem=self.idem(body), request=self.request_id, **body
        )
        return Response(answer, status=201)


class OneAccount(Door):
    """One account."""

    actions: ClassVar[dict[str, str]] = {"PATCH": "accounts.manage"}

    def patch(self, request: Request, account: str) -> Response:
        """{"active": true | false}."""
        body = take(self.body(), {"active": bool}, required=("active",))
        return Response(
            accounts.set_active(
                actor=self.actor,
                account=accounts.find_account(account),
                active=body["active"],
                request=self.request_id,
            )
        )


class Reset(Door):
    """A link to set a new password."""

    actions: ClassVar[dict[str, str]] = {"POST": "accounts.manage"}

    def post(self, request: Request, account: str) -> Response:
        """201 {"link"}, shown once."""
        body: dict[str, Any] = take(self.body(), {})
        answer = accounts.reset_link(
            actor=self.actor,
            account=accounts.find_account(account),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


urlpatterns = [
    path("accounts", Accounts.as_view()),
    path("accounts/<str:account>", OneAccount.as_view()),
    path("accounts/<str:account>/reset", Reset.as_view()),
]
