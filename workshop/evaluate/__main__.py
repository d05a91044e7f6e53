"""The evaluation command.

python -m workshop.evaluate phones [FOLDER...]
python -m workshop.evaluate clip VIDEO...
python -m workshop.evaluate video OUT.mp4...
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workshop.evaluate.report import print_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answers 0, or 1 with a sentence on stderr where nothing could be measured."""
    options = _parser().parse_args(arguments)
    try:
        rows = options.measure(options)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"evaluate: {error}\n")
        return 1
    print_table(rows)
    return 0


def _phones(options: argparse.Namespace) -> list[dict[str, object]]:
    from workshop.evaluate import material, phones

    if options.folder:
        return phones.measure_folders(options.folder)
    with material.synthesised() as folder:
        return phones.measure_folders([folder])


def _clip(options: argparse.Namespace) -> list[dict[str, object]]:
    from workshop.evaluate import clip

    return [clip.measure_clip(path) for path in options.file]


def _video(options: argparse.Namespace) -> list[dict[str, object]]:
    from workshop.evaluate import clip

    return [clip.measure_rendering(path) for path in options.file]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workshop.evaluate", description="Measure how true the lips are."
    )
    commands = parser.add_subparsers(required=True)
    phones = commands.add_parser(
        "phones", help="closures, lip classes and lag against recordings with known sound timings"
    )
    phones.add_argument(
        "folder",
        type=Path,
        nargs="*",
        help="folders of NAME.wav (mono 16 kHz) with NAME.lab; without any, espeak-ng speaks",
    )
    phones.set_defaults(measure=_phones)
    clip = commands.add_parser("clip", help="our mouth against the real one of a filmed person who speaks")
    clip.add_argument("file", type=Path, nargs="+", help="video with one face and its sound")
    clip.set_defaults(measure=_clip)
    video = commands.add_parser("video", help="lag, closures and stillness in a rendered video")
    video.add_argument("file", type=Path, nargs="+")
    video.set_defaults(measure=_video)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
