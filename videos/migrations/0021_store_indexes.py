from django.db import migrations, models

from zhiying.kernel.operations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # indexes are built while others work

    dependencies = [
        ('videos', '0020_store'),
    ]

    operations = [
        AddIndexOnline(
            model_name='batch',
            index=models.Index(condition=models.Q(('expires_at__isnull', False), ('files_removed_at', None)), fields=['expires_at'], name='batches_expiring'),
        ),
        AddIndexOnline(
            model_name='batch',
            index=models.Index(condition=models.Q(('expires_at', None), ('files_removed_at', None)), fields=['created_at'], name='batches_without_expiry'),
        ),
    ]
