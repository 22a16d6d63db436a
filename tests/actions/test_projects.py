"""Projects: made from templates, edited, hidden at once and removed by a job."""

from __future__ import annotations

import pytest

from annotator import access, anchors, jobs
from annotator.actions import projects
from annotator.actions.verb import Idem
from annotator.core import templates
from annotator.core.errors import Conflict, Invalid, NotFound
from annotator.core.workflow import DEFAULTS, complete
from annotator.models import Account, Item, Job, Member, Project, Revision, Task
from tests.actors import World, add, box, claim, save

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("template", templates.names())
def test_each_template_makes_a_project_that_can_be_worked_in(world: World, template: str) -> None:
    made = projects.create_project(actor=world.stranger, title="  New  one ", template=template, lead="lead")
    project = Project.objects.get(public_id=made["id"])
    assert project.title == "New one" and project.schema.number == 1 and project.workflow.number == 1
    assert project.workflow.document["format"] == 1 and set(project.workflow.document) == set(DEFAULTS)
    assert Member.objects.get(project=project).account == world.lead
    with pytest.raises(NotFound):  # whoever makes it for somebody else does not see into it
        access.membership(world.stranger, project.public_id)
    assert anchors.verify(project.public_id)[1] == []
    assert len(project.seed) == 64


def test_same_key_makes_one_project(world: World) -> None:
    idem = Idem("k", "POST /api/projects", "d")
    one = projects.create_project(actor=world.lead, title="A", idem=idem)
    assert projects.create_project(actor=world.lead, title="A", idem=idem) == one


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "A", "template": "nope"}, "template"),
        ({"title": "A", "lead": "nobody"}, "lead"),
        ({"title": "A", "workflow": {"slots": 0}}, "workflow.slots"),
        ({"title": "A", "workflow": {"slots": True}}, "workflow.slots"),
        ({"title": "A", "workflow": {"nope": 1}}, "workflow.nope"),
        ({"title": "A", "workflow": {"compare": {"iou": 2}}}, "workflow.compare.iou"),
        ({"title": "A", "workflow": {"check": {"share": "all"}}}, "workflow.check.share"),
        ({"title": "A", "schema": {"format": 1, "controls": []}}, "schema.controls"),
    ],
)
def test_bad_input_names_its_field_and_leaves_nothing(world: World, fields: dict, field: str) -> None:
    before = Project.objects.count()
    with pytest.raises(Invalid) as caught:
        projects.create_project(actor=world.lead, **fields)
    assert caught.value.field == field
    assert Project.objects.count() == before


def test_complete_keeps_the_base() -> None:
    base = complete({"slots": 3, "compare": {"iou": 0.5}})
    again = complete({"lease_s": 600}, base=base)
    assert (again["slots"], again["lease_s"], again["compare"]["iou"], again["compare"]["edge_px"]) == (
        3,
        600,
        0.5,
        2,
    )


def test_edit_makes_a_new_workflow_only_when_it_differs(world: World) -> None:
    first = world.project.workflow.number
    projects.edit_project(actor=world.lead, project=world.project, workflow={"slots": 2})
    assert Project.objects.get(pk=world.project.pk).workflow.number == first
    body = projects.edit_project(
        actor=world.lead,
        project=world.project,
        workflow={"slots": 3},
        title="Renamed",
        paused=True,
        description="d",
    )
    assert body["workflow"]["version"] == first + 1 and body["title"] == "Renamed" and body["paused"]
    with pytest.raises(Invalid) as caught:
        projects.edit_project(actor=world.lead, project=world.project, workflow={"lease_s": 1})
    assert caught.value.field == "workflow.lease_s"


def test_deleted_is_hidden_at_once_and_removed_by_the_job(world: World) -> None:
    world.item(slots=1)
    seat = claim(world, world.ann1)
    assert seat is not None
    asset = seat.task.item.item_assets.get().asset.public_id
    save(seat, [add(box(asset, 1, 1, 50, 50))], submit=True)
    with pytest.raises(Invalid):
        projects.delete_project(actor=world.lead, project=world.project, title="coins?")
    projects.delete_project(actor=world.lead, project=world.project, title="Coins")
    with pytest.raises(NotFound):
        access.membership(world.lead, world.project.public_id)
    with pytest.raises(Conflict):
        projects.delete_project(actor=world.lead, project=world.project, title="Coins")
    job = Job.objects.get(kind="delete_project")
    while (ticket := jobs.take("io")) is not None:
        jobs.run(ticket)
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"removed": 1})
    assert not Task.objects.exists() and not Item.objects.exists() and not Revision.objects.exists()
    assert Account.objects.filter(username="ann1").exists()
    _, faults = anchors.verify(world.project.public_id)  # the log stays and holds
    assert faults == []
