from django.db import migrations, models

from zhiying.kernel.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('videos', '0122_engine_choice'),
    ]

    operations = [
        AddIndexOnline(
            model_name='batch',
            index=models.Index(condition=models.Q(('pending_count__gt', 0), models.Q(('fallbacks', ''), _negated=True)), fields=['engine'], name='batches_with_fallback'),
        ),
    ]
