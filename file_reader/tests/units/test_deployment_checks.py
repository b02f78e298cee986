"""`manage.py check --deploy` finds nothing but what service_kit's list of settings explains."""

from typing import Any

from django.core.checks import run_checks


def test_the_deployment_checks_find_nothing_that_is_not_explained(settings: Any) -> None:
    settings.SECRET_KEY = "as long and as random as those that operators are told to make: 8a6f0c"
    found = run_checks(include_deployment_checks=True)
    assert [message for message in found if not message.is_silenced()] == []
    assert {message.id for message in found} == {*settings.SILENCED_SYSTEM_CHECKS}
