from typing import Any

from django.db import migrations

from service_kit.groups import make_groups

_LOOK = {"lookups.limiter": ["view_limiter"], "lookups.postcode": ["view_postcode"]}
_OPERATE = {
    "lookups.limiter": ["view_limiter"],
    "lookups.postcode": ["view_postcode", "delete_postcode"],
    # Where somebody has asked may be personal data.
    "lookups.knownlocation": ["view_knownlocation", "delete_knownlocation"],
}
_ALL = ["view", "add", "change", "delete"]
_ADMINISTER = _OPERATE | {
    "auth.user": [f"{action}_user" for action in _ALL],
    "auth.group": [f"{action}_group" for action in _ALL],
}


def make(apps: Any, schema_editor: Any) -> None:
    make_groups(apps, {"Viewers": _LOOK, "Operators": _OPERATE, "Admins": _ADMINISTER})


class Migration(migrations.Migration):
    dependencies = [
        ("lookups", "0002_call_minutes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
