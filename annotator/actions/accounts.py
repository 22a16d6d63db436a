"""Verbs on accounts: make, deactivate, reset, set a password, own settings, own API tokens.

Links and tokens are shown once: a replay with the same idempotency key gets the answer without the secret.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from knox.models import AuthToken

from annotator.actions.steps.accounts import (
    PASSWORD_MAX,
    check_password,
    check_username,
    open_link,
    store_account,
)
from annotator.actions.steps.links import link_gone, make_link, use_link
from annotator.actions.verb import Idem, Writing, iso, writing
from annotator.core.errors import Conflict, Invalid, NotFound
from annotator.models import Account, Invitation, TokenName

LANGUAGES = ("", "en", "zh-hans")
THEMES = ("", "light", "dark", "contrast")
RESET_HOURS = 72
TOKENS_MAX = 50


def account_body(account: Account) -> dict[str, Any]:
    """An account as its owner and the operator see it."""
    return {
        "id": account.public_id,
        "username": account.username,
        "name": account.name,
        "active": account.is_active,
        "operator": account.is_operator,
        "language": account.language,
        "theme": account.theme,
        "keys": account.keys,
    }


def create_account(
    *,
    actor: Account,
    username: str,
    name: str = "",
    operator: bool = False,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """An account without a password and the single-use link by which its owner sets one: {account, link}."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        account = store_account(w, username, name, is_operator=operator)
        row, secret = make_link(w, made_by=actor, hours=RESET_HOURS, account=account)
        w.event("site", "account.created", account.public_id, data={"operator": operator})
        body = {"account": account_body(account), "link": None, "expires_at": iso(row.expires_at)}
        w.answer(body, 201)
        return {**body, "link": f"/invited/{secret}"}


def make_owner(*, username: str, now: datetime | None = None) -> tuple[Account, str]:
    """The operator account that the command line makes (or lets in again): (account, link)."""
    with writing(actor=None, now=now) as w:
        account = Account.objects.filter(username=check_username(username)).first()
        if account is None:
            account = store_account(w, username, "", is_operator=True)
            w.event("site", "account.created", account.public_id, data={"operator": True, "by": "command"})
        elif not account.is_operator or not account.is_active:
            Account.objects.filter(pk=account.pk).update(is_operator=True, is_active=True)
            w.event("site", "account.made_operator", account.public_id, data={"by": "command"})
        _, secret = make_link(w, made_by=account, hours=RESET_HOURS, account=account)
        w.event("site", "account.reset_link", account.public_id, data={"by": "command"})
        return account, f"/invited/{secret}"


def find_account(public_id: str) -> Account:
    """Raises NotFound."""
    account = Account.objects.filter(public_id=public_id).first()
    if account is None:
        raise NotFound()
    return account


def reset_link(
    *,
    actor: Account,
    account: Account,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """A new link to set a password; older ones of the account stop working."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        Invitation.objects.filter(account=account, used_at=None).update(expires_at=w.now)
        row, secret = make_link(w, made_by=actor, hours=RESET_HOURS, account=account)
        w.event("site", "account.reset_link", account.public_id)
        body = {"account": account.public_id, "link": None, "expires_at": iso(row.expires_at)}
        w.answer(body, 201)
        return {**body, "link": f"/invited/{secret}"}


def set_active(
    *, actor: Account, account: Account, active: bool, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """Deactivate (tokens and links end at once, sessions with the next request) or let in again."""
    with writing(actor=actor, now=now, request=request) as w:
        if account.pk == actor.pk and not active:
            raise Conflict(
                "own_account", "You cannot deactivate your own account.", cure="Ask another operator."
            )
        if Account.objects.filter(pk=account.pk).exclude(is_active=active).update(is_active=active):
            if not active:
                AuthToken.objects.filter(user=account).delete()
                Invitation.objects.filter(account=account, used_at=None).update(expires_at=w.now)
                Invitation.objects.filter(made_by=account, used_at=None, expires_at__gt=w.now).update(
                    expires_at=w.now
                )
            w.event("site", "account.activated" if active else "account.deactivated", account.public_id)
        account.is_active = active
        return w.answer({"account": account_body(account)})


def _store_password(w: Writing, account: Account, hashed: str) -> None:
    account.password = hashed
    account.save(update_fields=["password"])
    # Sessions carry a digest of the password and end by themselves; tokens do not.
    AuthToken.objects.filter(user=account).delete()
    w.event("site", "account.password_set", account.public_id)


def redeem_reset(*, secret: str, password: str, now: datetime | None = None, request: str = "") -> Account:
    """Set the password of the link's account; its other sessions and its tokens end. Raises Gone, Invalid."""
    hashed = make_password(password[:PASSWORD_MAX])  # slow by design: outside of the write
    with writing(actor=None, now=now, request=request) as w:
        row = open_link(secret, w.now)
        if row.account is None:
            raise link_gone()
        check_password(password, row.account)
        use_link(w, row, row.account)
        w.actor = row.account
        _store_password(w, row.account, hashed)
        return row.account


def change_password(
    *, actor: Account, old: str, new: str, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """Raises Invalid with the field. Other sessions and all tokens of the account end."""
    right = actor.check_password(old[:PASSWORD_MAX])  # hashing is slow by design: outside of the write
    hashed = make_password(new[:PASSWORD_MAX])
    with writing(actor=actor, now=now, request=request) as w:
        if not right:
            raise Invalid("wrong_password", "The present password is not right.", field="old")
        try:
            check_password(new, actor)
        except Invalid as error:
            error.field = "new"
            raise
        _store_password(w, actor, hashed)
        return w.answer({"changed": True})


def edit_own(
    *, actor: Account, changes: dict[str, Any], now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """Own name, language, theme and keys. Raises Invalid with the field."""
    with writing(actor=actor, now=now, request=request) as w:
        if changes.get("language", "") not in LANGUAGES:
            raise Invalid("unknown_language", "This language is not known here.", field="language")
        if changes.get("theme", "") not in THEMES:
            raise Invalid("unknown_theme", "This theme is not known here.", field="theme")
        if len(changes.get("name", "")) > 150:
            raise Invalid("too_long", "This text is too long.", field="name", limit=150)
        keys = changes.get("keys")
        if keys is not None and not (
            isinstance(keys, dict)
            and len(keys) <= 200
            and all(len(k) <= 40 and isinstance(v, bool | str) and len(str(v)) <= 40 for k, v in keys.items())
        ):
            raise Invalid("bad_keys", "Keys are a flat list of short names.", field="keys")
        fields = [name for name in ("name", "language", "theme", "keys") if name in changes]
        for name in fields:
            setattr(actor, name, changes[name])
        if fields:
            actor.save(update_fields=fields)
            w.event("site", "account.edited", actor.public_id, data={"fields": sorted(fields)})
        return w.answer({"account": account_body(actor)})


def token_body(naming: TokenName) -> dict[str, Any]:
    """A token as its owner sees it later: never the secret."""
    token = naming.token
    return {
        "id": naming.public_id,
        "label": naming.label,
        "begins": token.token_key[:6],
        "created_at": iso(token.created),
        "expires_at": iso(token.expiry),
    }


def own_tokens(actor: Account) -> list[TokenName]:
    """Newest first."""
    return list(
        TokenName.objects.select_related("token").filter(token__user=actor).order_by("-token__created")
    )


def create_token(
    *,
    actor: Account,
    label: str,
    days: int | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"id", "label", "token"}: the token is shown once. Raises Invalid, Conflict."""
    label = label.strip()
    if not 1 <= len(label) <= 100:
        raise Invalid("bad_label", "A token's name has 1 to 100 characters.", field="label")
    if days is not None and not 1 <= days <= 3650:
        raise Invalid(
            "out_of_range", "This number is outside its range.", field="days", lowest=1, highest=3650
        )
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        if AuthToken.objects.filter(user=actor).count() >= TOKENS_MAX:
            raise Conflict(
                "too_many_tokens", "This account has as many tokens as it may have.", cure="Revoke one first."
            )
        row, secret = AuthToken.objects.create(actor, expiry=timedelta(days=days) if days else None)
        naming = TokenName.objects.create(token=row, label=label)
        w.event("site", "token.created", naming.public_id)
        body = {**token_body(naming), "token": None}
        w.answer(body, 201)
        return {**body, "token": secret}


def revoke_token(
    *, actor: Account, token: str, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """The own token ends at once. Raises NotFound."""
    with writing(actor=actor, now=now, request=request) as w:
        naming = TokenName.objects.select_related("token").filter(public_id=token, token__user=actor).first()
        if naming is None:
            raise NotFound()
        naming.token.delete()
        w.event("site", "token.revoked", token)
        return w.answer({"revoked": token})
