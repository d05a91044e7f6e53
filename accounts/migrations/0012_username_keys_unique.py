from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_username_keys'),
    ]

    operations = [
        migrations.AlterField(
            model_name='user',
            name='username_key',
            field=models.CharField(editable=False, error_messages={'unique': 'A user with that name already exists.'}, max_length=150, unique=True),
        ),
        migrations.RemoveConstraint(
            model_name='user',
            name='username_unique_whatever_case',
        ),
    ]
