"""Both languages are complete: no literal outside the catalogue, nothing untranslated, Chinese is Chinese.

A Chinese catalogue that repeats the English would pass a test that only looks for empty strings; this one
looks for Chinese characters, for the same placeholders, and for the words that the glossary rules out.
"""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from annotator.catalogue import LOCALE
from annotator.extraction import (
    ERRORS,
    ROOT,
    Messages,
    collect,
    python_strings,
    script_strings,
    sources,
    template_strings,
)

DOMAINS = ("django", "djangojs")
CJK = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+>")
# Names, formats and units that are the same in both languages.
SAME_IN_CHINESE: frozenset[str] = frozenset()
# What may stand between tags: the product's name, the names of the languages in themselves, standards.
LITERALS = {"Concord", "English", "简体中文", "SHA-256", "sha256", "IoU", "px", "JSON", "Ac"}
# Words that words.md rules out, where no other meaning of the same characters is in use here.
FORBIDDEN = (
    "打回",
    "工单",
    "匿名",
    "抢单",
    "资产",
    "缺陷",
    "次品",
    "真值",
    "准确率",
    "吻合度",
    "可信区间",
    "合格质量水平",
    "闸门",
    "陷阱题",
    "废题",
    "评审",
    "裁判",
    "判决",
    "投诉",
    "纠纷",
    "租约",
    "抽查",
    "巡检",
    "接受",
)


@pytest.fixture(scope="module")
def messages() -> Messages:
    return collect()


def catalogue(domain: str) -> Catalog:
    with open(LOCALE / "zh_Hans" / "LC_MESSAGES" / f"{domain}.po", "rb") as file:
        return read_po(file, locale="zh_Hans")


@pytest.mark.parametrize("domain", DOMAINS)
def test_catalogue_is_in_step_and_complete(messages: Messages, domain: str) -> None:
    known = catalogue(domain)
    wrong = []
    for msgid, found in messages.items():
        if not (found.server if domain == "django" else found.script):
            continue
        entry = known.get(msgid)
        where = f"{msgid!r} ({', '.join(sorted(found.places))})"
        if entry is None:
            wrong.append(f"not in the catalogue: {where}")
        elif entry.fuzzy:
            wrong.append(f"fuzzy: {where}")
        elif found.plural is not None and not isinstance(entry.string, tuple):
            wrong.append(f"no plural: {where}")
        elif not all(entry.string if isinstance(entry.string, tuple) else [entry.string]):
            wrong.append(f"not translated: {where}")
    assert not wrong, "run `concord messages`, then translate:\n" + "\n".join(wrong)


@pytest.mark.parametrize("domain", DOMAINS)
def test_chinese_is_chinese_and_keeps_the_placeholders(domain: str) -> None:
    wrong = []
    for entry in catalogue(domain):
        if not entry.id:
            continue
        msgids = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
        for text in entry.string if isinstance(entry.string, tuple | list) else (entry.string,):
            if msgids[0] not in SAME_IN_CHINESE and not CJK.search(text):
                wrong.append(f"no Chinese: {msgids[0]!r} -> {text!r}")
            wanted = sorted(PLACEHOLDER.findall(msgids[-1]))
            if sorted(PLACEHOLDER.findall(text)) != wanted:
                wrong.append(f"other placeholders: {msgids[0]!r} -> {text!r}")
            wrong += [f"{word} is not our word: {text!r}" for word in FORBIDDEN if word in text]
    assert not wrong, "\n".join(wrong)


def test_compiled_catalogue_is_what_the_pages_get() -> None:
    from annotator.catalogue import compile_all
    from annotator.pages.words import script_catalogue

    compile_all()
    texts = script_catalogue("zh-hans")["catalog"]
    assert len(texts) >= len([e for e in catalogue("djangojs") if e.id])
    assert script_catalogue("en") == {"catalog": {}}
    plurals = [e for e in catalogue("djangojs") if isinstance(e.id, tuple | list)]
    assert plurals and all(isinstance(texts[e.id[0]], list) for e in plurals)


# --- literals ---


class Texts(HTMLParser):
    """Texts between tags and in attributes that people read."""

    SAID = ("title", "aria-label", "placeholder", "alt")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in self.SAID and value]


def literals(template: str) -> list[str]:
    """Words of a template that no catalogue can reach."""
    text = re.sub(r"{%\s*comment.*?endcomment\s*%}|{#.*?#}", "", template, flags=re.DOTALL)
    text = re.sub(r"{%\s*blocktrans(late)?\b.*?endblocktrans(late)?\s*%}", "", text, flags=re.DOTALL)
    text = re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
    parser = Texts()
    parser.feed(text)
    words = [re.sub(r"&\w+;", "", piece).strip(" \n\t·…") for piece in parser.found]
    return [w for w in words if re.search(r"[A-Za-z]{2,}|[\u4e00-\u9fff]", w) and w not in LITERALS]


def test_no_template_speaks_past_the_catalogue() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {words!r}"
        for kind, path in sources()
        if kind == "template"
        for words in literals(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_template_check_finds_what_it_should() -> None:
    page = "<p title='Hello'>{% translate 'x' %} World {{ y }}</p><script>var a</script>"
    page += "{% blocktranslate %}no{% endblocktranslate %}"
    assert literals(page) == ["Hello", "World"]


def test_no_percent_sign_in_constants_of_tags() -> None:
    # Django looks `_("5 %")` of a tag up with its % doubled and never puts it back.
    wrong = [
        f"{path.relative_to(ROOT)}: {match}"
        for kind, path in sources()
        if kind == "template"
        for match in re.findall(r'_\("[^"]*%[^"]*"\)', path.read_text(encoding="utf-8"))
    ]
    assert not wrong, wrong


def test_errors_are_messages() -> None:
    """The message of an error is a literal: a sentence put together cannot be looked up.

    A cure may list machine-readable names ("Known: a, b."); such cures are for programs and stay English.
    """
    wrong = []
    for kind, path in sources():
        if kind != "python":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in ERRORS:
                    said = [
                        *node.args[1:2],
                        *(k.value for k in node.keywords if k.arg == "message"),
                    ]
                    if any(isinstance(one, ast.JoinedStr | ast.BinOp) for one in said):
                        wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, "\n".join(wrong)


def test_the_extractor_finds_each_kind() -> None:
    found: Messages = {}
    python_strings(
        'raise Invalid("c", "One " "sentence.", cure="A cure.")\nx = _("Text")\ny = ngettext("a", "b", n)\n'
        'z = {"code": "c", "message": "Said."}\n',
        "a.py",
        found,
    )
    template_strings(
        '{% load i18n %}{% translate "T" %}{% include "x" with label=_("L") %}'
        "{% blocktranslate count n=k %}{{ n }} one{% plural %}{{ n }} many{% endblocktranslate %}",
        "a.html",
        found,
    )
    script_strings('t("S {a}", { a }); tn("{n} x", "{n} xs", n); obj.t("no"); t("a " + "b")', "a.ts", found)
    assert set(found) == {
        "One sentence.",
        "A cure.",
        "Text",
        "a",
        "Said.",
        "T",
        "L",
        "%(n)s one",
        "S {a}",
        "{n} x",
        "a b",
    }
    assert (
        found["a"].plural == "b"
        and found["%(n)s one"].plural == "%(n)s many"
        and found["{n} x"].plural == "{n} xs"
    )
    assert found["Said."].script and found["Said."].server and not found["T"].script
