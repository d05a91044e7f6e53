"""`python -m engines.portrait PORTRAIT AUDIO OUT.mp4`: the engine on its own."""

import argparse
import sys
import time
from pathlib import Path

from engines.base import EngineError, RenderSpec
from engines.portrait.engine import PortraitEngine

BAR_WIDTH = 40


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m engines.portrait", description="Make a photo talk, on the CPU."
    )
    parser.add_argument("portrait", type=existing_file, help="photo with a face (JPEG, PNG, WebP)")
    parser.add_argument("audio", type=existing_file, help="speech (WAV, MP3, …)")
    parser.add_argument("output", type=Path, help="the video to write (.mp4)")
    parser.add_argument("--prompt", default="", help="how to play it, e.g. '微笑，轻轻点头' or 'serious'")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another performance")
    parser.add_argument("--poster", type=Path, help="also write the first frame as a JPEG")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 chooses")
    parser.add_argument("--cache", type=Path, help="folder to keep what depends on the audio alone")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="engine setting")
    return parser.parse_args(arguments)


def existing_file(name: str) -> Path:
    """The path of a file that is there; raises what argparse shows."""
    path = Path(name)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {name}")
    return path


def show_progress(share: float) -> None:
    """Redraw the bar, when somebody is looking."""
    if sys.stderr.isatty():
        filled = round(share * BAR_WIDTH)
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {share:4.0%} ")
        sys.stderr.flush()


def main(arguments: list[str] | None = None) -> int:
    """Render; 0 when the video was written, 1 with one line on stderr when not."""
    options = parse(arguments)
    spec = RenderSpec(
        portrait=options.portrait.absolute(),
        audio=options.audio.absolute(),
        output=options.output.absolute(),
        poster=options.poster.absolute() if options.poster else None,
        prompt=options.prompt,
        seed=options.seed,
        threads=options.threads,
        cache_dir=options.cache,
        options=dict(item.partition("=")[::2] for item in options.option),
    )
    started = time.monotonic()
    try:
        result = PortraitEngine().render(spec, show_progress, lambda: False)
    except EngineError as error:
        sys.stderr.write(
            f"\n{error.code}: {error.detail}\n" if sys.stderr.isatty() else f"{error.code}: {error.detail}\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130
    took = time.monotonic() - started
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    facts = f"{result.width} × {result.height}, {result.duration_s:.2f} s, made in {took:.1f} s"
    sys.stdout.write(f"{options.output}: {facts}\n")
    for note in result.notes:
        sys.stdout.write(f"  {note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
