"""Verbs: sign in and out. Guessing is slowed; an unknown name costs the same time and gets the same answer.

The cookie itself is the door's: it calls `sign_in`, then opens the session under a new session id.
Counting of wrong tries is kept in the memory of the one web process; a restart forgets it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from datetime import datetime

from django.conf import settings
from django.contrib.auth import authenticate

from annotator.actions.steps.accounts import PASSWORD_MAX
from annotator.actions.verb import writing
from annotator.core.errors import Invalid, Throttled
from annotator.models import Account

WINDOW_S = 60.0
KEYS_MAX = 20_000


class Tries:
    """Tries by key in the last minute; bounded, oldest keys forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, keys: list[str], limit: int) -> None:
        """Count a try under each key before it is made: parallel ones do not slip by. Raises Throttled."""
        now = time.monotonic()
        with self._lock:
            for key in keys:
                row = self._at.setdefault(key, deque())
                while row and row[0] <= now - WINDOW_S:
                    row.popleft()
                if len(row) >= limit:
                    wait = max(1, int(row[0] + WINDOW_S - now) + 1)
                    raise Throttled(
                        "too_many_tries",
                        "Too many wrong tries to sign in.",
                        cure="Wait a minute, then try again.",
                        retry_after=wait,
                    )
            for key in keys:
                self._at[key].append(now)
                self._at.move_to_end(key)
            while len(self._at) > KEYS_MAX:
                self._at.popitem(last=False)

    def forgive(self, keys: list[str]) -> None:
        """The try was right: it does not count."""
        with self._lock:
            for key in keys:
                row = self._at.get(key)
                if row:
                    row.pop()

    def clear(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._at.clear()


tries = Tries()


def sign_in(
    *, username: str, password: str, address: str, now: datetime | None = None, request: str = ""
) -> Account:
    """The account that these words belong to. Raises Throttled or Invalid("wrong_credentials").

    A deactivated account, a wrong password and an unknown name look alike.
    """
    username = Account.objects.model.normalize_username(username.strip())[:150]
    keys = [f"name {username.casefold()}", f"address {address}"]
    tries.begin(keys, settings.LOGIN_TRIES)
    found = authenticate(username=username, password=password[:PASSWORD_MAX])
    account = found if isinstance(found, Account) else None
    if account is not None:
        tries.forgive(keys)
    # One event either way, outside of the hashing: the answer's time does not tell which names exist.
    with writing(actor=account, now=now, request=request, chain="site") as w:
        if account is not None:
            w.event("site", "session.opened", account.public_id)
        else:
            known = Account.objects.filter(username=username).values_list("public_id", flat=True).first()
            w.event("site", "session.refused", known or "unknown")
    if account is None:
        raise Invalid(
            "wrong_credentials",
            "The name or the password is not right.",
            field="password",
            cure="Check both; the operator can give you a new link to set a password.",
        )
    return account


def sign_out(*, actor: Account, now: datetime | None = None, request: str = "") -> None:
    """Note that a session ended."""
    with writing(actor=actor, now=now, request=request, chain="site") as w:
        w.event("site", "session.closed", actor.public_id)
