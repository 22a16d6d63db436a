"""The registries through which upper wings contribute; filled in `AppConfig.ready`, read by doors.

Annotator never imports an upper wing: review and prelabel add their access rows, navigation,
panels, release parts, release gates, claim policies, news subscribers and page starters here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NavigationEntry:
    """One link in a project's navigation, shown to whoever may `action`. `title` is a msgid."""

    name: str
    title: str
    url_name: str
    action: str
    order: int


@dataclass(frozen=True)
class Panel:
    """A part of the lead's project page: `context(project)` feeds `template`."""

    name: str
    template: str
    action: str
    order: int
    context: Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class ReleasePart:
    """Files that an upper wing adds to a release: `make(snapshot) -> {file name: bytes}`, deterministic."""

    name: str
    make: Callable[[Any], dict[str, bytes]]


@dataclass(frozen=True)
class Subscriber:
    """Reads a project's events after its cursor; `handle(project_public_id, events)` is idempotent."""

    name: str
    verbs: frozenset[str]
    handle: Callable[[str, list[Any]], None]


@dataclass(frozen=True)
class ClaimPolicy:
    """Hands out seats of a stage that an upper wing owns (check, arbitrate).

    `find(w, project, person) -> Task | None` is called inside the claim's transaction;
    `start(w, task, assignment) -> dict` is the seat's start document;
    `extend(assignment, work) -> dict` adds the stage's own fields to Work (reads only);
    `waiting(project, account) -> int` counts what `find` would give this account, one after the other.
    """

    stage: str
    action: str
    find: Callable[..., Any]
    start: Callable[..., dict[str, Any]]
    extend: Callable[..., dict[str, Any]]
    empty: Callable[..., dict[str, Any]]
    waiting: Callable[[Any, Any], int]
    parts: Callable[..., set[str]] | None = None  # parts(task): raster parts beyond the start document's


@dataclass
class Contributions:
    """All registries."""

    navigation: list[NavigationEntry] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    release_parts: list[ReleasePart] = field(default_factory=list)
    release_gates: list[Callable[[Any], list[str]]] = field(default_factory=list)
    # filter(project, accepted row ids) -> {row id: reason code} of what a release leaves out
    release_filters: list[Callable[[Any, list[int]], dict[int, str]]] = field(default_factory=list)
    subscribers: list[Subscriber] = field(default_factory=list)
    claim_policies: dict[str, ClaimPolicy] = field(default_factory=dict)
    frozen_checks: list[Callable[[Any], str | None]] = field(default_factory=list)
    # named(digest) -> whether a row of an upper wing names these bytes of the blob store
    blob_names: list[Callable[[str], bool]] = field(default_factory=list)

    def claim_action(self, stage: str) -> str:
        """The action in the access table that working in a stage needs."""
        policy = self.claim_policies.get(stage)
        return policy.action if policy is not None else "claim.label"


site = Contributions()
