# ruff: noqa: E501 - tables
"""Backup and restore: into an empty folder of another process, on either engine; damage is found before anything."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from annotator.actions import restore as verbs
from annotator.core.errors import Invalid
from annotator.queries.release_check import check_folder
from tests.concurrency.postgres import database
from tests.template import RUN

STEPS = Path(__file__).with_name("backup_steps.py")

# What the fixtures of this module make costs seconds: once, so one process runs all its tests.
pytestmark = pytest.mark.xdist_group("backup")


def step(data: Path, *arguments: str, **more: str) -> Any:
    """Run one step in a process of its own on this data folder; its last line as JSON."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CONCORD_", "DJANGO_")) or name == RUN
    }
    done = subprocess.run(
        [sys.executable, str(STEPS), *arguments],
        env={**kept, "CONCORD_DATA": str(data), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """(the backup's file, what its site said of the release)."""
    folder = tmp_path_factory.mktemp("backup")
    target = folder / "site.tar"
    said = step(folder / "data", "make", str(target), PYTHONHASHSEED="1", TZ="UTC", LANG="C.UTF-8")
    return target, said


def test_another_process_makes_the_same_bytes(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    archive, said = made
    assert said["items"] == 7
    copy = tmp_path / "site.tar"
    copy.write_bytes(archive.read_bytes())
    answer = step(
        tmp_path / "data", "back", str(copy), said["release"], PYTHONHASHSEED="77", TZ="Asia/Shanghai", LANG="zh_CN.UTF-8"
    )  # fmt: skip
    assert answer["files"] == said["files"] and answer["vendor"] == "sqlite" and answer["faults"] == 0
    assert answer["accepted"] == 7 and answer["second"] == 2 and answer["password"] is True
    folder = tmp_path / "sqlite-out"
    assert check_folder(folder)[1] is None
    keys = [json.loads(line)["key"] for line in (folder / "items.jsonl").read_text("utf-8").splitlines()]
    assert keys == sorted(["b", "a", "ä", "Z", "z", "中", "😀"])
    assert answer["refused"] == "database_not_empty", "a restore never writes over anybody's work"


@pytest.mark.long
@pytest.mark.postgres
def test_a_backup_of_sqlite_opens_on_postgresql(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    archive, said = made
    with database() as url:
        copy = tmp_path / "site.tar"
        copy.write_bytes(archive.read_bytes())
        answer = step(tmp_path / "data", "back", str(copy), said["release"], CONCORD_DATABASE=url)
        assert answer["files"] == said["files"] and answer["vendor"] == "postgresql" and answer["faults"] == 0
        assert answer["second"] == 2


def test_damage_is_named(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """A flipped bit anywhere that counts, a cut, an added part: all found by reading alone."""
    whole = made[0].read_bytes()
    assert verbs.check(made[0])["missing_blobs"] == []
    bad = tmp_path / "bad.tar"
    for cut in (1, 100, len(whole) // 2, len(whole) - 12_000):
        bad.write_bytes(whole[:cut])
        assert code_of(bad) == "backup_damaged", cut
    with tarfile.open(made[0]) as tar:
        members = {member.name: member for member in tar}
    for name, member in members.items():
        if member.size == 0:
            continue
        at = member.offset_data + member.size // 2
        flipped = bytearray(whole)
        flipped[at] ^= 4
        bad.write_bytes(bytes(flipped))
        assert code_of(bad) == "backup_damaged", name
    for extra in ("tables/zz.jsonl", "../evil", "/etc/evil", "other/evil", "data/../../evil"):
        with tarfile.open(bad, "w") as out, tarfile.open(made[0]) as tar:
            info = tarfile.TarInfo(extra)
            info.size = 1
            out.addfile(info, io.BytesIO(b"x"))
            for member in tar:
                out.addfile(member, tar.extractfile(member))
        assert code_of(bad) == "backup_damaged", extra
    with tarfile.open(bad, "w") as out:
        link = tarfile.TarInfo("data/keys/secret")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    assert code_of(bad) == "backup_damaged"


def test_a_later_version_is_refused(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    from annotator.core.canonical import digest

    bad = tmp_path / "later.tar"
    for change in ("migration", "format"):
        with tarfile.open(bad, "w") as out, tarfile.open(made[0]) as tar:
            for member in tar:
                source = tar.extractfile(member)
                assert source is not None
                data = source.read()
                if member.name == "MANIFEST.json":
                    body = json.loads(data)["body"]
                    if change == "migration":
                        body["migrations"].append(["annotator", "9999_from_the_future"])
                    else:
                        body["format"] = 99
                    data = json.dumps({"body": body, "sha256": digest(body)}).encode()
                member.size = len(data)
                out.addfile(member, io.BytesIO(data))
        assert code_of(bad) == "backup_too_new", change


def code_of(path: Path) -> str:
    with pytest.raises(Invalid) as caught:
        verbs.check(path)
    return caught.value.code
