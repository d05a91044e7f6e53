"""Rules that say which engine makes a batch: made, changed, deleted by administrators."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User
from accounts.services import audit_log
from accounts.services.groups import lock_group
from videos.engine_names import all_engines
from videos.models import EngineRule
from zhiying.kernel.errors import InvalidError, NotFoundError

TOLD = (
    "position",
    "enabled",
    "engine",
    "fallbacks",
    "offered",
    "group_id",
    "min_audio_s",
    "max_audio_s",
    "prompt",
)
"""What a rule says."""


def check_engines(rule: EngineRule) -> None:
    """Raises:
    InvalidError: the rule names an engine that the installation does not have.
    """
    known = all_engines()
    if strange := [name for name in rule.engines if name not in known]:
        text = _("%(names)s: no such engine here. There are: %(known)s (GENERATION_ENGINES).")
        raise InvalidError(text % {"names": ", ".join(strange), "known": ", ".join(known)})


@transaction.atomic
def rule_save(*, rule: EngineRule, acting_user: User | None) -> EngineRule:
    """Make a rule, or write what was changed of it. Batches that exist keep where they go.

    Raises:
        InvalidError: it names an engine that the installation does not have.
        NotFoundError: its group, or the rule itself, was deleted meanwhile.
    """
    check_engines(rule)
    rule.engine, *further = rule.engines
    rule.fallbacks = ",".join(further)
    if rule.group_id:
        lock_group(rule.group_id)  # before the rule: a group that is deleted takes its rules along
    earlier = EngineRule.objects.select_for_update().filter(pk=rule.pk).first() if rule.pk else None
    if earlier is None and not rule._state.adding:
        raise NotFoundError(_("There is no such rule any more."))
    rule.save()
    if details := _changes(earlier, rule):
        action = AuditAction.RULE_CHANGE if earlier else AuditAction.RULE_CREATE
        audit_log.record(action, acting_user=acting_user, target=rule, details=details)
    return rule


@transaction.atomic
def rule_delete(*, rule: EngineRule, acting_user: User | None) -> None:
    """Delete a rule; one that is gone already is no error."""
    audit_log.record(AuditAction.RULE_DELETE, acting_user=acting_user, target=rule)
    EngineRule.objects.filter(pk=rule.pk).delete()


def _changes(earlier: EngineRule | None, rule: EngineRule) -> dict[str, Any]:
    """What the rule says now, and before where that was something else."""
    now = {name: _plain(getattr(rule, name)) for name in TOLD}
    if earlier is None:
        return now
    before = {name: _plain(getattr(earlier, name)) for name in TOLD}
    changed = {name: value for name, value in now.items() if value != before[name]}
    return changed | {f"{name}_before": before[name] for name in changed}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)
