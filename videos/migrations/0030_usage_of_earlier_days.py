"""Usage by day of what was made before it was kept. `manage.py rebuild_usage` computes the same again."""

from collections import defaultdict

from django.db import migrations
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

CHARGE, REFUND = 'charge', 'refund'
OF_KIND = {kind: Count('pk', filter=Q(kind=kind)) for kind in (CHARGE, REFUND)}


def fill(apps, schema_editor):
    UsageDay = apps.get_model('accounts', 'UsageDay')
    entries = apps.get_model('accounts', 'CreditEntry').objects.filter(kind__in=OF_KIND).order_by()
    items = apps.get_model('videos', 'VideoItem').objects.order_by()
    figures = defaultdict(lambda: defaultdict(int))

    by_day = entries.annotate(day=TruncDate('created_at'))
    for day, user, kind, amount in by_day.values_list('day', 'user_id', 'kind').annotate(n=Sum('amount')):
        figures[day, user, '']['charged' if kind == CHARGE else 'refunded'] += abs(amount)
    failures = by_day.filter(kind=REFUND).exclude(note='cancelled')
    for day, user, code, count in failures.values_list('day', 'user_id', 'note').annotate(n=Count('pk')):
        figures[day, user, code[:64]]['failed'] += count
    charges = entries.filter(kind=CHARGE).exclude(batch_id=None).values('batch_id', 'user_id')
    for row in charges.annotate(at=Min('created_at')).iterator():
        figures[timezone.localdate(row['at']), row['user_id'], '']['batches'] += 1
    made = items.filter(status='completed').annotate(day=TruncDate('finished_at'))
    for day, user, count in made.values_list('day', 'batch__user_id').annotate(n=Count('pk')):
        figures[day, user, '']['videos'] += count
    deleted = (
        entries.exclude(item_id=None)
        .filter(~Exists(items.filter(pk=OuterRef('item_id'))))
        .values('item_id', 'user_id')
        .annotate(
            at=Max('created_at', filter=Q(kind=CHARGE)), charges=OF_KIND[CHARGE], refunds=OF_KIND[REFUND]
        )
        .filter(charges__gt=F('refunds'))
    )
    for row in deleted.iterator():
        figures[timezone.localdate(row['at']), row['user_id'], '']['videos'] += 1

    for (day, _, code), sums in list(figures.items()):  # and of all users together
        for name, count in sums.items():
            figures[day, None, code][name] += count
    UsageDay.objects.bulk_create(
        (
            UsageDay(day=day, user_id=user, code=code, merged=True, **sums)
            for (day, user, code), sums in figures.items()
        ),
        batch_size=2000,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0001_initial'),
        ('accounts', '0031_read_indexes'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
