"""Which engine makes a batch: its user's choice, the administrator's rules, and what engines take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from videos.engine_names import all_engines, lane_engine_of, name_of, own_engine
from videos.models import Batch, EngineRule
from videos.services.engine_limits import EngineLimits, engine_limits

LABEL_CHARS = 100


@dataclass(frozen=True)
class Route:
    """The engines of a batch: the one that makes it, and those that go on when nobody can work with that."""

    engines: Sequence[str]
    limits: EngineLimits
    """Those of the first."""

    @property
    def engine(self) -> str:
        return self.engines[0]


class NoRouteError(Exception):
    """The engine that was chosen is not to be had for this batch; `code` says why, `detail` to the reader."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Engines:
    """What the rules say of a user, each beginning with the installation's own engine."""

    offered: Sequence[str]
    """What may be chosen, in the order of the rules."""
    by_rule: Sequence[str]
    """What may make batches that choose none."""


def engines_for(user: User) -> Engines:
    """One query, or none where there is one engine."""
    known = all_engines()
    rules = _rules_for(user) if len(known) > 1 else []
    offered = [own_engine(), *(rule.engine for rule in rules if rule.offered)]
    by_rule = [own_engine(), *(name for rule in rules if not rule.offered for name in rule.engines)]
    return Engines(
        *([name for name in dict.fromkeys(names) if name in known] for names in (offered, by_rule))
    )


def route_for(
    user: User, limits: Mapping[str, EngineLimits], *, choice: str, prompt: str, audio_s: float | None
) -> Route:
    """Where a batch goes, given the limits of all engines.

    `audio_s`: seconds of its recording; None while that has a problem of its own.

    Raises:
        NoRouteError: the chosen engine is not offered to the user, or not for such a batch.
    """
    if not choice and len(limits) == 1:
        return Route([own_engine()], limits[own_engine()])
    rules = [rule for rule in _rules_for(user) if rule.engine in limits]
    engines = _chosen(rules, choice, prompt, audio_s) if choice else _by_rule(rules, limits, prompt, audio_s)
    further = [name for name in engines[1:] if name in limits and _takes(limits[name], audio_s)]
    return Route([engines[0], *further], limits[engines[0]])


def set_out(batch: Batch, route: Route) -> None:
    """Write down where a batch that is about to be inserted goes."""
    batch.engine = lane_engine_of(route.engine)
    batch.engine_label = route.limits.label[:LABEL_CHARS]
    batch.route = "" if list(route.engines) == [own_engine()] else ",".join(route.engines)
    batch.fallbacks = ",".join(route.engines[1:])


def begin_anew(batch: Batch) -> None:
    """What is made again of a locked batch, of which nothing waits or runs, begins with its first engine."""
    first, *further = _what_is_left_of(batch.route)
    go_to(batch, first, further)


def go_to(batch: Batch, engine: str, further: Sequence[str]) -> None:
    """Let a locked batch be made by this engine from now on; what waits has to change its lane."""
    if name_of(batch.engine) == engine and batch.fallbacks == ",".join(further):
        return
    batch.engine, batch.fallbacks = lane_engine_of(engine), ",".join(further)
    batch.engine_label = engine_limits(engine).label[:LABEL_CHARS]
    Batch.objects.filter(pk=batch.pk).update(
        engine=batch.engine, fallbacks=batch.fallbacks, engine_label=batch.engine_label
    )


class Routed(Protocol):
    """What is asked of a batch here."""

    @property
    def engine(self) -> str: ...
    @property
    def route(self) -> str: ...
    @property
    def pending_count(self) -> int: ...
    @property
    def processing_count(self) -> int: ...


def first_engine_of(batch: Routed) -> str:
    """The engine that a run of the batch would begin with now."""
    if batch.pending_count or batch.processing_count:
        return name_of(batch.engine)
    return _what_is_left_of(batch.route)[0]


def _what_is_left_of(route: str) -> list[str]:
    """The engines of a route that the installation still has; its own where that is none."""
    known = all_engines()
    return [name for name in route.split(",") if name in known] or [own_engine()]


def _rules_for(user: User) -> "QuerySet[EngineRule]":
    return EngineRule.objects.filter(Q(group=None) | Q(group=user.group_id), enabled=True)


def _chosen(rules: Sequence[EngineRule], choice: str, prompt: str, audio_s: float | None) -> Sequence[str]:
    offers = [rule for rule in rules if rule.offered and rule.engine == choice]
    for rule in offers:
        if _fits(rule, prompt, audio_s):
            return rule.engines
    if choice == own_engine():
        return [choice]
    if not offers:
        raise NoRouteError("engine_not_offered", _("This engine is not offered. Choose another one."))
    raise NoRouteError(
        "engine_takes_no_such_batch",
        _("This engine is not offered for a recording of this length, or with this prompt."),
    )


def _by_rule(
    rules: Sequence[EngineRule], limits: Mapping[str, EngineLimits], prompt: str, audio_s: float | None
) -> Sequence[str]:
    """The first rule that fits and has an engine that takes the recording."""
    for rule in rules:
        if rule.offered or not _fits(rule, prompt, audio_s):
            continue
        taking = [name for name in rule.engines if name in limits and _takes(limits[name], audio_s)]
        if taking:
            return taking
    return [own_engine()]


def _fits(rule: EngineRule, prompt: str, audio_s: float | None) -> bool:
    wanted = {
        EngineRule.Prompt.ANY: True,
        EngineRule.Prompt.WITH: bool(prompt.strip()),
        EngineRule.Prompt.WITHOUT: not prompt.strip(),
    }
    if not wanted[EngineRule.Prompt(rule.prompt)]:
        return False
    if audio_s is None:
        return True
    shortest, longest = rule.min_audio_s or 0, rule.max_audio_s
    return shortest <= round(audio_s, 2) and (longest is None or round(audio_s, 2) <= longest)


def _takes(limits: EngineLimits, audio_s: float | None) -> bool:
    return audio_s is None or limits.recording_problem(audio_s) is None
