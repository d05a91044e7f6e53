from django.db import migrations, models

from zhiying.kernel.operations import AddIndexOnline, RemoveIndexOnline


class Migration(migrations.Migration):

    atomic = False  # indexes are built while others work

    dependencies = [
        ('videos', '0035_queue_lanes'),
    ]

    operations = [
        RemoveIndexOnline(
            model_name='videoitem',
            name='items_waiting',
        ),
        RemoveIndexOnline(
            model_name='videoitem',
            name='items_processing',
        ),
        AddIndexOnline(
            model_name='batch',
            index=models.Index(condition=models.Q(('pending_count__gt', 0)), fields=['user', '-created_at'], name='batches_waiting'),
        ),
        AddIndexOnline(
            model_name='videoitem',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['lane', 'not_before', 'batch', 'position'], name='items_of_lane'),
        ),
        AddIndexOnline(
            model_name='videoitem',
            index=models.Index(condition=models.Q(('status', 'processing')), fields=['id'], name='items_running'),
        ),
    ]
