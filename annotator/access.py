"""Who may do what: one table, default deny. Every door asks here and nowhere else.

A row names an action and the project roles that have it. `who` widens it beyond roles:
"signed_in" (any account), "operator" (site right), "anyone" (no account). Conditions on the object
(own seat, own job) are checked by the door through the object's owner, and say so in `note`.
The table is printed in docs/reference/access.md and tested whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from annotator import sql
from annotator.core.errors import Forbidden, NotFound, Unauthenticated
from annotator.models import Account, Member, Project

LEAD, EXPERT, CHECKER, ANNOTATOR, IMPORTER, VIEWER = (
    "lead",
    "expert",
    "checker",
    "annotator",
    "importer",
    "viewer",
)
EVERY_ROLE = frozenset((LEAD, EXPERT, CHECKER, ANNOTATOR, IMPORTER, VIEWER))
PEOPLE = frozenset((LEAD, EXPERT, CHECKER, ANNOTATOR))


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    roles: frozenset[str] = frozenset()
    who: str = "role"  # role, signed_in, operator, anyone
    note: str = ""


TABLE: dict[str, Row] = {}


def contribute(rows: dict[str, Row]) -> None:
    """Add rows; an action is defined once."""
    for action, row in rows.items():
        if action in TABLE and TABLE[action] != row:
            raise ValueError(f"access row {action} is defined twice")
        TABLE[action] = row


def row(*roles: str, note: str = "") -> Row:
    """A row for project roles."""
    return Row(roles=frozenset(roles), note=note)


contribute(
    {
        "site.sign_in": Row(who="anyone"),
        "site.health": Row(who="anyone"),
        "site.openapi": Row(who="signed_in"),
        "account.self": Row(who="signed_in", note="own account, own tokens, own parked drafts"),
        "projects.list": Row(who="signed_in", note="own memberships only"),
        "projects.create": Row(who="operator"),
        "accounts.manage": Row(who="operator"),
        "site.operate": Row(who="operator", note="workers, jobs, backups; no content"),
        "project.read": row(LEAD, EXPERT, CHECKER, ANNOTATOR, VIEWER),
        "project.progress": row(LEAD, VIEWER),
        "project.edit": row(LEAD),
        "project.delete": row(LEAD),
        "members.read": row(LEAD),
        "members.edit": row(LEAD),
        "schema.read": row(LEAD, EXPERT, CHECKER, ANNOTATOR, VIEWER),
        "schema.publish": row(LEAD),
        "assets.write": row(LEAD, IMPORTER),
        "assets.list": row(LEAD, IMPORTER, note="an importer sees the assets that it uploaded"),
        "assets.file": row(
            LEAD,
            EXPERT,
            CHECKER,
            ANNOTATOR,
            VIEWER,
            note="an annotator: of items of own seats; a viewer: of accepted items",
        ),
        "imports.create": row(LEAD, IMPORTER),
        "jobs.read": row(LEAD, IMPORTER, note="an importer: own jobs"),
        "jobs.cancel": row(LEAD, IMPORTER, note="an importer: own jobs"),
        "items.list": row(LEAD),
        "items.bulk": row(LEAD),
        "tasks.read": row(LEAD),
        "batches.edit": row(LEAD),
        "claim.label": row(ANNOTATOR),
        "seat.own": row(LEAD, EXPERT, CHECKER, ANNOTATOR, note="own seat only"),
        "events.read": row(LEAD),
        "releases.read": row(LEAD, VIEWER),
        "releases.names": row(LEAD),
        "releases.create": row(LEAD),
    }
)


def membership(actor: Account | None, project_id: str) -> tuple[Project, Member]:
    """The project and the actor's active membership; NotFound to everybody else, whether or not it exists."""
    if actor is None:
        raise Unauthenticated("not_signed_in", "You are not signed in.", cure="Sign in, then try again.")
    project = sql.one(Project, "public_id = %s AND deleted_at IS NULL", [project_id])
    if project is None:
        raise NotFound()
    member = sql.one(Member, "project_id = %s AND account_id = %s AND active", [project.pk, actor.pk])
    if member is None:
        raise NotFound()
    member.account, member.project = actor, project
    return project, member


def may(actor: Account | None, action: str, member: Member | None = None) -> bool:
    """Whether the table allows it. An action without a row is denied."""
    entry = TABLE.get(action)
    if entry is None:
        return False
    if entry.who == "anyone":
        return True
    if actor is None or not actor.is_active:
        return False
    if entry.who == "signed_in":
        return True
    if entry.who == "operator":
        return actor.is_operator
    return member is not None and member.active and bool(entry.roles & set(member.roles))


def require(actor: Account | None, action: str, member: Member | None = None) -> None:
    """Raise Forbidden (or Unauthenticated) unless the table allows it."""
    if not may(actor, action, member):
        if actor is None:
            raise Unauthenticated("not_signed_in", "You are not signed in.", cure="Sign in, then try again.")
        raise Forbidden("not_allowed", "Your role in this project does not allow this.", action=action)
