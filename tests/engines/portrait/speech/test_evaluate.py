"""The evaluation command and what it measures with."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.engines.portrait.conftest import Rendered
from tests.engines.portrait.speech.signals import SENTENCE, SENTENCE_LIPS_CLOSED_S, recording
from workshop.evaluate import clip, curves, mouth, phones
from workshop.evaluate.__main__ import main
from workshop.speech_training import labels


@pytest.mark.parametrize("delay", [-3, 0, 2])
def test_the_lag_of_a_delayed_curve_is_its_delay(delay: int) -> None:
    real = np.random.default_rng(1).normal(size=200).astype(np.float32)
    ours = np.roll(real, delay)

    shift, value = curves.lag(ours, real, reach=6)

    assert shift == delay
    assert value is not None
    assert value > 0.95


def test_a_flat_curve_correlates_with_nothing() -> None:
    assert curves.correlation(np.zeros(9, np.float32), np.arange(9, dtype=np.float32)) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The real sentence with labels of its closed lips only."""
    known, now = [], 0.0
    pcm = recording(SENTENCE)
    for start, end in SENTENCE_LIPS_CLOSED_S:
        known += [labels.Label(now, start, "a"), labels.Label(start, end, "m")]
        now = end
    known.append(labels.Label(now, len(pcm) / 16_000, "a"))
    labels.write(tmp_path / "en_sentence", pcm, known)
    return tmp_path


def test_closures_of_a_labelled_recording_are_counted(folder: Path) -> None:
    (row,) = phones.measure_folders([folder])

    assert row["b/p/m"] == len(SENTENCE_LIPS_CLOSED_S)
    assert isinstance(row["recall"], float)
    assert isinstance(row["precision"], float)
    assert row["recall"] >= 0.8
    assert row["precision"] >= 0.6
    assert row["lag (frames)"] == 0


def test_bilabials_side_by_side_are_one_closure() -> None:
    names = [("a", 0.2), ("m", 0.3), ("sil", 0.34), ("p", 0.4), ("a", 0.5), ("p", 0.6), ("a", 0.9)]
    starts = [0.0, *(end for _, end in names)]
    known = [labels.Label(start, end, name) for start, (name, end) in zip(starts, names, strict=False)]

    assert phones.bilabial_spans(known) == [(0.2, 0.4), (0.5, 0.6)]


def test_closures_beside_the_labelled_ones_count_against_precision(folder: Path) -> None:
    pcm, _ = labels.read(folder / "en_sentence.wav")
    labels.write(folder / "en_sentence", pcm, [labels.Label(0, 0.1, "m"), labels.Label(0.1, 3.2, "a")])

    (row,) = phones.measure_folders([folder])

    assert row["precision"] == 0


def test_the_command_prints_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phones", str(folder)]) == 0

    heading, rule, row = capsys.readouterr().out.splitlines()
    assert heading.startswith("| material")
    assert set(rule) == {"|", "-"}
    assert row.count("|") == heading.count("|")


@pytest.mark.parametrize("command", ["phones", "clip", "video"])
def test_the_command_says_what_it_could_not_measure(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path if command == "phones" else tmp_path / "nothing.mp4"

    assert main([command, str(path)]) == 1

    assert str(path) in capsys.readouterr().err


def test_a_rendering_moves_its_mouth_with_its_sound(rendered: Rendered) -> None:
    row = clip.measure_rendering(rendered.spec.output)

    assert row["lag (frames)"] == 0
    assert isinstance(row["r"], float)
    # Three seconds of a grin: longer renderings of both portraits give .77 to .94.
    assert row["r"] > 0.6
    assert isinstance(row["closures that touch"], float)
    # Other seeds and prompts give .75 to 1: the mesh takes a nod for some hundredths of a gap.
    assert row["closures that touch"] > 0.7
    assert row["lost frames"] == 0


def test_a_filmed_speaker_is_measured_by_the_files_own_times(rendered: Rendered, tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    delay_sound(rendered.spec.output, late, frames=3)

    row = clip.measure_clip(late)

    assert row["lag (frames)"] == 3
    assert isinstance(row["best r"], float)
    assert row["best r"] > 0.7


def test_titles_before_and_after_the_face_are_not_measured(rendered: Rendered, tmp_path: Path) -> None:
    titled = tmp_path / "titled.mp4"
    blacken(rendered.spec.output, titled, first=10, last=5)
    plain = mouth.film(rendered.spec.output)

    filmed = mouth.film(titled)

    assert filmed.lost == 0
    assert len(filmed.opening) == len(plain.opening) - 15
    assert filmed.moments[0] == pytest.approx(plain.moments[10], abs=0.002)
    assert filmed.pixels == pytest.approx(plain.pixels, abs=1)


def blacken(source: Path, target: Path, first: int, last: int) -> None:
    """Copy a video with so many of its frames black; the sound stays as it is."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        shown, heard = reader.streams.video[0], reader.streams.audio[0]
        sound = writer.add_stream_from_template(heard)
        picture = writer.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = shown.width, shown.height, "yuv420p"
        for packet in reader.demux(heard):
            if packet.dts is not None:
                packet.stream = sound
                writer.mux(packet)
        reader.seek(0)
        frames = [frame.to_ndarray(format="bgr24") for frame in reader.decode(shown)]
        for index, image in enumerate(frames):
            black = index < first or index >= len(frames) - last
            frame = av.VideoFrame.from_ndarray(image * (not black), format="bgr24")
            writer.mux(picture.encode(frame.reformat(format="yuv420p")))
        writer.mux(picture.encode(None))


def delay_sound(source: Path, target: Path, frames: int) -> None:
    """Copy a video of 25 frames a second with its sound this many of them later."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        streams = {one.index: writer.add_stream_from_template(one) for one in reader.streams}
        for packet in reader.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                delay = round(frames / 25 / packet.time_base)
                packet.dts, packet.pts = packet.dts + delay, (packet.pts or 0) + delay
            packet.stream = streams[packet.stream.index]
            writer.mux(packet)
