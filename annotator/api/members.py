"""A project's members and invitations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.actions import members
from annotator.api.base import Door, take
from annotator.queries.members import members_of, open_invitations


class Members(Door):
    """All members."""

    actions: ClassVar[dict[str, str]] = {"GET": "members.read", "POST": "members.edit"}

    def get(self, request: Request, project: str) -> Response:
        """{"results", "invitations"}: the open invitations without their links."""
        return Response(
            {
                "results": [members.member_body(m) for m in members_of(self.project)],
                "invitations": open_invitations(self.project),
            }
        )

    def post(self, request: Request, project: str) -> Response:
        """201 member: {username, roles, team?}."""
        body = take(
            self.body(),
            {"username": str, "roles": list, "team": (str, type(None))},
            required=("username", "roles"),
        )
        answer = members.add_member(
            actor=self.actor, project=self.project, idem=self.idem(body), request=self.request_id, **body
        )
        return Response(answer, status=201)


class OneMember(Door):
    """One member."""

    actions: ClassVar[dict[str, str]] = {"PATCH": "members.edit", "DELETE": "members.edit"}

    def patch(self, request: Request, project: str, account: str) -> Response:
        """{roles?, team?}; they count from the next request on."""
        body = take(self.body(), {"roles": list, "team": str})
        return Response(
            members.change_member(
                actor=self.actor, project=self.project, account=account, request=self.request_id, **body
            )
        )

    def delete(self, request: Request, project: str, account: str) -> Response:
        """204."""
        members.remove_member(
            actor=self.actor, project=self.project, account=account, request=self.request_id
        )
        return Response(status=204)


class Invitations(Door):
    """Single-use links into the project."""

    actions: ClassVar[dict[str, str]] = {"POST": "members.edit"}

    def post(self, request: Request, project: str) -> Response:
        """201 {"url", "expires_at"}, shown once: {role | roles, hours?}."""
        body: dict[str, Any] = take(self.body(), {"role": str, "roles": list, "hours": int})
        roles = body.get("roles") or ([body["role"]] if "role" in body else [])
        answer = members.invite(
            actor=self.actor,
            project=self.project,
            roles=roles,
            hours=body.get("hours", members.INVITE_HOURS),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


class OneInvitation(Door):
    """One open link."""

    actions: ClassVar[dict[str, str]] = {"DELETE": "members.edit"}

    def delete(self, request: Request, project: str, invitation: int) -> Response:
        """It stops working."""
        members.withdraw_invitation(
            actor=self.actor, project=self.project, invitation=invitation, request=self.request_id
        )
        return Response(status=204)


urlpatterns = [
    path("projects/<str:project>/members", Members.as_view()),
    path("projects/<str:project>/members/<str:account>", OneMember.as_view()),
    path("projects/<str:project>/invitations", Invitations.as_view()),
    path("projects/<str:project>/invitations/<int:invitation>", OneInvitation.as_view()),
]
