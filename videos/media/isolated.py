"""Decodes one costly image in a process of its own.

A 50-megapixel WebP takes 800 MB for a second. In a child the server's own memory stays flat, all of it is
given back, and neither a runaway decoder nor a crash of one reaches the server.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from engines.sandbox import child_environment, give_up_privileges

from .files import write_all
from .image_decoding import ImageLimits, PreparedImage, check_image, decode_image
from .problems import MediaProblem

_TIME_LIMIT_S = 60
_MEMORY_HEADROOM_BYTES = 1_000_000_000  # address space of the interpreter and its libraries
_ROOT = Path(__file__).resolve().parents[2]


def prepare_isolated(
    file: BinaryIO, decode_bytes: int, limits: ImageLimits, portrait_out: Path, thumbnail_out: Path
) -> PreparedImage:
    """Do in a child process what `prepare_image` does; raises `MediaProblem` or OSError as it would."""
    with tempfile.NamedTemporaryFile() as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        task = {
            "source": copy.name,
            "memory": decode_bytes + _MEMORY_HEADROOM_BYTES,
            "limits": asdict(limits),
            "portrait_out": str(portrait_out.absolute()),
            "thumbnail_out": str(thumbnail_out.absolute()),
        }
        return _result(_run(json.dumps(task)))


def _run(task: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=task,
            capture_output=True,
            text=True,
            cwd=_ROOT,
            env=child_environment(),
            timeout=_TIME_LIMIT_S,
            start_new_session=True,  # the terminal's Ctrl-C is for the server, which waits for this
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MediaProblem("image_too_complex") from error
    if done.returncode < 0:
        ended = done.returncode in (-signal.SIGKILL, -signal.SIGXCPU)
        raise MediaProblem("image_too_complex" if ended else "image_unreadable")
    if done.returncode:
        raise RuntimeError(f"the image decoder's process failed: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _result(answer: dict[str, Any]) -> PreparedImage:
    if "code" in answer:
        raise MediaProblem(answer["code"], answer["params"])
    if "errno" in answer:
        raise OSError(answer["errno"], answer["error"])
    return PreparedImage(**answer)


def _work(task: dict[str, Any]) -> dict[str, Any]:
    limits = ImageLimits(**task["limits"])
    try:
        with Path(task["source"]).open("rb") as file:
            decoded = decode_image(file, check_image(file, limits), limits)
        write_all(
            {Path(task["thumbnail_out"]): decoded.thumbnail, Path(task["portrait_out"]): decoded.portrait}
        )
    except MediaProblem as problem:
        return {"code": problem.code, "params": problem.params}
    except MemoryError:  # wherever the limit was met
        return {"code": "image_too_complex", "params": {}}
    except OSError as error:
        return {"errno": error.errno, "error": error.strerror}
    return asdict(decoded.prepared)


def _limit(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (_TIME_LIMIT_S, _TIME_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    give_up_privileges()
    given = json.load(sys.stdin)
    _limit(given["memory"])
    sys.stdout.write(json.dumps(_work(given)))
