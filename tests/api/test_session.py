"""/api/session, /api/account, /api/tokens: cookie and token, throttled, rotated, revoked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from rest_framework.test import APIClient

from annotator.actions.sign_in import tries
from annotator.models import Event
from tests.actors import World, api

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_tries() -> Iterator[None]:
    tries.clear()
    yield
    tries.clear()


def sign(client: APIClient, name: str, password: str) -> object:
    return client.post("/api/session", {"username": name, "password": password}, format="json")


def test_sign_in_tell_sign_out(world: World) -> None:
    client = APIClient()
    assert client.get("/api/session").status_code == 401
    answer = sign(client, "ann1", "password-of-ann1")
    assert answer.status_code == 200 and answer.json()["account"]["username"] == "ann1"  # type: ignore[attr-defined]
    assert client.get("/api/session").json()["account"]["id"] == world.ann1.public_id
    assert client.delete("/api/session").status_code == 204
    assert client.get("/api/session").status_code == 401
    assert list(Event.objects.filter(chain="site").values_list("verb", flat=True)) == [
        "session.opened",
        "session.closed",
    ]


def test_the_session_id_rotates(world: World) -> None:
    client = APIClient()
    client.get("/sign-in")
    sign(client, "ann1", "password-of-ann1")
    first = client.cookies["concord_session"].value
    sign(client, "ann1", "password-of-ann1")
    assert client.cookies["concord_session"].value != first


def test_wrong_words_and_throttle(world: World, settings: pytest.FixtureRequest) -> None:
    settings.LOGIN_TRIES = 2  # type: ignore[attr-defined]
    client = APIClient()
    one, two = sign(client, "ann1", "wrong"), sign(client, "nobody", "wrong")
    assert one.status_code == 400 and one.json() == two.json()  # type: ignore[attr-defined]
    late = sign(client, "ann1", "password-of-ann1")
    assert late.status_code == 429 and late.json()["error"]["code"] == "too_many_tries"  # type: ignore[attr-defined]
    assert 1 <= int(late.headers["Retry-After"]) <= 61  # type: ignore[attr-defined]
    page = Client().post("/sign-in", {"username": "ann1", "password": "password-of-ann1"})
    assert page.status_code == 429 and "Retry-After" in page.headers  # the page and the API count together


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "a"},
        {"username": 1, "password": "x"},
        {"username": "a", "password": "b", "c": 1},
        [1],
    ],
)
def test_bad_bodies(world: World, body: object) -> None:
    answer = APIClient().post("/api/session", body, format="json")
    assert answer.status_code == 400 and answer.json()["error"]["code"]


def test_a_session_needs_its_csrf_token(world: World) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(world.ann1)
    answer = client.post("/api/tokens", {"label": "x"}, format="json")
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "csrf"


def test_tokens(world: World) -> None:
    client = api(world.ann1)
    made = client.post("/api/tokens", {"label": "laptop", "days": 30}, format="json")
    assert made.status_code == 201
    token, token_id = made.json()["token"], made.json()["id"]
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert program.get("/api/session").json()["account"]["username"] == "ann1"
    listed = program.get("/api/tokens").json()["results"]
    assert [row["id"] for row in listed] == [token_id] and "token" not in listed[0]
    assert api(world.ann2).delete(f"/api/tokens/{token_id}").status_code == 404
    assert program.delete(f"/api/tokens/{token_id}").status_code == 204
    assert program.get("/api/session").status_code == 401
    assert client.post("/api/tokens", {"label": ""}, format="json").json()["error"]["field"] == "label"


def test_a_replayed_token_is_not_told_again(world: World) -> None:
    client = api(world.ann1)
    send = {"path": "/api/tokens", "data": {"label": "x"}, "format": "json", "HTTP_IDEMPOTENCY_KEY": "k1"}
    assert client.post(**send).json()["token"]
    assert client.post(**send).json()["token"] is None
    assert len(client.get("/api/tokens").json()["results"]) == 1


def test_own_account_and_password(world: World) -> None:
    client = APIClient()
    sign(client, "ann1", "password-of-ann1")
    answer = client.patch("/api/account", {"language": "zh-hans", "keys": {"single": False}}, format="json")
    assert answer.json()["account"]["language"] == "zh-hans"
    assert client.patch("/api/account", {"theme": "pink"}, format="json").status_code == 400
    assert client.patch("/api/account", {"is_operator": True}, format="json").status_code == 400
    words = {"old": "password-of-ann1", "new": "a long walk 7"}
    assert client.post("/api/account/password", words, format="json").status_code == 200
    assert client.get("/api/session").status_code == 200


def test_pages_carry_a_strict_policy_and_nothing_inline(world: World) -> None:
    client = Client()
    for path in ("/sign-in", "/"):
        page = client.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'self'" in policy
        text = page.content.decode()
        assert "style=" not in text and "onclick" not in text and "<style" not in text
        client.force_login(world.lead)


def test_next_stays_on_this_site(world: World) -> None:
    for wanted, to in (("https://evil.example/", "/"), ("//evil.example", "/"), ("/profile", "/profile")):
        answer = Client().post(
            "/sign-in", {"username": "ann1", "password": "password-of-ann1", "next": wanted}
        )
        assert answer.headers["Location"] == to
