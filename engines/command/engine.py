"""Any program as an engine: a template of arguments, never a shell.

Each job has a private folder beside its video, which goes with that however the render ends. In it are ASCII
names with no dots but the extensions', and a 16 kHz WAV beside the portrait; paths are absolute. Success is a
file that `engines.results` proves to be the video, never an exit code.
"""

import os
import shlex
import shutil
import string
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engines.base import (
    Cancelled,
    Capabilities,
    EngineError,
    EngineStoppedError,
    EngineUnavailableError,
    Progress,
    Readiness,
    RenderResult,
    RenderSpec,
    UnusableResultError,
    machine_trouble,
)
from engines.command.presets import PRESETS, Preset
from engines.command.process import Ended, Limits, run
from engines.failures import failure_of
from engines.http import said
from engines.options import number_of
from engines.results import make_ours

RUN_SHARE = 0.8
"""Where on the progress bar the program has ended; it tells nothing on its way."""
PREFIX = "COMMAND_"
ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "HF_HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
)
ENVIRONMENT_BEGINNINGS = ("LC_", "PYTHON", "OMP_", "CUDA_", "NVIDIA_")
TOLD = 600
"""Characters of a program's last words that are shown."""


@dataclass(frozen=True)
class Call:
    """What is run, from `COMMAND_PRESET` or from `COMMAND_TEMPLATE` and `COMMAND_OUTPUT`.

    Values in arguments: {portrait} {audio} {folder} {output} {prompt} {seed} {seconds} {frames} {segments},
    their `_json` forms in files; {python} {models} … come from `COMMAND_PYTHON`, `COMMAND_MODELS`, ….
    """

    preset: Preset
    extra: tuple[str, ...]
    settings: Mapping[str, str]
    """Lower-case names of the COMMAND_ variables, for placeholders."""
    directory: Path | None
    limits: Limits
    max_concurrent: int

    @staticmethod
    def of(options: Mapping[str, str]) -> "Call":
        name = options.get("COMMAND_PRESET", "").strip()
        template = options.get("COMMAND_TEMPLATE", "").strip()
        if name and name not in PRESETS:
            raise _setting("COMMAND_PRESET", f"one of {', '.join(PRESETS)}")
        if not name and not template:
            raise _setting("COMMAND_PRESET", "neither a preset nor COMMAND_TEMPLATE is given")
        directory = options.get("COMMAND_DIRECTORY", "").strip()
        call = Call(
            PRESETS[name] if name else _own_preset(template, options),
            tuple(_split("COMMAND_ARGS", options.get("COMMAND_ARGS", ""))),
            {"python": "python", "torchrun": "torchrun"}
            | {key[len(PREFIX) :].lower(): text for key, text in options.items() if key.startswith(PREFIX)},
            Path(directory).absolute() if directory else None,
            Limits(
                seconds=number_of(options, "COMMAND_TIMEOUT_S", 3600, least=1),
                memory_mb=number_of(options, "COMMAND_MEMORY_MB", 65_536, least=16),
            ),
            int(number_of(options, "COMMAND_CONCURRENT", 1, least=1)),
        )
        call.check()
        return call

    def check(self) -> None:
        """Every placeholder has a value: told at start-up rather than by a failed render."""
        values = {**self.settings, **dict.fromkeys(VALUES, "")}
        for template in (*self.preset.arguments, *self.extra, *self.preset.files.values()):
            for _, field, _, _ in string.Formatter().parse(template):
                if field is not None and field not in values:
                    raise _setting(f"{PREFIX}{field.upper()}", "the command needs it")

    def filled(self, template: str, values: Mapping[str, str]) -> str:
        return template.format(**{**self.settings, **values})


VALUES = (
    *("portrait", "audio", "folder", "output", "prompt", "seed", "seconds", "frames", "segments"),
    *("portrait_json", "audio_json", "prompt_json"),
)


class CommandEngine:
    """Implements `engines.base.Engine`, from the environment of the process that renders."""

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = os.environ if options is None else options

    def capabilities(self) -> Capabilities:
        call = self._call()
        preset = call.preset
        return Capabilities(
            name="command",
            label=preset.title,
            min_side_px=128,
            max_side_px=8000,
            min_audio_s=0.5,
            max_audio_s=number_of(self._options, "COMMAND_MAX_AUDIO_S", preset.max_audio_s, least=1),
            fps=preset.fps,
            max_concurrent=call.max_concurrent,
            understands_prompt=preset.understands_prompt,
            needs_face=preset.needs_face,
        )

    def readiness(self) -> Readiness:
        try:
            call = self._call()
            program = call.filled(call.preset.arguments[0], dict.fromkeys(VALUES, ""))
            if shutil.which(program) is None:
                return Readiness.no(EngineStoppedError("command_missing", name=program))
            if call.directory is not None and not call.directory.is_dir():
                return Readiness.no(_setting("COMMAND_DIRECTORY", "no such folder"))
        except EngineError as error:
            return Readiness.no(error)
        return Readiness(ready=True)

    def warm_up(self) -> None:
        self._call()

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        """Run the program for `spec`; what it made is proven and made ours."""
        from engines.command.folder import lay_out  # with FFmpeg's libraries, which only a render needs

        call = self._call()
        progress(0.0)
        try:
            with tempfile.TemporaryDirectory(prefix="command-", dir=spec.output.parent) as name:
                folder = Path(name).resolve()
                values = lay_out(spec, folder, call.preset)
                arguments = [
                    call.filled(template, values) for template in (*call.preset.arguments, *call.extra)
                ]
                for file, content in call.preset.files.items():
                    (folder / file).write_text(call.filled(content, values), encoding="utf-8")
                ended = run(arguments, folder, self._environment(), call.limits, cancelled, call.directory)
                progress(RUN_SHARE)
                made = _found(folder, call.preset.output)
                if made is None:
                    raise _nothing_made(ended, folder)
                return make_ours(
                    made, spec, lambda share: progress(RUN_SHARE + (1 - RUN_SHARE) * share), cancelled
                )
        except OSError as error:
            raise machine_trouble(error) from error

    def _call(self) -> Call:
        return Call.of(self._options)

    def _environment(self) -> dict[str, str]:
        """No secrets: only what programs need to find themselves and their graphics card."""
        return {
            name: value
            for name, value in os.environ.items()
            if name in ENVIRONMENT or name.startswith(ENVIRONMENT_BEGINNINGS)
        }


def _setting(name: str, reason: str) -> EngineStoppedError:
    return EngineStoppedError("engine_setting", name=name, reason=reason)


def _split(name: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise _setting(name, str(error)) from error


def _own_preset(template: str, options: Mapping[str, str]) -> Preset:
    arguments = tuple(_split("COMMAND_TEMPLATE", template))
    output = options.get("COMMAND_OUTPUT", "").strip() or "output*.*"
    if Path(output).is_absolute() or ".." in Path(output).parts:
        raise _setting("COMMAND_OUTPUT", "a pattern below the job's folder")
    return Preset(
        title=options.get("COMMAND_LABEL", "").strip() or "Command",
        licence="",
        arguments=arguments,
        output=output,
        fps=int(number_of(options, "COMMAND_FPS", 25, least=1)),
        understands_prompt="{prompt}" in template,
        needs_face=False,
    )


def _found(folder: Path, pattern: str) -> Path | None:
    """The newest file of that pattern that really lies in the folder."""
    matches = [
        path
        for path in folder.glob(pattern)
        if path.is_file() and not path.is_symlink() and path.resolve().is_relative_to(folder)
    ]
    return max(matches, key=lambda path: path.stat().st_mtime_ns, default=None)


def _nothing_made(ended: Ended, folder: Path) -> EngineError:
    """Why there is no video: from the program's last words, without our paths."""
    words = ended.tail.replace(f"{folder}/", "")[-TOLD:]
    if not words and ended.status == 0:
        return UnusableResultError("result_missing")
    error = failure_of(words)
    if error.code not in ("generation_failed", "input_refused"):
        return error
    reason = said(words, TOLD)
    if error.retryable:
        return EngineUnavailableError("command_failed", status=ended.status, reason=reason)
    return EngineError("command_failed", status=ended.status, reason=reason)
