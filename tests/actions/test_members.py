"""Members: roles act at once, the last lead stays, invitations work once, seats of who leaves are freed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotator import access
from annotator.actions import members
from annotator.core.errors import Conflict, Gone, Invalid, NotFound
from annotator.models import Account, Assignment, Event, Member, Task
from tests.actors import World, claim

pytestmark = pytest.mark.django_db


def test_add_change_remove(world: World) -> None:
    body = members.add_member(
        actor=world.lead, project=world.project, username="stranger", roles=["viewer", "expert"], team="North"
    )
    assert body["roles"] == ["expert", "viewer"] and body["team"] == "North"
    with pytest.raises(Conflict):
        members.add_member(actor=world.lead, project=world.project, username="stranger", roles=["viewer"])
    stranger = world.stranger.public_id
    body = members.change_member(
        actor=world.lead, project=world.project, account=stranger, roles=["annotator"], team=""
    )
    assert body["roles"] == ["annotator"] and body["team"] is None
    _, member = access.membership(world.stranger, world.project.public_id)
    assert access.may(world.stranger, "claim.label", member) and not access.may(
        world.stranger, "disputes.decide", member
    )
    members.remove_member(actor=world.lead, project=world.project, account=stranger)
    with pytest.raises(NotFound):
        access.membership(world.stranger, world.project.public_id)
    members.add_member(actor=world.lead, project=world.project, username="stranger", roles=["viewer"])
    assert Member.objects.filter(project=world.project, account=world.stranger).count() == 1
    chain = Event.objects.filter(chain=world.project.public_id).order_by("seq").values_list("verb", flat=True)
    assert list(chain) == ["member.added", "member.changed", "member.removed", "member.added"]


@pytest.mark.parametrize("roles", [[], ["boss"], "lead", [1]])
def test_bad_roles(world: World, roles: object) -> None:
    with pytest.raises(Invalid) as caught:
        members.add_member(actor=world.lead, project=world.project, username="stranger", roles=roles)  # type: ignore[arg-type]
    assert caught.value.field == "roles"


def test_unknown_account_is_said_beside_the_field(world: World) -> None:
    with pytest.raises(Invalid) as caught:
        members.add_member(actor=world.lead, project=world.project, username="nobody", roles=["viewer"])
    assert caught.value.field == "username"


def test_the_last_lead_cannot_leave_nor_give_the_role_away(world: World) -> None:
    lead = world.lead.public_id
    with pytest.raises(Conflict):
        members.remove_member(actor=world.lead, project=world.project, account=lead)
    with pytest.raises(Conflict):
        members.change_member(actor=world.lead, project=world.project, account=lead, roles=["viewer"])
    members.change_member(
        actor=world.lead, project=world.project, account=world.ann1.public_id, roles=["lead", "annotator"]
    )
    members.change_member(actor=world.lead, project=world.project, account=lead, roles=["viewer"])
    Account.objects.filter(pk=world.lead.pk).update(is_active=False)
    with pytest.raises(Conflict):  # a deactivated lead does not count
        members.remove_member(actor=world.ann1, project=world.project, account=world.ann1.public_id)


def test_who_leaves_frees_the_seat(world: World) -> None:
    task = world.item()
    seat = claim(world, world.ann1)
    assert seat is not None and Task.objects.get(pk=task.pk).n_taken == 1
    members.remove_member(actor=world.lead, project=world.project, account=world.ann1.public_id)
    assert Task.objects.get(pk=task.pk).n_taken == 0
    assert Assignment.objects.get(pk=seat.pk).state == "lost", "what was saved is there if the person comes back"


def test_invitation_for_a_new_person_works_once(world: World) -> None:
    made = members.invite(actor=world.lead, project=world.project, roles=["annotator"])
    secret = made["url"].rsplit("/", 1)[1]
    browser = Client()
    page = browser.get(made["url"])
    assert page.status_code == 200 and b"Coins" in page.content
    form = {"username": "fresh", "name": "Fresh", "password": "a long walk 7", "again": "a long walk 8"}
    assert browser.post(made["url"], form).status_code == 400  # the two differ; nothing is used up
    form["again"] = form["password"]
    assert browser.post(made["url"], form).status_code == 302
    assert b"Coins" in browser.get("/").content
    with pytest.raises(Gone):
        members.accept_invitation(actor=world.stranger, secret=secret)
    assert Member.objects.get(account__username="fresh").roles == ["annotator"]


def test_invitation_for_a_member_adds_the_roles(world: World) -> None:
    made = members.invite(actor=world.lead, project=world.project, roles=["expert"])
    members.accept_invitation(actor=world.ann1, secret=made["url"].rsplit("/", 1)[1])
    assert Member.objects.get(account=world.ann1).roles == ["expert", "annotator"]


def test_invitations_expire_and_can_be_withdrawn(world: World) -> None:
    made = members.invite(actor=world.lead, project=world.project, roles=["viewer"], hours=1)
    secret = made["url"].rsplit("/", 1)[1]
    with pytest.raises(Gone):
        members.accept_invitation(
            actor=world.stranger, secret=secret, now=timezone.now() + timedelta(hours=2)
        )
    members.withdraw_invitation(actor=world.lead, project=world.project, invitation=made["id"])
    with pytest.raises(Gone):
        members.accept_invitation(actor=world.stranger, secret=secret)
    with pytest.raises(NotFound):
        members.withdraw_invitation(actor=world.lead, project=world.project, invitation=made["id"])
    with pytest.raises(Invalid):
        members.invite(actor=world.lead, project=world.project, roles=["viewer"], hours=0)


def test_a_weak_password_leaves_no_half_account(world: World) -> None:
    made = members.invite(actor=world.lead, project=world.project, roles=["annotator"])
    with pytest.raises(Invalid):
        members.accept_invitation(
            actor=None, secret=made["url"].rsplit("/", 1)[1], username="fresh", password="short"
        )
    assert not Account.objects.filter(username="fresh").exists()
