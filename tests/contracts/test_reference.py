"""The generated pages of docs/reference say what the code says, and every page they link to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

from annotator.site import reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_in_step_with_the_code() -> None:
    with translation.override("en"):
        made = reference.pages()
    folder = reference.folder()
    assert folder is not None
    stale = [
        name
        for name, text in made.items()
        if not (folder / name).exists() or (folder / name).read_text("utf-8") != text
    ]
    assert not stale, f"run `python3 concord.py reference`: {', '.join(stale)}"


def test_an_arrow_without_words_stops_the_making(monkeypatch: pytest.MonkeyPatch) -> None:
    words = dict(reference.MOVES)
    words.pop(("review.actions.compare_task._dispute", "task.disputed"))
    monkeypatch.setattr(reference, "MOVES", words)
    with pytest.raises(RuntimeError, match="arrows without words"):
        reference.states_page()


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")]


def test_every_relative_link_of_the_documents_leads_somewhere() -> None:
    broken = []
    for document in documents():
        text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" in target or target.startswith(
                ("docs/images/", "images/", "../docs/images/", "../images/")
            ):
                continue  # pictures are made from a running site
            if not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)}: {target}")
    assert not broken, "\n".join(broken)
