"""Where the limiter's state is kept: in this process, in a row of the database, or in Redis (or Valkey).

Each store has its own clock, reads the state together with the time, and changes it as if there were no other process.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from lookups.errors import LimiterFailedError
from lookups.memory import sql
from lookups.models import Limiter
from lookups.politeness.limiter import State

T = TypeVar("T")
#: (state, now) → (state as it shall be, what came of it)
Change = Callable[[State, float], tuple[State, T]]

#: Seconds; a Redis that is slower is away.
REDIS_SECONDS = 2.0
#: After a power cut no caller waits for moments that were reserved before it. Without these settings, every call would
#: wait for the disk.
_NO_SYNC = {"sqlite": "PRAGMA synchronous=NORMAL", "postgresql": "SET synchronous_commit TO off"}


class Store(Protocol):
    """A place for one `State`. All its methods are called from one thread."""

    #: Whether its methods return at once: then an event loop need not have a thread wait for them.
    is_at_hand: bool

    def read(self) -> tuple[State, float]:
        """The state and the time. Raises `LimiterFailedError`."""

    def update(self, change: Change[T]) -> T:
        """Changes the state; no other change comes in between. Raises `LimiterFailedError`."""

    def close(self) -> None:
        """Gives connections back."""


def shared_store(name: str) -> Store:
    """The store that all processes of this installation share."""
    return RedisStore(settings.CACHE_URL, name=name) if settings.CACHE_URL else DatabaseStore(name=name)


class MemoryStore:
    """For this process alone."""

    is_at_hand = True

    def __init__(self) -> None:
        self._state = State()

    def read(self) -> tuple[State, float]:
        """See `Store`."""
        return self._state, time.monotonic()

    def update(self, change: Change[T]) -> T:
        """See `Store`."""
        self._state, outcome = change(*self.read())
        return outcome

    def close(self) -> None:
        """See `Store`."""


class DatabaseStore:
    """A row of `lookups.models.Limiter`, through the connection of the thread that uses it."""

    is_at_hand = False

    def __init__(self, *, name: str) -> None:
        self._name = name

    def read(self) -> tuple[State, float]:
        """See `Store`."""
        try:
            _connect()
            return self._find(Limiter.objects.all()) or (State(), 0.0)
        except (DatabaseError, InterfaceError) as error:
            raise _failed("database", error) from error

    def update(self, change: Change[T]) -> T:
        """See `Store`."""
        try:
            _connect()
            with transaction.atomic():
                state, now = self._locked()
                changed, outcome = change(state, now)
                if changed != state:
                    Limiter.objects.filter(pk=self._name).update(**msgspec.structs.asdict(changed))
        except (DatabaseError, InterfaceError) as error:
            raise _failed("database", error) from error
        return outcome

    def close(self) -> None:
        """See `Store`."""
        connection.close()

    def _locked(self) -> tuple[State, float]:
        # SQLite knows no such lock, and needs none: a transaction begins with the one on everything.
        rows = Limiter.objects.select_for_update()
        if found := self._find(rows):
            return found
        first = Limiter(name=self._name, **msgspec.structs.asdict(State()))
        Limiter.objects.bulk_create([first], ignore_conflicts=True)
        found = self._find(rows)
        assert found  # noqa: S101 - another process was quicker, and has committed
        return found

    def _find(self, rows: "QuerySet[Limiter]") -> tuple[State, float] | None:
        names = State.__struct_fields__
        row = rows.filter(pk=self._name).values_list(*names, RawSQL(sql.filled("{now}"), ())).first()  # noqa: S611 - a constant
        return (State(*row[:-1]), row[-1]) if row else None


def _connect() -> None:
    """A connection that works: a dead one is noticed before it is used."""
    close_old_connections()
    connection.close_if_health_check_failed()
    if connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute(_NO_SYNC[connection.vendor])


class RedisStore:
    """A key in Redis or Valkey. A change that another one crossed is made again (WATCH)."""

    is_at_hand = False

    def __init__(self, url: str, *, name: str) -> None:
        self._key = f"postcode_consumer:limiter:{name}"
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            # Once, for a connection that was closed while it was idle.
            retry=Retry(NoBackoff(), 1),
        )

    def read(self) -> tuple[State, float]:
        """See `Store`."""
        try:
            return self._read(self._redis)
        except RedisError as error:
            raise _failed("Redis", error) from error

    def update(self, change: Change[T]) -> T:
        """See `Store`."""

        def attempt(pipe: Pipeline) -> T:
            state, now = self._read(pipe)
            changed, outcome = change(state, now)
            pipe.multi()
            if changed != state:
                pipe.set(self._key, msgspec.json.encode(changed))
            return outcome

        # Its annotations know neither of the result nor of callables that have one.
        watched: Any = self._redis.transaction
        try:
            outcome: T = watched(attempt, self._key, value_from_callable=True)
        except RedisError as error:
            raise _failed("Redis", error) from error
        return outcome

    def close(self) -> None:
        """See `Store`."""
        self._redis.close()

    def _read(self, redis: Redis) -> tuple[State, float]:
        kept: Any = redis.get(self._key)
        seconds, microseconds = redis.time()
        return msgspec.json.decode(kept, type=State) if kept else State(), seconds + microseconds / 1e6


def _failed(what: str, error: Exception) -> LimiterFailedError:
    return LimiterFailedError(f"The limiter's {what} does not answer: {type(error).__name__}.")
