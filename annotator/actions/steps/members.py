"""Step: take somebody into a project. Demands an open transaction."""

from __future__ import annotations

from annotator.actions.verb import Writing
from annotator.core.errors import Conflict
from annotator.models import Account, Member, Project, Team


def store_member(
    w: Writing, project: Project, account: Account, roles: list[str], team: Team | None = None
) -> Member:
    """Step: a new member, or one who left and comes back. Raises Conflict when already in."""
    member = Member.objects.filter(project=project, account=account).first()
    if member is not None and member.active:
        raise Conflict(
            "already_member",
            "This person is a member already.",
            field="username",
            cure="Change the roles instead.",
        )
    if member is None:
        member = Member.objects.create(
            project=project, account=account, roles=roles, team=team, joined_at=w.now
        )
    else:
        member.roles, member.team, member.active = roles, team, True
        member.save(update_fields=["roles", "team", "active"])
    w.event(project.public_id, "member.added", account.public_id, data={"roles": roles})
    return member
