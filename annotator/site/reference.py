"""The reference pages under docs/reference, made from the code: access, limits, states, plug-ins, API, jobs.

Lies in annotator.site because it reads all three wings. Reads code, never the database. Words that no code
holds (who moves a task and when, what a limit is for) stand here, and each is held against the code: a row
without its code, or code without its row, stops the making.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from annotator import access, places
from annotator.core.registry import Registry

MADE = "<!-- Made by `python3 concord.py reference`; a test holds it against the code. Do not edit. -->\n"
WINGS = ("annotator", "review", "prelabel")


def folder() -> Path | None:
    """docs/reference of the checkout; None in an installed wheel."""
    root = places.checkout()
    return None if root is None else root / "docs" / "reference"


def pages() -> dict[str, str]:
    """{file name: text} of all generated pages."""
    makers: dict[str, Callable[[], str]] = {
        "access.md": access_page,
        "api.md": api_page,
        "jobs.md": jobs_page,
        "limits.md": limits_page,
        "plugins.md": plugins_page,
        "states.md": states_page,
    }
    return {name: maker() for name, maker in makers.items()}


# --- writing Markdown ---


def page(title: str, chinese: str, about: str, *parts: str) -> str:
    return "\n".join([MADE + f"# {title}\n", f"{chinese}\n", f"{about}\n", *parts]).rstrip() + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def first_sentence(doc: str | None) -> str:
    """The first sentence of a docstring, without the entry's own name before it."""
    paragraph = " ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.!?])\s", paragraph, maxsplit=1)[0]
    said = re.sub(r"^`?[a-z_0-9]+(\.v\d+)?`?: ", "", sentence).strip()
    return said[:1].upper() + said[1:]


# --- access ---


def access_page() -> str:
    wide = {"anyone": "anyone", "signed_in": "any account", "operator": "operator"}
    order = [
        access.LEAD, access.EXPERT, access.CHECKER, access.ANNOTATOR, access.IMPORTER, access.VIEWER,
    ]  # fmt: skip
    rows = []
    for action, entry in sorted(access.TABLE.items()):
        who = wide.get(entry.who) or ", ".join(role for role in order if role in entry.roles)
        rows.append((f"`{action}`", who, entry.note))
    return page(
        "Who may do what",
        "权限只有一张表，默认拒绝；项目成员按角色授权，非成员一律得到 404。",
        "One table, default deny. A stranger gets 404 whether or not the project exists, a member without the right "
        "403. Roles are of one project; *operator* is a right on the site and opens no project. A note names the "
        "condition on the object that the door checks besides the role.",
        table(("action", "who", "note"), rows),
    )


# --- limits ---

BYTES, PIXELS, SECONDS = "bytes", "px", "s"
# module, constant, unit, what it bounds
LIMITS: dict[str, list[tuple[str, str, str, str]]] = {
    "Requests and files": [
        ("settings", "BODY_LIMIT", BYTES, "one JSON body"),
        ("annotator.api.assets", "SIMPLE_LIMIT", BYTES, "a file sent in one request; larger ones resume"),
        ("settings", "ASSET_LIMIT", BYTES, "one file"),
        ("annotator.actions.steps.assets", "PROJECT_BYTES", BYTES, "all files of a project"),
        ("annotator.actions.uploads", "MAX_OPEN", "", "open uploads of a project"),
        ("settings", "IMPORT_LIMIT", BYTES, "one import's body"),
        ("settings", "PIXEL_LIMIT", PIXELS, "pixels of a picture"),
        ("annotator.modalities.image", "SIDE_LIMIT", PIXELS, "longest side of a picture"),
        ("annotator.core.archives", "MAX_MEMBERS", "", "members of an archive"),
        ("annotator.core.archives", "MAX_DEPTH", "", "folders deep in an archive"),
        ("annotator.core.archives", "MAX_RATIO", "", "times that a member of an archive may unpack to"),
        ("annotator.api.base", "LIMIT_MAX", "", "rows a page of a list"),
        ("annotator.actions.verb", "KEY_LIMIT", "", "characters of an idempotency key"),
        ("settings", "LOGIN_TRIES", "", "wrong passwords a minute, by account and by address (CONCORD_LOGIN_TRIES)"),
        ("annotator.actions.accounts", "TOKENS_MAX", "", "tokens of an account"),
    ],
    "Rows of an import": [
        ("annotator.core.rows", "ROW_LIMIT", BYTES, "one row"),
        ("annotator.core.rows", "TEXT_LIMIT", BYTES, "text of a row"),
        ("annotator.core.rows", "MAX_ASSETS", "", "files of a row"),
        ("annotator.core.rows", "MAX_TAGS", "", "tags of a row"),
        ("annotator.core.rows", "MAX_KEY_CHARS", "", "characters of external_key"),
        ("annotator.core.rows", "MAX_JSON_CHARS", "", "characters of metadata, source or origin as JSON"),
        ("annotator.core.rows", "PRIORITY_LIMIT", "", "largest priority, either way"),
    ],
    "Annotations": [
        ("annotator.core.document", "MAX_REGIONS", "", "regions of a document"),
        ("annotator.core.changes", "MAX_CHANGES", "", "changes of a save"),
        ("annotator.actions.save_annotation", "MAX_PARTS", "", "mask parts of a save"),
        ("annotator.shapes.polygon", "MAX_RINGS", "", "rings of a polygon"),
        ("annotator.shapes.polygon", "MAX_POINTS", "", "points of a polygon"),
        ("annotator.core.document", "MAX_TEXT_CHARS", "", "characters of a text answer"),
        ("annotator.core.document", "MAX_UNUSABLE_CHARS", "", "characters of the reason why a picture is unusable"),
    ],
    "Schemas": [
        ("annotator.core.schema", "MAX_LABELS", "", "labels"),
        ("annotator.core.schema", "MAX_CONTROLS", "", "controls"),
        ("annotator.core.schema", "MAX_ATTRIBUTES", "", "attributes of a label"),
        ("annotator.core.schema", "MAX_OPTIONS", "", "options of a control or attribute"),
    ],
    "Lists": [
        ("annotator.queries.items", "CAP", "", "items to which a list counts exactly; beyond it says so"),
        ("annotator.queries.items", "MAX_IDS", "", "items named one by one in a bulk action"),
        ("annotator.actions.saved_views", "MAX_VIEWS", "", "saved views of a person in a project"),
    ],
    "Rules, models, tools": [
        ("prelabel.rules._guard", "MAX_PATTERNS", "", "regular expressions of a rule"),
        ("prelabel.rules._guard", "MAX_MATCHES", "", "matches in one text"),
        ("prelabel.rules.blob", "MAX_PIXELS", PIXELS, "pixels of a picture that a rule reads"),
        ("prelabel.core.cleaning", "MAX_REGIONS", "", "regions that a rule or model may propose for an item"),
        ("prelabel.core.artefact", "MAX_BYTES", BYTES, "file of a model"),
        ("prelabel.nets.text", "MAX_CHARACTERS", "", "characters of a text that the text model reads"),
        ("prelabel.serve.assist", "MAX_PIXELS", PIXELS, "pixels of a picture that an interactive tool reads"),
        ("prelabel.serve.assist", "MEMORY_BYTES", BYTES, "memory of the assist process"),
        ("prelabel.serve.assist", "IDLE_S", SECONDS, "idle time after which the assist process ends"),
        ("prelabel.actions.assist", "WAIT_S", SECONDS, "wait for an interactive tool's answer"),
    ],
    "Processes": [
        ("annotator.db", "WAIT_S", SECONDS, "wait for SQLite's write lock before 503"),
        ("annotator.jobs", "POISON", "", "tries of a job that ends its worker, then it fails"),
        ("annotator.supervisor", "LOG_BYTES", BYTES, "a log file, then it is turned over"),
    ],
}  # fmt: skip


def _size(value: float, unit: str) -> str:
    if unit == BYTES:
        for name, step in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if value >= step and value % step == 0:
                return f"{value // step:,} {name}"
    text = f"{value:,g}" if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}".strip()


def limits_page() -> str:
    from django.conf import settings

    from annotator.core import workflow

    parts = []
    for title, entries in LIMITS.items():
        rows = []
        for module, name, unit, what in entries:
            home = settings if module == "settings" else import_module(module)
            shown = "annotator.site.settings" if module == "settings" else module
            rows.append((what, _size(getattr(home, name), unit), f"`{shown}.{name}`"))
        parts += [f"## {title}\n", table(("what", "at most", "where it stands"), rows)]
    rows = []
    for name, value in workflow.DEFAULTS.items():
        low, high = workflow.WHOLE.get(name, ("", ""))
        rows.append((f"`{name}`", f"`{json.dumps(value)}`", f"{low} to {high}" if high else ""))
    parts += [
        "## Workflow document, format 1\n",
        "A project's figures, versioned; a task keeps the version with which it was imported.\n",
        table(("field", "default", "range"), rows),
    ]
    return page(
        "Limits and defaults",
        "公开的上限与默认值；超出上限的请求得到 413 或 400，并写明字段。",
        "What goes beyond is refused with 413 or 400 and the field, never cut off without a word.",
        *parts,
    )


# --- states ---

SOURCES = ("annotator.actions", "annotator.actions.steps", "review.actions", "review.actions.steps")
# function, event -> from, to, who and when. Checked against every call of `states.move`.
MOVES: dict[tuple[str, str], tuple[str, str, str]] = {
    ("annotator.actions.steps.states.advance", "task.set_aside"): (
        "labelling, compare, disputed, check", "set_aside", "everybody (or the verdict, or the mend) says unusable"),
    ("annotator.actions.steps.states.advance", "task.to_check"): (
        "labelling, compare, disputed", "check", "the workflow has a check stage and the task's draw falls on it"),
    ("annotator.actions.steps.states.accept", "task.accepted"): (
        "labelling, compare, disputed, check", "accepted", "nothing is left to decide or to check"),
    ("annotator.actions.steps.states.hand_back", "task.returned"): (
        "disputed, check", "returned", "the arbiter or checker returns named seats; round + 1, the other seats stand"),
    ("annotator.actions.steps.states.close_labelling", "task.labelled"): (
        "labelling", "compare", "all slots are in and the grace is over; with one slot the task goes on at once"),
    ("annotator.actions.steps.aside.set_aside", "task.set_aside"): (
        "ready, labelling, compare, disputed, check, returned", "set_aside", "the lead, with a reason"),
    ("annotator.actions.steps.aside.restore", "task.restored"): (
        "set_aside", "the state it left", "the lead, with a reason"),
    ("annotator.actions.steps.aside._anew", "task.restored"): (
        "set_aside", "ready", "the lead restores what its people called unusable; round + 1"),
    ("review.actions.compare_task._dispute", "task.disputed"): (
        "compare", "disputed", "differences were found"),
    ("review.actions.compare_task._add_person", "task.person_added"): (
        "compare", "ready", "B and C only, the workflow adds people, and somebody is eligible; one slot more"),
}  # fmt: skip
# The two arrows that are one SQL statement each, for speed: their functions are looked for by name.
COUNTED = (
    ("annotator.actions.steps.seats", "occupy", "ready, labelling, returned", "task.claimed or seat.ahead",
     "labelling", "an annotator takes a free slot (or its person takes up what was returned)"),
    ("annotator.actions.steps.seats", "vacate", "labelling", "task.skipped, seat.released, seat.expired, seat.lost",
     "ready", "the last held slot is freed"),
)  # fmt: skip
# Other things with states: class, its name in words, states. Each is looked for in the text of the class.
STATEFUL = (
    ("annotator.models.Assignment", "a seat", "ahead (kept, not started), live, submitted, released (given back), "
     "lost (its time ran out), returned (its round was handed back)"),
    ("annotator.models.Asset", "a file", "checking (its header is not yet read), ready, refused (with the reason)"),
    ("annotator.models.Job", "a job", "queued, running, done, failed, cancelled"),
    ("annotator.models.Release", "a release", "making, done, failed"),
    ("review.models.Dispute", "a dispute", "open, decided, returned"),
    ("review.models.Lot", "a lot", "committed (the seed, not yet the list), judging, accepted, not_accepted, void"),
    ("prelabel.models.ModelVersion", "a model", "training, ready, worse (kept, not used), failed"),
)  # fmt: skip


def _modules(package: str) -> list[ModuleType]:
    import pkgutil

    found = import_module(package)
    names = [one.name for one in pkgutil.iter_modules(found.__path__) if not one.ispkg]
    return [import_module(f"{package}.{name}") for name in sorted(names)]


def moves_in_code() -> dict[tuple[str, str], str | None]:
    """(function, event) of every call of `states.move`, with the target where it is written out."""
    found: dict[tuple[str, str], str | None] = {}
    for package in SOURCES:
        for module in _modules(package):
            for function in ast.walk(ast.parse(inspect.getsource(module))):
                if not isinstance(function, ast.FunctionDef):
                    continue
                for call in ast.walk(function):
                    if not isinstance(call, ast.Call) or len(call.args) < 5:
                        continue
                    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                    if name != "move":
                        continue
                    target, event = call.args[3], call.args[4]
                    assert isinstance(event, ast.Constant), (
                        f"{module.__name__}: a move without a written event"
                    )
                    written = str(target.value) if isinstance(target, ast.Constant) else None
                    found[f"{module.__name__}.{function.name}", str(event.value)] = written
    return found


def states_page() -> str:
    from annotator.models import task as tasks

    code = moves_in_code()
    if code.keys() != MOVES.keys():
        raise RuntimeError(
            f"arrows without words or words without arrows: {sorted(code.keys() ^ MOVES.keys())}"
        )
    for key, target in code.items():
        if target is not None and target != MOVES[key][1]:
            raise RuntimeError(f"{key} leads to {target}, the table says {MOVES[key][1]}")
    source = inspect.getsource(tasks).split("STATES = (", 1)[1].split("\n)", 1)[0]
    words = dict(re.findall(r'"(\w+)",(?:\s*#\s*(.*))?', source))
    words = {name: words.get(name, "") for name in tasks.STATES}
    words["accepted"] = words["accepted"] or "has an accepted document"
    words["set_aside"] = words["set_aside"] or "out of the work, with a reason"
    arrows = [
        (
            "-",
            "item.imported",
            "ready",
            "an importer or lead imports the row; its files are stored and checked",
        )
    ]
    for module, function, start, event, target, who in COUNTED:
        if not callable(getattr(import_module(module), function, None)):
            raise RuntimeError(f"{module}.{function} is gone")
        arrows.append((start, event, target, who))
    arrows += [(start, event, target, who) for (_, event), (start, target, who) in MOVES.items()]
    rows = [
        (start, f"`{event}`" if " " not in event else event, target, who)
        for start, event, target, who in arrows
    ]
    others = []
    for place, title, listed in STATEFUL:
        package, _, name = place.rpartition(".")
        text = inspect.getsource(getattr(import_module(package), name))
        for state in re.sub(r" \([^)]*\)", "", listed).split(", "):
            if not re.search(rf"\b{state}\b", text):
                raise RuntimeError(f"{place} does not know the state {state}")
        others.append((title, listed))
    return page(
        "States",
        "任务的状态与转移；每个箭头是一条带条件的更新，由受影响的行数决定成败，并记为一个事件。",
        "Each arrow is one conditional update whose row count decides, and one event. A task that waits and that "
        "nobody can take, or that could not be compared or closed, is marked `stuck` with the reason; its state is "
        "unchanged. A live seat that is withdrawn within the grace stays the person's own and changes no state.",
        "## A task\n",
        table(("state", "what it means"), [(f"`{name}`", text) for name, text in words.items()]),
        table(("from", "event", "to", "who, when"), rows),
        "## Other things\n",
        table(("what", "states"), others),
    )


# --- plug-ins ---


def _entries(registry: Registry[Any]) -> list[tuple[str, ModuleType]]:
    return [(name, module) for name, module in registry.items()]


def plugins_page() -> str:
    from annotator.formats import FORMATS
    from annotator.modalities import MODALITIES
    from annotator.shapes import SHAPES
    from prelabel.core import kinds
    from prelabel.rules import RULES
    from prelabel.tools import TOOLS
    from review.core import differences
    from review.core.agreement import MEASURES
    from review.core.sampling import PLANS

    def lines(registry: Iterable[tuple[str, Any]], *names: str) -> list[tuple[str, ...]]:
        rows = []
        for plugin_id, module in registry:
            values = [getattr(module, name, "") for name in names]
            shown = [", ".join(v) if isinstance(v, tuple) else str(v) for v in values]
            rows.append((f"`{plugin_id}`", *shown, first_sentence(module.__doc__)))
        return rows

    parts = [
        "## Shapes: `annotator/shapes/`\n",
        table(
            ("id", "lies on", "edited by", "what it is"),
            lines(_entries(SHAPES), "ASSET_KIND", "CHANGE_KINDS"),
        ),
        "## Kinds of items: `annotator/modalities/`\n",
        table(("id", "kind", "what it is"), lines(_entries(MODALITIES), "KIND")),
        "## Exchange formats: `annotator/formats/`\n",
        table(("id", "title", "what it is"), lines(_entries(FORMATS), "TITLE")),
        "## Rules: `prelabel/rules/`\n",
    ]
    rows = []
    for plugin_id, module in _entries(RULES):
        shapes = ", ".join(module.SHAPES) or "an answer"
        names = ", ".join(f"`{one.name}`" for one in module.PARAMETERS)
        rows.append(
            (f"`{plugin_id}`", module.TITLE, module.INPUT, shapes, names, first_sentence(module.__doc__))
        )
    parts += [
        table(("id", "title", "reads", "proposes", "parameters", "what it is"), rows),
        "## Interactive tools: `prelabel/tools/`\n",
        table(("id", "title", "what it is"), lines(_entries(TOOLS), "TITLE")),
        "## Kinds of models: `prelabel/core/kinds.py`\n",
        table(
            ("kind", "accepted items before it proposes", "learns from and draws"),
            [
                (f"`{k}`", str(kinds.MINIMUM[k]), ", ".join(kinds.SHAPES[k]) or "a choice")
                for k in kinds.KINDS
            ],
        ),
        "## Measures of agreement: `review/core/agreement/`\n",
        table(("id", "title", "what it is"), lines(_entries(MEASURES), "TITLE")),
        "## Kinds of differences: `review/core/differences/`\n",
        "In the order in which decisions are applied.\n",
        table(
            ("kind", "id", "title", "level", "what it is"),
            [
                (f"`{m.KIND}`", f"`{m.ID}`", m.TITLE, m.LEVEL, first_sentence(m.__doc__))
                for m in differences.in_order()
            ],
        ),
        "## Sampling plans: `review/core/sampling/`\n",
        table(("id", "what it is"), [(f"`{name}`", first_sentence(m.__doc__)) for name, m in PLANS.items()]),
    ]
    return page(
        "Plug-ins",
        "插件：一类一文件，由注册表自动发现，带版本号的标识永不改变含义。",
        "One file each, found by its folder's registry. An id carries its version: what is stored names the id, so a "
        "better method is a new version beside the old.",
        *parts,
    )


# --- API ---


def _line(view: type, method: str) -> str:
    """What the method says of itself, else the sentence of the view that begins with it, else its first."""
    own = first_sentence(getattr(vars(view).get(method), "__doc__", None))
    if own:
        return own
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(inspect.cleandoc(view.__doc__ or "").split()))
    named = [one for one in sentences if one.startswith(method.upper())]
    said = re.sub(rf"^{method.upper()}( and HEAD)?:? ", "", (named or sentences)[0])
    return said[:1].upper() + said[1:]


def api_page() -> str:
    from django.urls import resolve
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)
    by_tag: dict[str, list[tuple[str, str, str, str]]] = {}
    for path, methods in sorted(schema["paths"].items()):
        callback: Any = resolve(re.sub(r"\{\w+\}", "1", path)).func
        view: Any = getattr(callback, "view_class", getattr(callback, "cls", None))
        for method, operation in methods.items():
            action = view.actions[method.upper()]
            entry = access.TABLE[action]
            who = ", ".join(sorted(entry.roles)) or {"signed_in": "any account"}.get(entry.who, entry.who)
            row = (method.upper(), f"`{path}`", f"{who} (`{action}`)", _line(view, method))
            by_tag.setdefault(operation["tags"][0], []).append(row)
    parts = []
    for tag in sorted(by_tag):
        parts += [f"## {tag}\n", table(("method", "path", "who", "what"), by_tag[tag])]
    return page(
        "API",
        "接口一览：由 OpenAPI 描述生成；完整描述见 `/api/openapi.json`（需登录）。",
        "JSON over HTTP. Signed in by the session cookie with its CSRF token, or `Authorization: Token …`. Writes take "
        "`Idempotency-Key`: a repeat with the same key and body gets the first answer again. Lists take `cursor` and "
        '`limit` and answer `{results, next, …}`. Errors are `{"error": {code, message, field?, place?, cure?}}`. '
        "The whole description is at `/api/openapi.json`; the forms of documents, changes and Work are in "
        "[forms.md](forms.md).",
        *parts,
    )


# --- jobs ---

JOB_WORDS = {
    "bulk": "a bulk action over a list's items",
    "check_assets": "reads headers of uploaded files, refuses what cannot be used",
    "delete_project": "removes a deleted project's content; its event chain stays",
    "import": "rows of JSON, JSON lines or an archive become items",
    "migrate_labels": "carries accepted documents and prelabels over to a new schema version",
    "release": "writes a release's files and publishes them whole",
    "prelabel.run_rule": "a rule proposes over items whose round has not begun",
    "prelabel.train": "trains a model on accepted documents and judges it on the holdout",
    "prelabel.run_model": "a model proposes over items it has not learned from",
}


def jobs_page() -> str:
    from annotator import jobs
    from annotator.contributions import site

    if jobs.KINDS.keys() != JOB_WORDS.keys():
        raise RuntimeError(
            f"jobs without words or words without jobs: {sorted(jobs.KINDS.keys() ^ JOB_WORDS.keys())}"
        )
    rows = []
    for name, kind in sorted(jobs.KINDS.items(), key=lambda one: (one[1].lane, one[0])):
        rows.append((f"`{name}`", kind.lane, JOB_WORDS[name], "yes" if kind.undo else "no"))
    news = [
        (f"`{one.name}`", ", ".join(f"`{verb}`" for verb in sorted(one.verbs))) for one in site.subscribers
    ]
    return page(
        "Jobs and lanes",
        "长时间的工作是一行任务记录；每条通道一个工作进程，进程被杀后由下一个接手。",
        f"Long work is a row; each lane ({', '.join(jobs.LANES)}) has one worker process. A job runs under a lease of "
        f"{jobs.LEASE.total_seconds():g} s that is renewed while it works; a worker that dies loses it, and the job is "
        f"taken up again, at most {jobs.POISON} times. Cancelling takes effect at the handler's next step.",
        table(("kind", "lane", "what it does", "removes what it left"), rows),
        "## News\n",
        "The io worker also gives each subscriber the events after its cursor, and each second does what time alone "
        "decides: graces, leases and reservations that are over, each minute the anchors.\n",
        table(("subscriber", "events"), news),
    )
