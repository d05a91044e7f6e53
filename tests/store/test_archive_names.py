"""Names in archives: every system can unpack every one of them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.store.archive_names import MAX_BYTES, DistinctNames, safe_name, safe_stem

DEVICES = ["CON", "nul", "Aux", "PRN", "COM1", "lpt9", "COM¹", "CONIN$", "CON.backup", "nul .x"]


def give(*names: str) -> list[str]:
    distinct = DistinctNames("manifest.csv")
    return [distinct.give(name, ".mp4", "video") for name in names]


@pytest.mark.parametrize("device", DEVICES)
def test_devices_of_windows_are_no_names(device: str) -> None:
    name = give(f"{device}.jpg")[0]
    assert name.split(".")[0].rstrip(" ").casefold() != device.split(".")[0].rstrip(" ").casefold()
    assert safe_name(device, ".zip", "batch").startswith("_")


def test_a_name_that_only_begins_like_a_device_stays() -> None:
    assert give("console.jpg", "com10.jpg", "nullable.jpg") == ["console.mp4", "com10.mp4", "nullable.mp4"]


def test_a_long_chinese_name_is_cut_by_bytes() -> None:
    name = give("春" * 120 + ".jpg")[0]
    assert len(name.encode()) <= MAX_BYTES
    assert name == "春" * 83 + ".mp4"


def test_long_names_stay_distinct_with_their_numbers() -> None:
    names = give(*["春" * 120 + ".jpg"] * 11)
    assert len(set(names)) == 11
    assert all(len(name.encode()) <= MAX_BYTES for name in names)
    assert names[10].endswith(" (11).mp4")


@pytest.mark.parametrize("unit", ["e\u0301\u0323", "👩🏽\u200d🚀", "कि", "🏳\ufe0f"])
def test_a_cut_does_not_go_through_a_character_as_people_see_it(unit: str) -> None:
    for filler in range(12):
        stem = give("a" * filler + unit * 100 + ".jpg")[0].removesuffix(".mp4")
        composed = unicodedata.normalize("NFC", unit)
        rest = stem.removeprefix("a" * filler)
        assert rest == composed * (len(rest) // len(composed))


def test_names_are_distinct_to_every_file_system() -> None:
    names = give("a.jpg", "A.png", "é.jpg", "E\u0301.jpg", "straße.jpg", "STRASSE.jpg", "manifest.csv")
    folded = [unicodedata.normalize("NFC", name.casefold()) for name in names]
    assert len(set(folded)) == len(names)


@pytest.mark.parametrize("name", ["", ".", "...", " . ", "\x00\x01", "\u200d", "\ud800", "\u202e"])
def test_a_name_without_anything_to_show_gets_the_default(name: str) -> None:
    assert safe_name(name, ".zip", "batch") == "batch.zip"


@given(st.lists(st.text(max_size=300), min_size=1, max_size=6))
def test_any_names_are_valid_and_distinct(originals: list[str]) -> None:
    names = give(*originals)
    assert len({unicodedata.normalize("NFC", name.casefold()) for name in names}) == len(names)
    for name in names:
        assert 4 < len(name.encode()) <= MAX_BYTES
        assert not set(name) & set('<>:"/\\|?*')
        assert not any(ord(character) < 32 for character in name)
        assert name.endswith(".mp4")
        stem = name.removesuffix(".mp4")
        assert stem == stem.rstrip(" .")
        assert not stem.startswith((" ", "."))


@given(st.text(max_size=400))
def test_making_a_stem_safe_twice_changes_nothing_more(name: str) -> None:
    once = safe_stem(name)
    assert safe_stem(once) == once
