"""Intake: every uploaded file is proven and normalised before anything is charged.

All problems are found and reported together, so that a person fixes them in one go.
"""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.translation import gettext as _

from accounts.models import User
from videos import catalogue
from videos.engine_names import all_engines, own_engine
from videos.media.audio_facts import AudioLimits, PreparedAudio
from videos.media.face_check import FaceProblem
from videos.media.image_batch import ImageJob, prepare_images
from videos.media.images import ImageLimits, PreparedImage
from videos.media.problems import MediaProblem, Param
from videos.services.earlier import StoredPortrait, StoredRecording
from videos.services.engine_limits import Day, EngineLimits, day_of, engine_limits, limits_of
from videos.services.faces import are_looked_at, face_problems
from videos.services.routing import NoRouteError, Route, route_for
from videos.store import files as stored
from videos.store import scratch
from videos.store.files import FileSource
from videos.store.uploads import is_oversized
from zhiying.kernel.errors import DomainError, InvalidError
from zhiying.kernel.types import Upload

MAX_NAME_LENGTH = 255
SHOWN_PROBLEMS = 3
"""How many problems the summary sentence spells out."""

Problem = MediaProblem | FaceProblem
"""What is wrong with a file: in itself, or for the engine."""

AudioOutcome = PreparedAudio | StoredRecording | MediaProblem | None

_turns = threading.BoundedSemaphore(settings.INTAKE_AT_ONCE)


@dataclass(frozen=True)
class SubmittedFile:
    """A file as it was submitted: its clean name, and where it lies (on this machine, or stored by an earlier
    batch), or what is wrong."""

    name: str
    content: Path | StoredPortrait | StoredRecording | MediaProblem


@dataclass(frozen=True)
class PreparedPortrait:
    """An image that passed: its normalised files and its upright size (px)."""

    original_name: str
    portrait: FileSource
    thumbnail: FileSource
    width: int
    height: int


@dataclass(frozen=True)
class PreparedFiles:
    """All files of a batch, proven and normalised. Those on this machine vanish when the request ends."""

    portraits: Sequence[PreparedPortrait]
    audio: FileSource
    audio_name: str
    audio_duration_s: float
    route: Route
    """Which engine makes the batch."""
    notices: Sequence[dict[str, str]] = ()
    """What a person should know, though nothing is wrong: `code` and `detail`."""


class InvalidBatchError(InvalidError):
    """Some files or fields of a batch are not acceptable; `errors` names each of them."""

    code = "invalid_batch"

    def __init__(self, errors: dict[str, Any]) -> None:
        problems = [*errors.get("images", []), *(value for key, value in errors.items() if key != "images")]
        super().__init__(summary(problems), extra={"errors": errors})


class BusyError(DomainError):
    """This process has as much to decode as it may."""

    code = "busy"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            _("The server is busy with other uploads. Please try again in a moment."),
            headers={"Retry-After": "5"},
        )


@contextmanager
def prepared_files(
    *,
    user: User,
    images: Sequence[SubmittedFile],
    audio: SubmittedFile | None,
    prompt: str,
    choice: str = "",
) -> Iterator[PreparedFiles]:
    """Check and normalise a batch's files into a scratch folder that lasts as long as the context.

    `choice`: the engine that the user wants, empty for whichever the rules say.

    Raises:
        InvalidBatchError: with every problem there is.
        BusyError: this process prepares as many batches as it may already.
    """
    with _turn(), scratch.temporary_folder("intake-") as folder:
        root = Path(folder)
        limits = limits_of(all_engines())
        wanted = [limits[choice]] if choice in limits else limits.values()
        audio_outcome = _audio_outcome(audio, root / "audio.wav", audio_limits(wanted))
        route, misrouted = _route(user, limits, choice, prompt, audio_outcome)
        engine = route.limits
        audio_outcome = _recording_for_engine(audio_outcome, engine)
        outcomes = _prepare_all(images[: settings.BATCH_MAX_IMAGES], root, engine)
        errors = {**_problems(images, outcomes, audio, audio_outcome, prompt), **misrouted}
        if len(images) <= settings.BATCH_MAX_IMAGES and (day := day_of(engine)) and len(images) > day.left:
            errors["image_count"] = _day_used_up(day)
        if errors or audio_outcome is None or isinstance(audio_outcome, MediaProblem):
            raise InvalidBatchError(errors)
        yield PreparedFiles(
            portraits=[outcome for outcome in outcomes if isinstance(outcome, PreparedPortrait)],
            audio=audio_outcome.audio if isinstance(audio_outcome, StoredRecording) else root / "audio.wav",
            audio_name=audio.name if audio else "",
            audio_duration_s=audio_outcome.duration_s,
            route=route,
            notices=_notices(engine, prompt),
        )


@contextmanager
def prepared_portrait(image: SubmittedFile, *, engine: str) -> Iterator[PreparedPortrait]:
    """Check and normalise a single image for an engine, as `prepared_files` does."""
    with _turn(), scratch.temporary_folder("intake-") as folder:
        outcome = _prepare_all([image], Path(folder), engine_limits(engine))[0]
        if isinstance(outcome, Problem):
            raise InvalidBatchError({"images": [file_problem(outcome, image.name, 0)]})
        yield outcome


def form_image(upload: Upload) -> SubmittedFile:
    """An image that came in a form; the form's parser has cut what is too large."""
    return _form_file(upload, MediaProblem("image_too_large", _limit_mb(settings.IMAGE_MAX_BYTES)))


def form_audio(upload: Upload) -> SubmittedFile:
    """A recording that came in a form."""
    return _form_file(upload, MediaProblem("audio_too_large", _limit_mb(settings.AUDIO_MAX_BYTES)))


def _form_file(upload: Upload, too_large: MediaProblem) -> SubmittedFile:
    if not isinstance(upload, TemporaryUploadedFile):
        raise TypeError("Uploads are streamed to disk; see FILE_UPLOAD_HANDLERS.")
    name = clean_name(upload.name or "")
    return SubmittedFile(name, too_large if is_oversized(upload) else Path(upload.temporary_file_path()))


def _limit_mb(limit_bytes: int) -> dict[str, Param]:
    return {"limit_mb": limit_bytes // 1_000_000}


def clean_name(name: str) -> str:
    """The client's file name without folders and control characters, at most 255 characters."""
    name = PurePosixPath(name).name
    return "".join(character for character in name if character.isprintable())[-MAX_NAME_LENGTH:] or "file"


def image_limits() -> ImageLimits:
    return ImageLimits(
        max_bytes=settings.IMAGE_MAX_BYTES,
        max_pixels=settings.IMAGE_MAX_PIXELS,
        min_side=settings.IMAGE_MIN_SIDE_PX,
    )


def audio_limits(engines: Collection[EngineLimits]) -> AudioLimits:
    """The widest of these engines within the installation's own, so that nothing is decoded for nothing."""
    return AudioLimits(
        max_bytes=settings.AUDIO_MAX_BYTES,
        min_s=min(engine.shortest_s for engine in engines),
        max_s=max(engine.longest_s for engine in engines),
    )


@contextmanager
def _turn() -> Iterator[None]:
    """Decoding takes cores from the threads that answer polls, so only so many batches are at it at once."""
    if not _turns.acquire(timeout=settings.INTAKE_WAIT_S):
        raise BusyError
    try:
        yield
    finally:
        _turns.release()


def _prepare_all(
    images: Sequence[SubmittedFile], root: Path, engine: EngineLimits
) -> list[PreparedPortrait | Problem]:
    """The outcome for each image, in order; those that have a problem already, or were proven by an earlier
    batch, are not even opened."""
    jobs = [
        (image, ImageJob(image.content, root / f"{index}.jpg", root / f"{index}.thumbnail.jpg"))
        for index, image in enumerate(images)
        if isinstance(image.content, Path)
    ]
    decoded = prepare_images([job for _image, job in jobs], limits=image_limits())
    uploaded = iter([_portrait(image, job, found) for (image, job), found in zip(jobs, decoded, strict=True)])
    outcomes = [_outcome(image) or next(uploaded) for image in images]
    return [_for_engine(outcome, engine) for outcome in _with_faces(outcomes, root, engine)]


def _for_engine(outcome: PreparedPortrait | Problem, engine: EngineLimits) -> PreparedPortrait | Problem:
    """The outcome, or why the engine takes no portrait of this size."""
    if isinstance(outcome, Problem):
        return outcome
    size = stored.size_of(outcome.portrait)
    return engine.portrait_problem(outcome.width, outcome.height, size) or outcome


def _outcome(image: SubmittedFile) -> PreparedPortrait | MediaProblem | None:
    """What is known of an image without decoding it."""
    found = image.content
    if isinstance(found, StoredPortrait):
        return PreparedPortrait(image.name, found.portrait, found.thumbnail, found.width, found.height)
    return found if isinstance(found, MediaProblem) else None


def _with_faces(
    outcomes: Sequence[PreparedPortrait | Problem], root: Path, engine: EngineLimits
) -> list[PreparedPortrait | Problem]:
    """The outcomes, with those that the engine would refuse turned into its reasons.

    Stored ones are looked at again: they may have been another engine's. One that does not come from the
    store in time goes on without a look; that it is not there is found when it is copied.
    """
    sources = [outcome.portrait for outcome in outcomes if isinstance(outcome, PreparedPortrait)]
    if not sources or not are_looked_at(engine=engine.name, needs_face=engine.needs_face):
        return list(outcomes)
    with stored.local_copies(set(sources), root, settings.FACE_CHECK_TIME_LIMIT_S) as files:
        found = face_problems(list(files.values()), engine=engine.name, needs_face=engine.needs_face)
        problems = dict(zip(files, found, strict=True))
    return [
        (problems.get(outcome.portrait) or outcome) if isinstance(outcome, PreparedPortrait) else outcome
        for outcome in outcomes
    ]


def _portrait(
    image: SubmittedFile, job: ImageJob, outcome: PreparedImage | MediaProblem
) -> PreparedPortrait | Problem:
    if isinstance(outcome, Problem):
        return outcome
    return PreparedPortrait(
        original_name=image.name,
        portrait=job.portrait_out,
        thumbnail=job.thumbnail_out,
        width=outcome.source_width,
        height=outcome.source_height,
    )


def _audio_outcome(audio: SubmittedFile | None, out: Path, limits: AudioLimits) -> AudioOutcome:
    if audio is None:
        return None
    if isinstance(audio.content, MediaProblem | StoredRecording):
        return audio.content
    if not isinstance(audio.content, Path):
        raise TypeError("A portrait is not a recording.")
    # FFmpeg and NumPy are loaded by the first recording: most processes that know this module take none.
    from videos.media.audio import prepare_audio

    try:
        return prepare_audio(audio.content, limits=limits, wav_out=out)
    except MediaProblem as problem:
        return problem


def _recording_for_engine(outcome: AudioOutcome, engine: EngineLimits) -> AudioOutcome:
    """The outcome, or why the engine takes no recording of this length."""
    if outcome is None or isinstance(outcome, MediaProblem):
        return outcome
    return engine.recording_problem(outcome.duration_s) or outcome


def _route(
    user: User, limits: Mapping[str, EngineLimits], choice: str, prompt: str, audio: AudioOutcome
) -> tuple[Route, dict[str, dict[str, Any]]]:
    """Where the batch goes; with a problem of the choice, the installation's own engine and that problem."""
    audio_s = None if audio is None or isinstance(audio, MediaProblem) else audio.duration_s
    try:
        return route_for(user, limits, choice=choice, prompt=prompt, audio_s=audio_s), {}
    except NoRouteError as problem:
        own = Route([own_engine()], limits[own_engine()])
        return own, {"engine": _field(problem.code, problem.detail)}


def _problems(
    images: Sequence[SubmittedFile],
    outcomes: Sequence[PreparedPortrait | Problem],
    audio: SubmittedFile | None,
    audio_outcome: AudioOutcome,
    prompt: str,
) -> dict[str, Any]:
    errors: dict[str, Any] = {}
    bad = [
        file_problem(outcome, images[index].name, index)
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, Problem)
    ]
    if bad:
        errors["images"] = bad
    if not images:
        errors["image_count"] = _field("no_images", _("Add at least one portrait image."))
    elif len(images) > settings.BATCH_MAX_IMAGES:
        text = _("A batch takes at most %(max)d images, these are %(count)d. Split them into batches.")
        errors["image_count"] = _field(
            "too_many_images", text % {"max": settings.BATCH_MAX_IMAGES, "count": len(images)}
        )
    if audio is None:
        errors["audio"] = _field("audio_missing", _("Add a voice recording (MP3 or WAV)."))
    elif isinstance(audio_outcome, MediaProblem):
        errors["audio"] = file_problem(audio_outcome, audio.name, None)
    if len(prompt) > settings.PROMPT_MAX_CHARS:
        text = _("The prompt is longer than %(max)d characters. Shorten it.")
        errors["prompt"] = _field("prompt_too_long", text % {"max": settings.PROMPT_MAX_CHARS})
    return errors


def _day_used_up(day: Day) -> dict[str, Any]:
    text = _(
        "The engine makes %(limit)d videos a day, and %(left)d more today. There is room again from %(time)s."
    )
    values = {"limit": day.limit, "left": day.left, "time": f"{day.until:%Y-%m-%d %H:%M}"}
    return {**_field("engine_day_used_up", text % values), "left": day.left, "room_at": day.until.isoformat()}


def _notices(engine: EngineLimits, prompt: str) -> list[dict[str, str]]:
    if engine.understands_prompt or not prompt.strip():
        return []
    code = "prompt_not_honoured"
    return [{"code": code, "detail": catalogue.notice(code, {"engine": engine.label})}]


def _field(code: str, detail: str) -> dict[str, Any]:
    return {"code": code, "detail": detail}


def file_problem(problem: Problem, name: str, index: int | None) -> dict[str, Any]:
    """What is wrong with one file, as answers name it."""
    if isinstance(problem, FaceProblem):
        detail = catalogue.failure(problem.code, problem.params, problem.detail)
    else:
        detail = catalogue.media_problem(problem.code, problem.params)
    place = {} if index is None else {"index": index}
    return {**place, "name": name, "code": problem.code, "detail": detail}


def summary(problems: Sequence[dict[str, Any]]) -> str:
    """The first few problems as sentences, for clients that show `detail` alone."""
    shown = [
        f"{problem['name']}: {problem['detail']}" if "name" in problem else str(problem["detail"])
        for problem in problems[:SHOWN_PROBLEMS]
    ]
    if more := len(problems) - len(shown):
        shown.append(_("%(count)d more problems.") % {"count": more})
    return " ".join(shown)
