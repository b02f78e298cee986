"""Groups of people with their rights, for migrations."""

from collections.abc import Mapping, Sequence
from typing import Any


def make_groups(apps: Any, groups: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Makes the groups that are not there yet: name → model (`app.model`) → rights (`view_upload`).

    Rights are made by Django after all migrations; those that are needed here are made at once, as it would make them.
    """
    group_model = apps.get_model("auth", "Group")
    for name, rights in groups.items():
        group, is_new = group_model.objects.get_or_create(name=name)
        if is_new:  # one of the operator's own is left as it is
            for model, codenames in rights.items():
                group.permissions.add(*(right(apps, model, codename) for codename in codenames))


def right(apps: Any, model: str, codename: str) -> Any:
    """One right, made if it is not there yet."""
    meta = apps.get_model(model)._meta
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=meta.app_label, model=meta.model_name
    )
    usual = f"Can {codename.partition('_')[0]} {meta.verbose_name_raw}"
    found, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": dict(meta.permissions).get(codename, usual)}
    )
    return found
