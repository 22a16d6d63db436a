"""Arbiters, checkers, judges and comparing workers at the same moment, as threads with connections of their
own.

A process of its own on a database of its own (CONCORD_DATA), so that nothing of pytest's transactions is in
the way. Usage: python -m tests.actions.judges; prints the names of the scenarios that held, or ends with the
first assertion.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "annotator.site.settings"
os.environ["CONCORD_GRACE_S"] = "0"
os.environ["CONCORD_FAST_PASSWORDS"] = "1"

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from annotator import news  # noqa: E402
from annotator.actions.seat_verbs import sweep  # noqa: E402
from annotator.core.errors import ConcordError  # noqa: E402
from annotator.models import AcceptedDocument, Account, Assignment, Event, Member, Task  # noqa: E402
from annotator.queries.work import seat_of  # noqa: E402
from review.actions.decide_dispute import decide_dispute  # noqa: E402
from review.actions.judge_lot import judge_member  # noqa: E402
from review.actions.make_lot import commit_lot, freeze_lot  # noqa: E402
from review.actions.return_dispute import return_dispute  # noqa: E402
from review.actions.settle_check import settle_check  # noqa: E402
from review.models import Agreement, CheckOutcome, Dispute, Lot, LotMember, Verdict  # noqa: E402
from tests.actors import World, add, box, claim, make_world  # noqa: E402
from tests.review_world import answer, compare, label_both  # noqa: E402
from tests.template import ready  # noqa: E402


def fresh_world(**workflow: Any) -> World:
    """A project of its own; the people of the one before keep their rows under other names."""
    for account in Account.objects.exclude(username__startswith="old-"):
        Account.objects.filter(pk=account.pk).update(username=f"old-{account.pk}-{account.username}")
    return make_world(**workflow)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run the actions in threads of their own behind a barrier; answers, or the error a thread ended with."""
    barrier = threading.Barrier(len(actions))
    said: list[Any] = [None] * len(actions)

    def run(index: int) -> None:
        try:
            barrier.wait()
            said[index] = actions[index]()
        except ConcordError as error:
            said[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return said


def second(world: World, role: str) -> Account:
    account = Account.objects.create_user(f"second-{role}", "x")
    Member.objects.create(project=world.project, account=account, roles=[role], joined_at=timezone.now())
    return account


def one_dispute_two_arbiters() -> None:
    world = fresh_world()
    other = second(world, "expert")
    for _ in range(3):
        world.item()
        label_both(world, [(10, 10, 60, 60)], [])
        compare()
        seats = at_once(
            lambda: claim(world, world.expert, "arbitrate"), lambda: claim(world, other, "arbitrate")
        )
        held = [seat for seat in seats if isinstance(seat, Assignment)]
        assert len(held) == 1 and seats.count(None) == 1
        (seat,) = held
        dispute = Dispute.objects.get(task=seat.task)
        decisions = [{"difference": row.public_id, "choice": "none"} for row in dispute.differences.all()]

        def decide(dispute: Dispute = dispute, seat: Assignment = seat, decisions: list = decisions) -> Any:
            return decide_dispute(actor=seat.account, dispute=dispute, token=seat.token, decisions=decisions)

        def give_back(dispute: Dispute = dispute, seat: Assignment = seat) -> Any:
            return return_dispute(
                actor=seat.account, dispute=dispute, token=seat.token, sides=["A"], error_type="missed"
            )

        said = at_once(decide, decide, give_back)
        assert sum(isinstance(entry, dict) for entry in said) == 1
        assert {entry.code for entry in said if isinstance(entry, ConcordError)} == {"already_answered"}
        Task.objects.filter(state="returned").update(state="set_aside")
    moved = Event.objects.filter(verb__in=("dispute.decided", "dispute.returned")).count()
    assert moved == 3 == Dispute.objects.exclude(state="open").count()
    assert Verdict.objects.count() == Dispute.objects.filter(state="decided").count()


def one_check_answered_twice() -> None:
    world = fresh_world(slots=1, check={"share": 1.0})
    task = world.item()
    asset = task.item.item_assets.get().asset.public_id
    answer(world, world.ann1, [add(box(asset, 10, 10, 60, 60))])
    compare()
    seat = claim(world, world.checker, "check")
    assert seat is not None

    def settle(outcome: str) -> Any:
        fresh = seat_of(world.checker, seat.public_id)
        assert fresh is not None
        return settle_check(
            actor=world.checker,
            seat=fresh,
            token=seat.token,
            outcome=outcome,
            error_type="missed" * (outcome == "return"),
        )

    said = at_once(lambda: settle("pass"), lambda: settle("return"), lambda: settle("pass"))
    assert sum(isinstance(entry, dict) for entry in said) == 1
    assert CheckOutcome.objects.filter(project=world.project).count() == 1
    assert AcceptedDocument.objects.filter(task__project=world.project).count() <= 1


def one_member_judged_by_two_and_two_lots_frozen_at_once() -> None:
    world = fresh_world(slots=1)
    for _ in range(4):
        task = world.item()
        asset = task.item.item_assets.get().asset.public_id
        answer(world, world.ann1, [add(box(asset, 10, 10, 60, 60))])
    compare()
    lots = []
    for name in ("one", "two"):
        made = commit_lot(actor=world.lead, project=world.project, name=name, share="1", quality="0.9")
        lots.append(Lot.objects.select_related("project").get(public_id=made["id"]))
    said = at_once(*[lambda lot=lot: freeze_lot(actor=world.lead, lot=lot) for lot in lots])
    assert sum(isinstance(entry, dict) for entry in said) == 1
    assert LotMember.objects.count() == 4
    member = LotMember.objects.select_related("lot__project", "task").first()
    assert member is not None
    said = at_once(
        lambda: judge_member(actor=world.checker, member=member, verdict="right"),
        lambda: judge_member(
            actor=world.expert, member=member, verdict="wrong", severity="A", error_type="missed"
        ),
    )
    assert sum(isinstance(entry, dict) for entry in said) == 1
    assert Event.objects.filter(verb="lot.judged").count() == 1


def two_workers_compare_the_same_news() -> None:
    world = fresh_world()
    for _ in range(4):
        world.item()
        label_both(world, [(10, 10, 60, 60)], [])
    sweep()
    at_once(news.tick, news.tick)
    assert Dispute.objects.filter(project=world.project).count() == 4
    assert Task.objects.filter(project=world.project, state="disputed").count() == 4
    assert Agreement.objects.filter(project=world.project).count() == 16
    assert Event.objects.filter(chain=world.project.public_id, verb="task.disputed").count() == 4


def main() -> None:
    """All scenarios, in order."""
    ready()
    for scenario in (
        one_dispute_two_arbiters,
        one_check_answered_twice,
        one_member_judged_by_two_and_two_lots_frozen_at_once,
        two_workers_compare_the_same_news,
    ):
        scenario()
        print(scenario.__name__, flush=True)


if __name__ == "__main__":
    main()
