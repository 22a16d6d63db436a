"""Seeds the demo: five accounts, a project of pictures and one of text, each with prelabels of a rule.

Lies in annotator.site because it uses verbs of two wings, and writes through verbs only; what it is made of
stands in annotator.demo. Each step looks first for what is there, so a seeding cut off is taken up again.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from annotator import demo, jobs, spool
from annotator.actions.accounts import create_account, edit_own, make_owner, redeem_reset, reset_link
from annotator.actions.import_batch import import_batch
from annotator.actions.members import add_member
from annotator.actions.projects import create_project
from annotator.models import Account, Item, Member, Project

ACCOUNTS_FILE = "demo-accounts.json"
# user name, shown name, role in both projects, what the printed list says
PEOPLE = (
    ("lead", "Lead", "lead", "leads both projects; may make projects and accounts"),
    ("ann1", "Annotator 1", "annotator", "labels"),
    ("ann2", "Annotator 2", "annotator", "labels, without seeing annotator 1"),
    ("expert", "Expert", "expert", "decides differences"),
    ("checker", "Checker", "checker", "checks what was agreed or decided"),
)
# A short grace, so that a stage starts soon after the second person has submitted; work has 120 s.
WORKFLOW = {"slots": 2, "check": {"share": 1.0}, "grace_s": 10, "shown_fields": ["external_key"]}
PICTURES = "Coins and craters · 钱币与环形山"
MESSAGES = "Customer messages · 客户留言"
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that are read as another


def seed(data: Path) -> None:
    """Everything; the file of accounts is written last and says that the demo is whole."""
    passwords = _passwords(data)
    people = {username: _person(username, name, passwords) for username, name, *_ in PEOPLE}
    lead = people["lead"]
    pictures = _project(lead, PICTURES, "pictures.schema.json")
    messages = _project(lead, MESSAGES, "messages.schema.json")
    for project in (pictures, messages):
        for username, _, role, _ in PEOPLE:
            if not Member.objects.filter(project=project, account=people[username]).exists():
                add_member(actor=lead, project=project, username=username, roles=[role])
    if not Item.objects.filter(project=pictures).exists():
        _import(lead, pictures, _archive(), "zip")
    if not Item.objects.filter(project=messages).exists():
        _import(lead, messages, _lines(demo.messages()), "jsonl")
    _run_jobs()
    rules = demo.read("rules.json")
    _draft(lead, pictures, **rules["pictures"])
    _draft(lead, messages, **rules["messages"])
    _run_jobs()
    _publish(data, passwords)


def _passwords(data: Path) -> dict[str, str]:
    """Random, three groups of four; an earlier, unfinished seeding's are taken up."""
    try:
        return dict(json.loads((data / "run" / "demo-passwords").read_text()))
    except (OSError, ValueError):
        pass
    made = {
        username: "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
        for username, *_ in PEOPLE
    }
    _write_private(data / "run" / "demo-passwords", json.dumps(made))
    return made


def _write_private(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)


def _publish(data: Path, passwords: dict[str, str]) -> None:
    """The list that every start prints."""
    listed = [
        {"username": username, "password": passwords[username], "does": does}
        for username, _, _, does in PEOPLE
    ]
    _write_private(data / ACCOUNTS_FILE, json.dumps({"format": 1, "accounts": listed}, indent=1) + "\n")
    (data / "run" / "demo-passwords").unlink(missing_ok=True)


def _person(username: str, name: str, passwords: dict[str, str]) -> Account:
    account = Account.objects.filter(username=username).first()
    if account is None or not account.has_usable_password():
        if username == "lead":
            account, link = make_owner(username=username)
        elif account is None:
            link = create_account(actor=Account.objects.get(username="lead"), username=username, name=name)[
                "link"
            ]
        else:
            link = reset_link(actor=Account.objects.get(username="lead"), account=account)["link"]
        account = redeem_reset(secret=link.rpartition("/")[2], password=passwords[username])
        if account.name != name:
            edit_own(actor=account, changes={"name": name})
    return account


def _project(lead: Account, title: str, schema: str) -> Project:
    found = Project.objects.filter(title=title, deleted_at=None).first()
    if found is None:
        made = create_project(
            actor=lead, title=title, template="empty", workflow=WORKFLOW, schema=demo.read(schema)
        )
        found = Project.objects.get(public_id=made["id"])
    return found


def _archive() -> bytes:
    """Pictures and rows.jsonl in one archive, as a lead would upload them."""
    rows: list[dict[str, Any]] = []
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for picture in demo.pictures():
            archive.writestr(zipfile.ZipInfo(picture.name), picture.data)
            assets: list[dict[str, Any]] = [{"role": "image", "name": picture.name}]
            if not picture.name.startswith("coins"):
                assets.append({"role": "note", "text": picture.about})
            rows.append(
                {
                    "external_key": picture.name.removesuffix(".png"),
                    "group": picture.group,
                    "assets": assets,
                    "source": {"provider": picture.about},
                }
            )
        archive.writestr(zipfile.ZipInfo("rows.jsonl"), _lines(rows))
    return out.getvalue()


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _import(lead: Account, project: Project, body: bytes, form: str) -> None:
    file, digest, _ = spool.write([body])
    import_batch(
        actor=lead, project=project, spooled=file, sha256=digest, form=form, batch="demo", on_bad="refuse"
    )


def _run_jobs() -> None:
    """No worker runs while the demo is made: its jobs are done here, in turn. Raises when one failed."""
    jobs.work("io", once=True)
    failed = jobs.Job.objects.exclude(state="done").first()
    if failed is not None:
        raise RuntimeError(f"the demo's job {failed.kind} ended as {failed.state}: {failed.error}")


def _draft(lead: Account, project: Project, rule: str, params: dict[str, Any]) -> None:
    from prelabel.actions.run_rule import run_rule
    from prelabel.actions.save_rule import save_rule
    from prelabel.models import RuleVersion

    project = Project.objects.select_related("schema").get(pk=project.pk)
    saved = save_rule(actor=lead, project=project, rule=rule, params=params)
    run_rule(actor=lead, rule=RuleVersion.objects.get(public_id=saved["id"]))
