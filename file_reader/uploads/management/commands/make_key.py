"""`manage.py make_key USER`: an API key for a program."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from uploads.api_keys import USUAL_SCOPES, make_key
from uploads.models import Scope


class Command(BaseCommand):
    help = "Makes an API key and prints it, once and alone on stdout: it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user name of whose key it is")
        parser.add_argument("--create-user", action="store_true", help="make the user, without a password, if need be")
        parser.add_argument("--name", default="", help="what the key is for")
        parser.add_argument(
            "--scopes",
            default=",".join(USUAL_SCOPES),
            help=f"what it may do, with commas between: {', '.join(Scope.values)}; default: %(default)s",
        )
        parser.add_argument("--days", type=int, help="how long it is valid; default: until it is deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        users, name, days = get_user_model().objects, options["user"], options["days"]
        scopes = {scope.strip() for scope in options["scopes"].split(",")}
        if not scopes <= set(Scope.values):
            raise CommandError(f"--scopes {options['scopes']!r} is not known. There are: {', '.join(Scope.values)}.")
        if days is not None and not 0 < days <= 36_500:
            raise CommandError(f"--days {days} is not a number from 1 to 36500.")
        user = users.filter(username=name).first()
        if user is None:
            if not options["create_user"]:
                raise CommandError(f"There is no user {name!r}. With --create-user one is made.")
            user = _new_user(name)
        ends_at = None if days is None else timezone.now() + timedelta(days=days)
        key, text = make_key(user, name=options["name"], scopes=scopes, ends_at=ends_at)
        self.stdout.write(text)
        until = f"until {key.ends_at:%Y-%m-%d %H:%M} UTC" if key.ends_at else "until it is deleted"
        self.stderr.write(f"A key of {name} for {', '.join(key.scopes)}, valid {until}. It is not shown again.")


def _new_user(name: str) -> Any:
    """A user who cannot log in to the admin."""
    user = get_user_model()(username=name)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as error:
        raise CommandError(f"{name!r} cannot be a user's name: {' '.join(error.messages)}") from None
    user.save()
    return user
