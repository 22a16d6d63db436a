"""Verbs on a project's members: add, change, remove, invite, accept. Roles count from the next request on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from annotator import access
from annotator.actions.steps.accounts import PASSWORD_MAX, check_password, open_link, store_account
from annotator.actions.steps.links import link_gone, make_link, use_link
from annotator.actions.steps.members import store_member
from annotator.actions.steps.seats import free_seat
from annotator.actions.verb import Idem, Writing, iso, writing
from annotator.contributions import site
from annotator.core.errors import Conflict, Invalid, NotFound
from annotator.models import (
    LIVE,
    ROLES,
    Account,
    Assignment,
    Invitation,
    Member,
    Project,
    Reservation,
    Team,
)

INVITE_HOURS = 7 * 24
INVITE_HOURS_MAX = 90 * 24


def check_roles(roles: Any) -> list[str]:
    """The roles in the table's order, each once. Raises Invalid."""
    if (
        not isinstance(roles, list)
        or not roles
        or not all(isinstance(role, str) and role in ROLES for role in roles)
    ):
        raise Invalid("bad_roles", "Choose at least one role.", field="roles", allowed=list(ROLES))
    return [role for role in ROLES if role in roles]


def member_body(member: Member) -> dict[str, Any]:
    """A member as the lead sees it."""
    return {
        "account": member.account.public_id,
        "username": member.account.username,
        "name": member.account.name,
        "roles": member.roles,
        "team": member.team.name if member.team else None,
        "active": member.active,
        "joined_at": iso(member.joined_at),
    }


def _team(project: Project, name: str | None) -> Team | None:
    name = (name or "").strip()
    if not name:
        return None
    if len(name) > 100:
        raise Invalid("too_long", "This text is too long.", field="team", limit=100)
    return Team.objects.get_or_create(project=project, name=name)[0]


def _leads_left(project: Project, without: Member) -> bool:
    # Roles are a JSON list, which SQLite cannot search by index; a project has few members.
    others = Member.objects.filter(project=project, active=True, account__is_active=True).exclude(
        pk=without.pk
    )
    return any("lead" in roles for roles in others.values_list("roles", flat=True))


def _lock(project: Project) -> None:
    # Two leads who leave at the same moment must meet here; SQLite has one writer anyway.
    Project.objects.select_for_update().get(pk=project.pk)


def _keep_a_lead(project: Project, member: Member) -> None:
    if not _leads_left(project, member):
        raise Conflict(
            "last_lead",
            "The last lead of a project cannot leave or give the role away.",
            field="roles",
            cure="Make somebody else lead first.",
        )


def add_member(
    *,
    actor: Account,
    project: Project,
    username: str,
    roles: list[str],
    team: str | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """The new member. Raises Invalid, Conflict."""
    roles = check_roles(roles)
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        account = Account.objects.filter(username=username.strip(), is_active=True).first()
        if account is None:
            raise Invalid(
                "unknown_account",
                "There is no account of this name.",
                field="username",
                cure="Invite the person by a link instead.",
            )
        member = store_member(w, project, account, roles, _team(project, team))
        return w.answer(member_body(member), 201)


def find_member(project: Project, account: str) -> Member:
    """Raises NotFound."""
    member = (
        Member.objects.select_related("account", "team")
        .filter(project=project, account__public_id=account, active=True)
        .first()
    )
    if member is None:
        raise NotFound()
    return member


def change_member(
    *,
    actor: Account,
    project: Project,
    account: str,
    roles: list[str] | None = None,
    team: str | None = None,
    now: datetime | None = None,
    request: str = "",
) -> dict[str, Any]:
    """New roles and team of a member; None leaves as is, an empty team takes out of the team."""
    wanted = check_roles(roles) if roles is not None else None
    with writing(actor=actor, now=now, request=request) as w:
        _lock(project)
        member = find_member(project, account)
        data: dict[str, Any] = {}
        if wanted is not None and wanted != member.roles:
            if "lead" in member.roles and "lead" not in wanted:
                _keep_a_lead(project, member)
            if "lead" not in wanted:
                _end_links(w, project, member.account)
            data["roles"], data["before"] = wanted, member.roles
            member.project = project
            _end_seats(w, member, wanted, "role_changed")
        if team is not None:
            new = _team(project, team)
            if (new.pk if new else None) != member.team_id:
                data["team"] = new.pk if new else None
                member.team = new
        if data:
            member.save(update_fields=["roles", "team"])
            w.event(project.public_id, "member.changed", account, data=data)
        return w.answer(member_body(member))


def _end_seats(w: Writing, member: Member, roles: list[str], why: str) -> None:
    """Held seats of stages that the roles no longer allow become lost: what was saved in them is there again for
    this person if the role comes back. What was returned to the person goes to others."""
    member.roles, member.active = roles, bool(roles)
    held = Assignment.objects.select_related("task__project", "project").filter(
        project=member.project, account=member.account, state__in=LIVE
    )
    for seat in held:
        if not access.may(member.account, site.claim_action(seat.stage), member):
            free_seat(w, seat, "lost", "seat.freed", {"why": why})
    if not access.may(member.account, site.claim_action("label"), member):
        Reservation.objects.filter(
            task__project=member.project, person_id=member.account.person_id, until__gt=w.now
        ).update(until=w.now)


def _end_links(w: Writing, project: Project, account: Account) -> None:
    """Open invitations that this account made stop working: nobody keeps a way back in for the time after."""
    Invitation.objects.filter(project=project, made_by=account, used_at=None, expires_at__gt=w.now).update(
        expires_at=w.now
    )


def remove_member(
    *, actor: Account, project: Project, account: str, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """The member goes at once and held seats are freed; what was submitted stays."""
    with writing(actor=actor, now=now, request=request) as w:
        _lock(project)
        member = find_member(project, account)
        if "lead" in member.roles:
            _keep_a_lead(project, member)
        Member.objects.filter(pk=member.pk).update(active=False)
        member.project = project
        _end_seats(w, member, [], "member_removed")
        _end_links(w, project, member.account)
        w.event(project.public_id, "member.removed", account)
        return w.answer({"removed": account})


def invite(
    *,
    actor: Account,
    project: Project,
    roles: list[str],
    hours: int = INVITE_HOURS,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """A single-use link into the project: {url, expires_at}; the link is shown once."""
    roles = check_roles(roles)
    if not 1 <= hours <= INVITE_HOURS_MAX:
        raise Invalid(
            "out_of_range",
            "This number is outside its range.",
            field="hours",
            lowest=1,
            highest=INVITE_HOURS_MAX,
        )
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        row, secret = make_link(w, made_by=actor, hours=hours, project=project, roles=roles)
        w.event(project.public_id, "invitation.made", f"invitation-{row.pk}", data={"roles": roles})
        body = {"id": row.pk, "roles": roles, "url": None, "expires_at": iso(row.expires_at)}
        w.answer(body, 201)
        return {**body, "url": f"/invited/{secret}"}


def withdraw_invitation(
    *, actor: Account, project: Project, invitation: int, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """An open link stops working. Raises NotFound."""
    with writing(actor=actor, now=now, request=request) as w:
        changed = Invitation.objects.filter(
            pk=invitation, project=project, used_at=None, expires_at__gt=w.now
        ).update(expires_at=w.now)
        if not changed:
            raise NotFound()
        w.event(project.public_id, "invitation.withdrawn", f"invitation-{invitation}")
        return w.answer({"withdrawn": invitation})


def accept_invitation(
    *,
    actor: Account | None,
    secret: str,
    username: str = "",
    name: str = "",
    password: str = "",
    now: datetime | None = None,
    request: str = "",
) -> tuple[Account, Project]:
    """Join by a link: as the signed-in account, or with a new one. Raises Gone, Invalid, Conflict."""
    hashed = (
        make_password(password[:PASSWORD_MAX]) if actor is None else ""
    )  # slow by design: outside of the write
    with writing(actor=actor, now=now, request=request) as w:
        row = open_link(secret, w.now)
        if row.project is None:
            raise link_gone()
        account = actor
        if account is None:
            account = store_account(w, username, name)
            check_password(password, account)
            account.password = hashed
            account.save(update_fields=["password"])
            w.actor = account
            w.event(
                "site", "account.created", account.public_id, data={"operator": False, "by": "invitation"}
            )
        roles = [role for role in row.roles if role in ROLES]
        member = Member.objects.filter(project=row.project, account=account, active=True).first()
        if member is None:
            store_member(w, row.project, account, roles)
        else:
            member.roles = [role for role in ROLES if role in {*member.roles, *roles}]
            member.save(update_fields=["roles"])
            w.event(row.project.public_id, "member.changed", account.public_id, data={"roles": member.roles})
        use_link(w, row, account)
        return account, row.project
