"""Steps: single-use links (invitations, password resets). Only a digest of a link is stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from annotator.actions.verb import Writing
from annotator.core.errors import Gone
from annotator.models import Account, Invitation, Project


def link_digest(secret: str) -> str:
    """What is stored of a link."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_link(
    w: Writing,
    *,
    made_by: Account,
    hours: int,
    project: Project | None = None,
    roles: list[str] | None = None,
    account: Account | None = None,
) -> tuple[Invitation, str]:
    """A new link: (row, secret). The secret is shown once and never stored."""
    secret = secrets.token_urlsafe(24)
    row = Invitation.objects.create(
        digest=link_digest(secret),
        project=project,
        roles=roles or [],
        account=account,
        made_by=made_by,
        expires_at=w.now + timedelta(hours=hours),
    )
    return row, secret


def use_link(w: Writing, row: Invitation, by: Account) -> None:
    """Mark the link as used; of two who use it at once, one is told. Raises Gone."""
    changed = Invitation.objects.filter(pk=row.pk, used_at=None, expires_at__gt=w.now).update(
        used_at=w.now, used_by=by
    )
    if not changed:
        raise link_gone()


def link_gone() -> Gone:
    """The answer for a link that is used, expired or unknown: they look alike."""
    return Gone(
        "link_gone",
        "This link was used already, has expired or never was.",
        cure="Ask whoever gave it to you for a new one.",
    )
