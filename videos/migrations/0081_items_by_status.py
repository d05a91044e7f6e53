from django.db import migrations, models

from zhiying.kernel.operations import AddIndexOnline, RemoveIndexOnline


class Migration(migrations.Migration):

    atomic = False  # indexes are built while others work

    dependencies = [
        ('videos', '0080_item_deletion'),
    ]

    operations = [
        AddIndexOnline(
            model_name='videoitem',
            index=models.Index(condition=models.Q(('status__in', ['pending', 'failed', 'cancelled'])), fields=['status', '-queued_at', '-id'], name='items_by_other_status'),
        ),
        RemoveIndexOnline(
            model_name='videoitem',
            name='items_by_status',
        ),
    ]
