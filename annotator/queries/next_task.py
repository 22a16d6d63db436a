"""Reads: the next task of the queue for one person. The claim takes it, the desk says whether there is one."""

from __future__ import annotations

from typing import Any

from annotator import sql
from annotator.models import Member, Project, Task
from annotator.queries.versions import workflow_version


def _open_batches(project: Project, member: Member) -> list[int] | None:
    """Batches this member may label from; None when none of the project is limited or paused."""
    rows = sql.rows(
        "SELECT b.id, b.paused, t.team_id FROM annotator_batch b LEFT JOIN annotator_batch_teams t"
        " ON t.batch_id = b.id WHERE b.project_id = %s",
        [project.pk],
    )
    if not any(paused or team for _, paused, team in rows):
        return None
    return [pk for pk, paused, team in rows if not paused and (team is None or team == member.team_id)]


# A task of the queue that this person may label: a free slot, no seat of his in this round (a lost or freed
# one does not count), no part in another stage, not skipped in this round, not exposed to others' work.
CANDIDATE = """
SELECT t.id FROM annotator_task t WHERE t.project_id = %s AND t.claimable AND t.rank > %s {batches} {exposed}
AND NOT EXISTS (SELECT 1 FROM annotator_assignment a WHERE a.person_id = %s AND a.task_id = t.id
  AND (a.round = t.round OR a.stage <> 'label') AND a.state NOT IN ('released', 'lost'))
AND NOT EXISTS (SELECT 1 FROM annotator_skip k WHERE k.task_id = t.id AND k.round = t.round AND k.person_id = %s)
ORDER BY t.rank LIMIT 1
"""
EXPOSED = (
    "AND NOT EXISTS (SELECT 1 FROM annotator_exposure e WHERE e.item_id = t.item_id AND e.person_id = %s)"
)


def candidate(project: Project, member: Member, workflow: dict[str, Any]) -> Task | None:
    """The next task from the person's cursor on, else from the front."""
    person = member.account.person_id
    batches = _open_batches(project, member)
    expose_ok = bool(workflow.get("expose_ok"))
    text = CANDIDATE.format(
        batches=""
        if batches is None
        else f"AND t.batch_id IN ({','.join(str(int(b)) for b in batches) or 'NULL'})",
        exposed="" if expose_ok else EXPOSED,
    )
    mine = [person, person] if expose_ok else [person, person, person]
    cursor = sql.row(
        "SELECT rank FROM annotator_claimcursor WHERE project_id = %s AND person_id = %s",
        [project.pk, person],
    )
    found = sql.row(text, [project.pk, cursor[0], *mine]) if cursor is not None else None
    found = found or sql.row(text, [project.pk, -(2**62), *mine])
    if found is None:
        return None
    task = sql.one(Task, "id = %s", [found[0]])
    assert task is not None
    task.project, task.workflow = project, workflow_version(task.workflow_id)
    return task
