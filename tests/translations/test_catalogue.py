"""Whatever the server says to people exists in Chinese, and the compiled catalogue is the written one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.utils import translation
from django.utils.translation import gettext

from engines.sentences import NOTES, filled
from videos import catalogue as catalogue_of_codes
from videos.media.problems import MESSAGES
from videos.media.sniffing import NAMES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "zhiying" / "locale" / "zh_Hans" / "LC_MESSAGES"
SPEAKERS = ("engines", "videos")
"""Where failures, remarks and problems of files arise."""
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


# --- Codes of plain Python ---------------------------------------------------------------------------

FAILING = {
    "NoFaceError": "no_face",
    "RenderCancelled": "cancelled",
    "EngineError": "engine_error",
    "EngineBusyError": "server_busy",
}
"""Errors whose code is not an argument."""
SPEAKING = re.compile(
    r"^(Unusable\w+Error|Engine(Unavailable|Busy|Stopped)?Error|RenderFailedError|Verdict)$"
)


def spoken(tree: ast.AST) -> Iterator[tuple[str, str, frozenset[str]]]:
    """What is said by code: the kind ("failure", "note", "file"), the code, and the names of its values."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            code = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if not isinstance(code, str):
                continue
            if SPEAKING.match(name):
                yield "failure", code, _failure_values(node)
            elif name == "Note" and code:
                yield "note", code, _keys(node.args[1] if len(node.args) > 1 else None)
            elif name == "MediaProblem":
                yield "file", code, frozenset()


def _failure_values(call: ast.Call) -> frozenset[str]:
    """Keywords of an engine's error are values; the worker's errors have them in `params`."""
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if "params" in given:
        return _keys(given["params"])
    not_values = {
        "retryable",
        "unavailable",
        "detail",
        "message",
        "pauses",
        "retry_after_s",
        "tries_again",
        "nothing_sent",
    }
    return frozenset(given) - not_values


def _keys(node: ast.expr | None) -> frozenset[str]:
    keys = node.keys if isinstance(node, ast.Dict) else []
    return frozenset(str(key.value) for key in keys if isinstance(key, ast.Constant))


def all_spoken() -> list[tuple[str, str, frozenset[str]]]:
    found = {said for path in modules(*SPEAKERS) for said in spoken(ast.parse(path.read_text()))}
    return sorted(found, key=lambda said: (said[0], said[1]))


CATALOGUES = {"failure": catalogue_of_codes.FAILURES, "note": NOTES, "file": MESSAGES}


@pytest.mark.parametrize(("kind", "code", "values"), all_spoken())
def test_every_code_has_a_sentence_of_its_values(kind: str, code: str, values: frozenset[str]) -> None:
    template = CATALOGUES[kind][code]
    if kind != "file":
        assert frozenset(VALUE.findall(template)) == values


def test_the_search_for_codes_finds_them() -> None:
    """Otherwise the test above would pass by finding nothing."""
    found = {(kind, code) for kind, code, _values in all_spoken()}
    assert len(found) >= 50
    assert found >= {
        ("failure", "face_too_narrow"),
        ("failure", "render_crashed"),
        ("failure", "worker_lost"),
        ("note", "several_faces"),
        ("file", "image_type"),
    }


def test_no_code_of_the_catalogue_is_without_use() -> None:
    said = {(kind, code) for kind, code, _values in all_spoken()}
    fallbacks = {("failure", "engine_unavailable")}  # for engines that are installed beside ours
    implied = {("failure", code) for code in FAILING.values()}
    for kind in ("failure", "note"):
        assert {(kind, code) for code in CATALOGUES[kind]} - said - implied - fallbacks == set()


@pytest.mark.parametrize("template", [t for codes in CATALOGUES.values() for t in codes.values()] + [*NAMES])
def test_every_sentence_is_translated_with_its_values(template: str) -> None:
    values = dict.fromkeys(VALUE.findall(template), "7")
    with translation.override("zh-hans"):
        chinese = filled(gettext(template), values)
    assert re.search(r"[一-鿿]", chinese), "run `make messages` and translate it"
    assert len(values) + template.count("7") == chinese.count("7")


def test_values_in_words_are_translated_within_their_sentence() -> None:
    with translation.override("zh-hans"):
        told = catalogue_of_codes.media_problem("image_type", {"found": "a PDF document"})
    assert told == "这是 PDF 文档。请将人像保存为 JPEG、PNG 或 WebP。"


def test_a_remark_is_told_in_the_language_of_its_reader() -> None:
    kept = {"code": "prompt_understood", "params": {"words": "微笑 smile"}}
    with translation.override("en"):
        assert catalogue_of_codes.note(kept) == "Understood from the prompt: 微笑 smile."
    with translation.override("zh-hans"):
        assert catalogue_of_codes.note(kept) == "已从提示词识别：微笑 smile。"
        assert catalogue_of_codes.note({"code": "", "params": {"text": "Something new."}}) == "Something new."


def test_a_code_that_is_not_ours_is_told_by_its_own_sentence() -> None:
    with translation.override("zh-hans"):
        assert catalogue_of_codes.failure("acme_tired", {"hours": 8}, "Acme is tired.") == "Acme is tired."
        assert catalogue_of_codes.failure("face_too_narrow", {}, "Ours, but other values") == (
            "Ours, but other values"
        )
    assert catalogue_of_codes.failure_in_english("acme_tired", {}, "Acme is tired.") == "Acme is tired."
    assert catalogue_of_codes.failure_in_english("no_face", {}) == "No face was found in the portrait."
