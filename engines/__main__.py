"""`python -m engines NAME PORTRAIT AUDIO OUT.mp4`: one video by any engine, without the platform.

For trying a server before it is used: settings come from the environment, the credential from
`ENGINE_CREDENTIAL`. The recording is a 48 kHz mono 16-bit WAV, as the platform hands it over.
"""

import argparse
import os
import sys
import tempfile
import time
import wave
from pathlib import Path
from uuid import uuid4

from engines.base import EngineBusyError, EngineError, RenderSpec
from engines.registry import get_engine, make_remote_engine, remote_engine_paths
from engines.remote import JobOrder, JobState, JobView, RemoteEngine
from engines.results import make_ours

LOOK_S, LONGEST_S = 2.0, 3600.0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engines", description="One video by any engine.")
    parser.add_argument("engine")
    parser.add_argument("portrait", type=Path)
    parser.add_argument("audio", type=Path, help="48 kHz mono 16-bit WAV")
    parser.add_argument("output", type=Path)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--look-s", type=float, default=LOOK_S, help="seconds between looks at a job")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """0 when the video was written, 1 with the reason on stderr when not."""
    options = parse(arguments)
    spec = RenderSpec(
        portrait=options.portrait.absolute(),
        audio=options.audio.absolute(),
        output=options.output.absolute(),
        prompt=options.prompt,
        seed=options.seed,
    )
    try:
        if options.engine in remote_engine_paths():
            engine = make_remote_engine(
                options.engine, os.environ, lambda: os.environ.get("ENGINE_CREDENTIAL", "")
            )
            _by_remote(engine, spec, options.look_s)
        else:
            get_engine(options.engine).render(spec, lambda share: None, lambda: False)
    except EngineError as error:
        sys.stderr.write(f"{error.code}: {error.detail}\n")
        return 1
    sys.stdout.write(f"{spec.output}\n")
    return 0


def _by_remote(engine: RemoteEngine, spec: RenderSpec, look_s: float) -> None:
    ready = engine.readiness()
    if not ready.ready:
        raise EngineError(ready.code, ready.detail)
    with wave.open(str(spec.audio)) as recording:
        audio_s = recording.getnframes() / recording.getframerate()
    order = JobOrder(
        job_id=uuid4(),
        portrait=spec.portrait,
        audio=spec.audio,
        prompt=spec.prompt,
        seed=spec.seed,
        audio_s=audio_s,
    )
    their_id = engine.submit(order)
    sys.stderr.write(f"{their_id}\n")
    try:
        view = _ended(engine, their_id, look_s)
    except KeyboardInterrupt:
        engine.cancel(their_id)
        raise
    if view.state is not JobState.DONE:
        raise view.error or EngineError("result_missing")
    with tempfile.TemporaryDirectory() as folder:
        engine.fetch(their_id, Path(folder) / "generated")
        make_ours(Path(folder) / "generated", spec, lambda share: None, lambda: False)


def _ended(engine: RemoteEngine, their_id: str, look_s: float) -> JobView:
    """Look until the job has ended; what passes is waited out."""
    ends, told = time.monotonic() + LONGEST_S, ""
    while time.monotonic() < ends:
        try:
            view = engine.look([their_id]).get(their_id)
        except EngineBusyError as error:
            sys.stderr.write(f"{error.detail}\n")
            view = None
        if view is not None:
            if view.state not in (JobState.WAITING, JobState.RUNNING):
                return view
            line = f"{view.state} {view.queue_position or ''} {view.progress or ''}".rstrip()
            if line != told:
                sys.stderr.write(f"{line}\n")
                told = line
        time.sleep(look_s)
    engine.cancel(their_id)
    raise EngineBusyError


if __name__ == "__main__":
    sys.exit(main())
