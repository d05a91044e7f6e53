from django.db import migrations, models

from zhiying.kernel.operations import LockTables

# Until now every video cost one credit.
SUM_UP = """
    UPDATE batches SET credits_used = pending_count + processing_count + completed_count + credits_of_deleted
"""
COUNT_DELETED = """
    UPDATE batches SET credits_of_deleted = CASE
        WHEN credits_used > pending_count + processing_count + completed_count
        THEN credits_used - (pending_count + processing_count + completed_count) ELSE 0 END
"""


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0081_items_by_status'),
    ]

    operations = [
        LockTables('batches', 'video_items'),
        migrations.AddField(
            model_name='videoitem',
            name='price',
            field=models.PositiveIntegerField(db_default=1, default=1, help_text='Credits that this run was charged.', verbose_name='price'),
        ),
        migrations.AddConstraint(
            model_name='videoitem',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 1)), name='item_has_a_price'),
        ),
        migrations.AddField(
            model_name='batch',
            name='credits_used',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text='Net of refunds; deleted videos included.', verbose_name='credits used'),
        ),
        migrations.RunSQL(SUM_UP, COUNT_DELETED),
        # Processes of the release before go on reading and writing the column until they are replaced, and ours
        # insert without it. It goes in a later release.
        migrations.AlterField(
            model_name='batch',
            name='credits_of_deleted',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(
                    model_name='batch',
                    name='credits_of_deleted',
                ),
            ],
        ),
    ]
