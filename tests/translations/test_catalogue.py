"""Whatever the server says to people exists in Chinese, and the compiled catalogue is the written one."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.utils import translation
from django.utils.translation import gettext

from videos.media.problems import MESSAGES
from videos.media.sniffing import NAMES
from zhiying.kernel.translatable import filled, translated

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "zhiying" / "locale" / "zh_Hans" / "LC_MESSAGES"
SPEAKERS = ("engines", "videos/worker", "videos/services", "videos/scheduling")
"""Where failures of a render are put into words. They are stored in English and translated when read."""
NOT_FOR_USERS = {"__main__.py"}
VALUE = re.compile(r"%\((\w+)\)[sd]")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(FOLDER / "django.po"))


def texts(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    """The translation, in all its plural forms."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_message_is_translated(catalogue: polib.POFile) -> None:
    assert len(catalogue) > 250
    unfinished = [entry.msgid for entry in catalogue if entry.fuzzy or not all(texts(entry))]
    assert unfinished == []
    assert not catalogue.obsolete_entries()


def test_translations_keep_the_values_of_their_messages(catalogue: polib.POFile) -> None:
    """A Chinese sentence has the same named values, and as many percent signs to print."""
    for entry in catalogue:
        wanted = {frozenset(VALUE.findall(text)) for text in (entry.msgid, entry.msgid_plural) if text}
        for text in texts(entry):
            assert frozenset(VALUE.findall(text)) in wanted, entry.msgid
            if "python-format" in entry.flags:
                assert text.count("%%") == entry.msgid.count("%%"), entry.msgid


def test_translations_are_chinese(catalogue: polib.POFile) -> None:
    without_words = {"%(done)d of %(total)d"}
    plain = [
        entry.msgid
        for entry in catalogue
        for text in texts(entry)
        if not re.search(r"[一-鿿]", text) and entry.msgid not in without_words
    ]
    assert plain == []


def test_the_compiled_catalogue_is_the_written_one(catalogue: polib.POFile) -> None:
    def contents(entries: polib.POFile | polib.MOFile) -> dict[tuple[str, str], list[str]]:
        return {(entry.msgid, entry.msgid_plural or ""): texts(entry) for entry in entries}

    compiled = polib.mofile(str(FOLDER / "django.mo"))
    assert contents(compiled) == contents(catalogue), "run `make messages`"


# --- Nothing is forgotten ----------------------------------------------------------------------------


def literal_messages(tree: ast.AST) -> Iterator[str]:
    """Strings handed to gettext and its kin."""
    names = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0] if node.args else None
            if name in names and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"migrations", "tests", *NOT_FOR_USERS} & set(path.relative_to(ROOT).parts):
                yield path


def test_every_message_of_the_code_is_in_the_catalogue(catalogue: polib.POFile) -> None:
    written = {entry.msgid for entry in catalogue}
    missing = {
        (path.relative_to(ROOT).as_posix(), message)
        for path in modules("zhiying", "accounts", "videos", "adminpanel", "engines")
        for message in literal_messages(ast.parse(path.read_text()))
        if message not in written
    }
    assert missing == set(), "run `make messages` and translate what is new"


def test_every_message_of_the_templates_is_in_the_catalogue(catalogue: polib.POFile) -> None:
    written = {entry.msgid for entry in catalogue}
    templates = sorted((ROOT / "adminpanel" / "templates").rglob("*.html"))
    found = [
        message
        for path in templates
        for message in re.findall(r"""{% translate ["'](.+?)["'] %}""", path.read_text())
    ]
    assert len(found) > 30
    assert [message for message in found if message not in written] == []


# --- Sentences of plain Python -----------------------------------------------------------------------


def spoken(tree: ast.AST) -> Iterator[str]:
    """Sentences that become an item's error or an engine's state, with 7 for every value in them.

    They are arguments of our errors and of `Verdict`, are named `detail`, or come from functions of notes.
    """
    for node in ast.walk(tree):
        found: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            ours = name.endswith("Error") and not hasattr(builtins, name)
            if ours or name in {"Verdict", "RenderCancelled"}:
                found = node.args
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "detail" for target in node.targets
        ):
            found = [node.value]
        elif isinstance(node, ast.FunctionDef) and node.name in {"obituary", "_notes"}:
            found = [part for part in ast.walk(node) if isinstance(part, ast.JoinedStr)]
        yield from (sentence for value in found if (sentence := sentence_of(value)))


def sentence_of(value: ast.expr) -> str:
    """The text of a literal; empty for anything else and for codes."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and " " in value.value:
        return value.value
    if isinstance(value, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "7" for part in value.values)
        return "".join(str(part) for part in parts)
    return ""


def all_spoken() -> list[str]:
    return sorted({s for path in modules(*SPEAKERS) for s in spoken(ast.parse(path.read_text()))})


@pytest.mark.parametrize("sentence", all_spoken())
def test_what_engines_and_workers_say_is_translated(sentence: str) -> None:
    with translation.override("zh-hans"):
        assert re.search(r"[一-鿿]", translated(sentence)), "name it in zhiying/kernel/translatable.py"
    with translation.override("en"):
        assert translated(sentence) == sentence


def test_the_search_for_sentences_finds_them() -> None:
    """Otherwise the test above would pass by finding nothing."""
    found = all_spoken()
    assert len(found) >= 15
    for known in (
        "No face was found in the portrait.",
        "Rendering took too long and was stopped.",
        "The render process ended unexpectedly (exit 7).",
        "The worker stopped while it rendered this video.",
        "The engine failed on this portrait and recording.",
    ):
        assert known in found


@pytest.mark.parametrize("template", [*MESSAGES.values(), *NAMES])
def test_what_is_wrong_with_a_file_is_translated(template: str) -> None:
    values = dict.fromkeys(VALUE.findall(template), "7")
    with translation.override("zh-hans"):
        chinese = filled(template, values) if values else gettext(template)
    assert re.search(r"[一-鿿]", chinese), "name it in zhiying/kernel/translatable.py"
    assert len(values) + template.count("7") == chinese.count("7")


def test_values_in_words_are_translated_within_their_sentence() -> None:
    with translation.override("zh-hans"):
        told = filled(MESSAGES["image_type"], {"found": "a PDF document"})
    assert told == "这是 PDF 文档。请将人像保存为 JPEG、PNG 或 WebP。"


def test_a_remark_is_translated_around_its_values() -> None:
    with translation.override("zh-hans"):
        assert translated("Understood from the prompt: 微笑 smile.") == "已从提示词识别：微笑 smile。"
        assert translated("Something new.") == "Something new."
        assert translated("") == ""
