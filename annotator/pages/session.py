"""Pages: sign in and out, links (invitations and resets), profile, and the look of the pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from annotator.actions import accounts, members, sign_in
from annotator.actions.steps.accounts import open_link
from annotator.api.errors import status_of
from annotator.api.session import address_of, open_session
from annotator.core.errors import ConcordError, Invalid
from annotator.pages.base import Page, field_errors
from annotator.pages.context import THEMES

YEAR_S = 365 * 86400


def safe_next(request: HttpRequest, fallback: str = "/") -> str:
    """Where to go on, only within this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    good = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if good and wanted.startswith("/") else fallback


class SignIn(Page):
    """The sign-in form."""

    actions: ClassVar[dict[str, str]] = {"GET": "site.sign_in", "POST": "site.sign_in"}
    public = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form; the desk for whoever is signed in already."""
        if self.actor is not None:
            return redirect(safe_next(request))
        return self.show("sign_in.html", next=safe_next(request), errors={}, username="")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Open a session under a new id, or say what is wrong."""
        username = request.POST.get("username", "")
        try:
            account = sign_in.sign_in(
                username=username,
                password=request.POST.get("password", ""),
                address=address_of(request),
                request=self.request_id,
            )
        except ConcordError as error:
            answer = self.show(
                "sign_in.html",
                status=status_of(error),
                next=safe_next(request),
                username=username,
                errors=field_errors(error, {"username", "password"}),
            )
            if "retry_after" in error.extra:
                answer.headers["Retry-After"] = str(error.extra["retry_after"])
            return answer
        open_session(request, account)
        return redirect(safe_next(request))


class SignOut(Page):
    """Ends the session; the page's script wipes what the browser keeps before it posts here."""

    actions: ClassVar[dict[str, str]] = {"POST": "account.self"}

    def post(self, request: HttpRequest) -> HttpResponse:
        """To the sign-in page."""
        assert self.actor
        sign_in.sign_out(actor=self.actor, request=self.request_id)
        logout(request)
        # No Clear-Site-Data: it would also wipe what another account of this browser has not sent yet.
        return redirect("sign-in")


class Look(Page):
    """Language and theme, for the account or, before signing in, for the browser."""

    actions: ClassVar[dict[str, str]] = {"POST": "site.sign_in"}
    public = True

    def post(self, request: HttpRequest) -> HttpResponse:
        """Back to where the reader was."""
        changes = {}
        if request.POST.get("language") in ("en", "zh-hans"):
            changes["language"] = request.POST["language"]
        if request.POST.get("theme") in ("", *THEMES):
            changes["theme"] = request.POST["theme"]
        answer = redirect(safe_next(request))
        if self.actor is not None:
            accounts.edit_own(actor=self.actor, changes=changes, request=self.request_id)
        if "language" in changes:
            answer.set_cookie(
                "django_language",
                changes["language"],
                max_age=YEAR_S,
                samesite="Lax",
                secure=request.is_secure(),
            )
        if "theme" in changes:
            answer.set_cookie(
                "concord_theme", changes["theme"], max_age=YEAR_S, samesite="Lax", secure=request.is_secure()
            )
        return answer


class Invited(Page):
    """A single-use link: join a project, or set a password."""

    actions: ClassVar[dict[str, str]] = {"GET": "site.sign_in", "POST": "site.sign_in"}
    public = True

    def _form(self, secret: str, errors: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
        link = open_link(secret, timezone.now())
        answer = self.show(
            "invited.html",
            status=status,
            link=link,
            errors=errors or {},
            username=self.request.POST.get("username", ""),
            name=self.request.POST.get("name", ""),
            secret=secret,
        )
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        """What the link does, and its form. Reading does not use it up."""
        return self._form(secret)

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Use the link; then signed in."""
        link = open_link(secret, timezone.now())
        password = request.POST.get("password", "")
        try:
            asked = link.project is None or self.actor is None
            if asked and password != request.POST.get("again", ""):
                raise Invalid("passwords_differ", "The two passwords differ.", field="again")
            if link.project is None:
                account = accounts.redeem_reset(secret=secret, password=password, request=self.request_id)
                open_session(request, account)
                return redirect("desk")
            account, project = members.accept_invitation(
                actor=self.actor,
                secret=secret,
                username=request.POST.get("username", ""),
                name=request.POST.get("name", ""),
                password=password,
                request=self.request_id,
            )
        except ConcordError as error:
            if error.code == "link_gone":
                raise
            return self._form(
                secret, field_errors(error, {"username", "name", "password", "again"}), status_of(error)
            )
        if self.actor is None:
            open_session(request, account)
        messages.success(request, _("You are now a member of “%(project)s”.") % {"project": project.title})
        return redirect("desk")


class Profile(Page):
    """Own name, language, theme, keys, password and tokens."""

    actions: ClassVar[dict[str, str]] = {"GET": "account.self", "POST": "account.self"}

    def _page(self, status: int = 200, **more: Any) -> HttpResponse:
        assert self.actor
        return self.show(
            "profile.html", status=status, **{"errors": {}, "tokens": accounts.own_tokens(self.actor), **more}
        )

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """One of its forms, by the button's name."""
        assert self.actor
        form = request.POST.get("form", "")
        try:
            if form == "settings":
                keys = {**self.actor.keys, "single": "single" in request.POST}
                accounts.edit_own(
                    actor=self.actor,
                    request=self.request_id,
                    changes={
                        "name": request.POST.get("name", "").strip(),
                        "language": request.POST.get("language", ""),
                        "theme": request.POST.get("theme", ""),
                        "keys": keys,
                    },
                )
                translation.activate(self.actor.language or request.LANGUAGE_CODE)  # type: ignore[attr-defined]
                messages.success(request, _("Your settings are saved."))
            elif form == "password":
                if request.POST.get("new", "") != request.POST.get("again", ""):
                    raise Invalid("passwords_differ", "The two passwords differ.", field="again")
                accounts.change_password(
                    actor=self.actor,
                    old=request.POST.get("old", ""),
                    new=request.POST.get("new", ""),
                    request=self.request_id,
                )
                update_session_auth_hash(request, self.actor)
                messages.success(
                    request, _("Your password is changed. Your other sessions and your tokens have ended.")
                )
            elif form == "token":
                days = request.POST.get("days", "")
                made = accounts.create_token(
                    actor=self.actor,
                    label=request.POST.get("label", ""),
                    days=int(days) if days.isdecimal() and len(days) < 7 else None,
                    request=self.request_id,
                )
                # Shown in this answer only: a redirect would have to store the secret somewhere.
                return self._page(token=made)
            elif form == "revoke":
                accounts.revoke_token(
                    actor=self.actor, token=request.POST.get("token", ""), request=self.request_id
                )
                messages.success(request, _("The token is revoked."))
        except ConcordError as error:
            known = {"name", "language", "theme", "old", "new", "again", "label"}
            return self._page(status=status_of(error), errors=field_errors(error, known))
        return redirect("profile")


urlpatterns = [
    path("sign-in", never_cache(SignIn.as_view()), name="sign-in"),
    path("sign-out", SignOut.as_view(), name="sign-out"),
    path("look", Look.as_view(), name="look"),
    path("invited/<str:secret>", Invited.as_view(), name="invited"),
    path("profile", Profile.as_view(), name="profile"),
]
