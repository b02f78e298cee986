from typing import Any

from django.db import migrations

from service_kit.groups import make_groups, right

_LOOK = {"uploads.upload": ["view_upload"], "uploads.chunk": ["view_chunk"], "uploads.delivery": ["view_delivery"]}
_ACT = ["pause_upload", "resume_upload", "cancel_upload", "retry_upload", "delete_upload"]
_OPERATE = {
    "uploads.upload": ["view_upload", *_ACT, "control_upstream"],
    "uploads.chunk": ["view_chunk"],
    # Rows may be personal data.
    "uploads.row": ["view_row"],
    "uploads.delivery": ["view_delivery", "change_delivery"],
}
_ALL = ["view", "add", "change", "delete"]
_ADMINISTER = _OPERATE | {
    "uploads.auditentry": ["view_auditentry"],
    "uploads.webhooksecret": ["view_webhooksecret", "change_webhooksecret"],
    "uploads.apikey": ["view_apikey", "add_apikey", "delete_apikey"],
    "auth.user": [f"{action}_user" for action in _ALL],
    "auth.group": [f"{action}_group" for action in _ALL],
}


def make(apps: Any, schema_editor: Any) -> None:
    make_groups(apps, {"Viewers": _LOOK, "Operators": _OPERATE, "Admins": _ADMINISTER})
    # Until now one right was for all actions. Who had it keeps them all.
    former = right(apps, "uploads.upload", "change_upload")
    rights = [right(apps, "uploads.upload", codename) for codename in _ACT]
    rights.append(right(apps, "uploads.delivery", "change_delivery"))
    for group in former.group_set.all():
        group.permissions.add(*rights)
    for user in former.user_set.all():
        user.user_permissions.add(*rights)


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0010_admin"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
