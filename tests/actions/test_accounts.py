"""Accounts: links that work once, throttled sign-in, passwords that end sessions, tokens shown once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from annotator.actions import accounts
from annotator.actions.sign_in import Tries, sign_in, tries
from annotator.actions.steps.accounts import open_link
from annotator.actions.verb import Idem
from annotator.core.errors import Conflict, Gone, Invalid, NotFound, Throttled
from annotator.models import Account, Event, Invitation
from tests.actors import World

pytestmark = pytest.mark.django_db
PASSWORD = "a long walk 7"


@pytest.fixture(autouse=True)
def _no_tries() -> Iterator[None]:
    tries.clear()
    yield
    tries.clear()


@pytest.fixture
def operator() -> Account:
    account, link = accounts.make_owner(username="boss")
    return accounts.redeem_reset(secret=link.rsplit("/", 1)[1], password=PASSWORD)


def verbs(chain: str = "site") -> list[str]:
    return list(Event.objects.filter(chain=chain).order_by("seq").values_list("verb", flat=True))


def test_owner_command_prints_a_link_that_works_once(client: Client) -> None:
    out = StringIO()
    call_command("owner", "boss", "--url", "https://site.example/", stdout=out)
    link = out.getvalue().strip().rsplit(" ", 1)[1]
    assert link.startswith("https://site.example/invited/")
    path = link.removeprefix("https://site.example")
    assert client.get(path).status_code == 200
    assert client.get(path).status_code == 200  # looking does not use it up
    answer = client.post(path, {"password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 302
    assert client.get("/operator").status_code == 200
    assert Client().post(path, {"password": "another walk 8", "again": "another walk 8"}).status_code == 410
    assert Account.objects.get(username="boss").check_password(PASSWORD)
    assert Invitation.objects.get().digest not in path  # the link itself is stored nowhere


def test_links_of_two_who_press_at_once_and_expired_ones(operator: Account) -> None:
    made = accounts.create_account(actor=operator, username="new")
    secret = made["link"].rsplit("/", 1)[1]
    with pytest.raises(Gone):
        accounts.redeem_reset(secret=secret, password=PASSWORD, now=timezone.now() + timedelta(hours=73))
    accounts.redeem_reset(secret=secret, password=PASSWORD)
    with pytest.raises(Gone):
        accounts.redeem_reset(secret=secret, password=PASSWORD)
    with pytest.raises(Gone):
        open_link("nonsense", timezone.now())


def test_a_new_reset_link_ends_older_ones(operator: Account) -> None:
    made = accounts.create_account(actor=operator, username="new")
    again = accounts.reset_link(actor=operator, account=accounts.find_account(made["account"]["id"]))
    with pytest.raises(Gone):
        open_link(made["link"].rsplit("/", 1)[1], timezone.now())
    open_link(again["link"].rsplit("/", 1)[1], timezone.now())


def test_a_replay_does_not_tell_the_link_again(operator: Account) -> None:
    idem = Idem("k", "POST /api/accounts", "d")
    first = accounts.create_account(actor=operator, username="new", idem=idem)
    again = accounts.create_account(actor=operator, username="new", idem=idem)
    assert first["link"] and again["link"] is None and again["account"] == first["account"]


def test_names_are_checked_and_taken_once(operator: Account) -> None:
    accounts.create_account(actor=operator, username="new")
    with pytest.raises(Conflict):
        accounts.create_account(actor=operator, username="NEW")
    for bad in ("", "a b", "x" * 151):
        with pytest.raises(Invalid):
            accounts.create_account(actor=operator, username=bad)


def test_weak_passwords_are_refused(operator: Account) -> None:
    for bad in ("short", "password123", "boss", "1" * 2000):
        with pytest.raises(Invalid) as caught:
            accounts.change_password(actor=operator, old=PASSWORD, new=bad)
        assert caught.value.field == "new"
    with pytest.raises(Invalid) as caught:
        accounts.change_password(actor=operator, old="wrong", new="another walk 8")
    assert caught.value.field == "old"


def test_deactivation_ends_tokens_links_and_sessions(operator: Account, world: World) -> None:
    accounts.create_token(actor=world.ann1, label="laptop")
    session = Client()
    session.force_login(world.ann1)
    assert session.get("/").status_code == 200
    accounts.set_active(actor=operator, account=world.ann1, active=False)
    assert not AuthToken.objects.exists()
    assert session.get("/").status_code == 302
    with pytest.raises(Conflict):
        accounts.set_active(actor=operator, account=operator, active=False)
    accounts.set_active(actor=operator, account=world.ann1, active=True)
    assert verbs()[-2:] == ["account.deactivated", "account.activated"]


def test_changing_the_password_ends_other_sessions_and_tokens(world: World) -> None:
    accounts.create_token(actor=world.ann1, label="laptop")
    here, there = Client(), Client()
    for one in (here, there):
        assert one.post("/sign-in", {"username": "ann1", "password": "password-of-ann1"}).status_code == 302
    form = {"form": "password", "old": "password-of-ann1", "new": PASSWORD, "again": PASSWORD}
    assert here.post("/profile", form).status_code == 302
    assert here.get("/profile").status_code == 200
    assert there.get("/profile").status_code == 302
    assert not AuthToken.objects.exists()


def test_tokens_are_shown_once_and_revoked_by_their_owner_only(world: World) -> None:
    made = accounts.create_token(actor=world.ann1, label="laptop", days=30)
    assert len(made["token"]) == 64
    (row,) = accounts.own_tokens(world.ann1)
    assert "token" not in accounts.token_body(row) and made["token"] not in str(accounts.token_body(row))
    with pytest.raises(NotFound):
        accounts.revoke_token(actor=world.ann2, token=made["id"])
    accounts.revoke_token(actor=world.ann1, token=made["id"])
    assert accounts.own_tokens(world.ann1) == []
    for label, days in (("", None), ("x" * 101, None), ("x", 0), ("x", 4000)):
        with pytest.raises(Invalid):
            accounts.create_token(actor=world.ann1, label=label, days=days)


def test_own_settings(world: World) -> None:
    accounts.edit_own(
        actor=world.ann1, changes={"language": "zh-hans", "theme": "dark", "keys": {"single": False}}
    )
    world.ann1.refresh_from_db()
    assert (world.ann1.language, world.ann1.theme, world.ann1.keys) == ("zh-hans", "dark", {"single": False})
    for changes in (
        {"language": "xx"},
        {"theme": "pink"},
        {"name": "x" * 151},
        {"keys": {"a": {}}},
        {"keys": {"a" * 41: "b"}},
    ):
        with pytest.raises(Invalid):
            accounts.edit_own(actor=world.ann1, changes=changes)


def test_wrong_words_look_alike(world: World) -> None:
    world.ann2.is_active = False
    world.ann2.save()
    said = []
    for name, password in (("ann1", "wrong"), ("nobody", "wrong"), ("ann2", "password-of-ann2")):
        with pytest.raises(Invalid) as caught:
            sign_in(username=name, password=password, address="10.0.0.1")
        said.append(caught.value.as_dict())
    assert said[0] == said[1] == said[2]
    assert verbs() == ["session.refused"] * 3


def test_an_unknown_name_costs_as_much_as_a_known_one(world: World, settings: pytest.FixtureRequest) -> None:
    # With a hasher that takes long enough to be measured; both must hash once.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # type: ignore[attr-defined]
    world.ann1.set_password("right password 1")
    world.ann1.save()

    def seconds(name: str) -> float:
        began = time.perf_counter()
        with pytest.raises(Invalid):
            sign_in(username=name, password="wrong", address="10.0.0.1")
        return time.perf_counter() - began

    known, unknown = min(seconds("ann1") for _ in range(2)), min(seconds("nobody") for _ in range(2))
    assert 0.4 < unknown / known < 2.5


def test_the_eleventh_wrong_try_waits_and_right_ones_do_not_count(
    world: World, settings: pytest.FixtureRequest
) -> None:
    settings.LOGIN_TRIES = 3  # type: ignore[attr-defined]
    for _ in range(5):
        sign_in(username="ann1", password="password-of-ann1", address="10.0.0.1")
    for _ in range(3):
        with pytest.raises(Invalid):
            sign_in(username="ann1", password="wrong", address="10.0.0.1")
    with pytest.raises(Throttled) as caught:
        sign_in(username="ann1", password="password-of-ann1", address="10.0.0.2")  # by account
    assert 1 <= caught.value.extra["retry_after"] <= 61
    with pytest.raises(Throttled):
        sign_in(username="ann2", password="password-of-ann2", address="10.0.0.1")  # by address
    sign_in(username="ann2", password="password-of-ann2", address="10.0.0.3")


def test_tries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotator.actions.sign_in.KEYS_MAX", 10)
    counter = Tries()
    for n in range(100):
        counter.begin([f"name {n}"], 3)
    assert len(counter._at) == 10
