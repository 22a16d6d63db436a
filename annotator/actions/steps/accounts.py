"""Steps and checks on accounts that verbs of several files share. Steps demand an open transaction."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from annotator.actions.steps.links import link_digest, link_gone
from annotator.actions.verb import Writing
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account, Invitation

USERNAME = re.compile(r"[\w.@+-]{1,150}\Z")
PASSWORD_MAX = 1000  # longer ones are not hashed: hashing megabytes is work for nothing


def check_username(username: str) -> str:
    """The normalised name. Raises Invalid."""
    name = Account.objects.model.normalize_username(username.strip())
    if not USERNAME.match(name):
        raise Invalid(
            "bad_username", "A user name has 1 to 150 letters, digits or one of . @ + - _.", field="username"
        )
    return name


def check_password(password: str, account: Account) -> None:
    """Raises Invalid("weak_password") unless the site's rules are met."""
    if len(password) > PASSWORD_MAX:
        raise Invalid("weak_password", "A password has at most 1000 characters.", field="password")
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise Invalid(
            "weak_password",
            "This password is too easy to guess.",
            field="password",
            cure="Take at least 10 characters that are not a common password and not like your name.",
            reasons=[str(code) for code in (one.code for one in error.error_list)],
        ) from error


def store_account(w: Writing, username: str, name: str, **fields: Any) -> Account:
    """Step: a new account. Raises Conflict when the name is taken."""
    username = check_username(username)
    if Account.objects.filter(username__iexact=username).exists():
        raise Conflict("name_taken", "This user name is taken.", field="username", cure="Choose another.")
    return Account.objects.create_user(username, None, name=name.strip()[:150], **fields)


def open_link(secret: str, now: datetime) -> Invitation:
    """The unused link behind a secret. Raises Gone."""
    row = (
        Invitation.objects.select_related("project", "account", "made_by")
        .filter(digest=link_digest(secret), used_at=None, expires_at__gt=now)
        .first()
    )
    if row is None or (row.project is not None and row.project.deleted_at is not None):
        raise link_gone()
    if row.account is not None and not row.account.is_active:
        raise link_gone()
    return row
