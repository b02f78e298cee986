"""Places at a service: how many requests it works on at once, and how many of them are one caller's.

A service has a small number of threads. A request holds one from the moment when the service is asked until it has
answered, so nobody may take them all: one caller has at most half of them, and what takes long has lanes of its own.
What finds no place waits here, where waiting costs little. Callers that wait get the next places in turn.
"""

import asyncio
import enum
from collections import Counter, deque
from collections.abc import Mapping
from urllib.parse import unquote

from gateway import problems
from gateway.limits import Limits
from gateway.routes import Route, Service


class Lane(enum.Enum):
    """What a request holds its thread with."""

    USUAL = "milliseconds, or until somebody else has answered the service"
    LARGE_UPLOAD = "the client sends its file"
    RESULT = "a file is written out"
    POSTCODE = "file_reader asks postcode_consumer, which may hang"
    LOGIN = "a password is hashed"
    KEY = "file_reader looks for a key"
    EVENTS = "the gateway asks for those who listen to events"


#: They move a file, and whoever waits for that expects it to take its time.
_LONG = (Lane.LARGE_UPLOAD, Lane.RESULT)


def lane_of(method: str, target: str, route: Route, *, large_upload: bool) -> Lane:
    """The lane of a request to this target (path and query string). Paths are read as the service will read them."""
    path = unquote(target.partition("?")[0])
    if large_upload:
        return Lane.LARGE_UPLOAD
    if route.path == "/api/v1/postcodes/":
        return Lane.POSTCODE
    last = path.rstrip("/").rpartition("/")[2]
    if route.upload and (last.partition(".")[0] == "result" or last == "summary.csv"):
        return Lane.RESULT
    if method == "POST" and not route.needs_key and path.rstrip("/").endswith("/login"):
        return Lane.LOGIN
    return Lane.USUAL


def places_of(service: Service, processes: int, limits: Limits) -> "Places":
    """The places for what is passed on to a service that has so many processes."""
    lanes = {
        Lane.USUAL: limits.places * processes,
        Lane.LARGE_UPLOAD: limits.large_upload_places * processes,
        Lane.RESULT: limits.result_places * processes,
        Lane.POSTCODE: limits.postcode_places * processes,
        Lane.LOGIN: limits.login_places,
        Lane.EVENTS: limits.event_places * processes,
    }
    return Places(service, limits.places * processes, lanes, limits)


def places_for_keys(processes: int, limits: Limits) -> "Places":
    """The places for questions about keys, which come before all others and must not wait for them."""
    count = limits.key_places * processes
    return Places(Service.FILE_READER, count, {Lane.KEY: count}, limits)


class Place:
    """One place, taken."""

    def __init__(self, places: "Places", caller: str, lane: Lane) -> None:
        self._places: Places | None = places
        self._caller = caller
        self._lane = lane

    def free(self) -> None:
        """Give it back. The second time this does nothing."""
        places, self._places = self._places, None
        if places is not None:
            places.give_back(self._caller, self._lane)


class Places:
    """The places at one service. `lanes` says how many of the `count` each lane may have."""

    def __init__(self, service: Service, count: int, lanes: Mapping[Lane, int], limits: Limits) -> None:
        self._service = service
        self.count = count
        self._lanes = lanes
        self._limits = limits
        self._taken = 0
        self._taken_of: Counter[str | Lane | tuple[str, Lane]] = Counter()
        #: Who waits, by caller and lane. Whoever was given a place goes to the end.
        self._queues: dict[tuple[str, Lane], deque[asyncio.Future[Place]]] = {}
        self._waiting: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._taken

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return self._waiting.total()

    async def take(self, caller: str, lane: Lane) -> Place:
        """A place, as soon as there is one.

        Raises the problem `too-many-requests-at-once` or `service-busy`.
        """
        if (caller, lane) not in self._queues and self._is_free(caller, lane):
            return self._give(caller, lane)
        if self._waiting[caller] >= self._limits.waiting_per_caller:
            raise problems.too_many_at_once("requests that wait", self._limits.waiting_per_caller)
        if self._waiting.total() >= self._limits.waiting:
            raise problems.service_busy(self._service, f"Too many requests wait for {self._service.value}.")
        given: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._queues.setdefault((caller, lane), deque()).append(given)
        self._waiting[caller] += 1
        seconds = self._limits.long_place if lane in _LONG else self._limits.place
        try:
            async with asyncio.timeout(seconds):
                return await given
        except BaseException as error:
            if given.done() and not given.cancelled():  # given and cancelled in the same moment
                given.result().free()
            if isinstance(error, TimeoutError):
                detail = f"{self._service.value} had no place for the request within {seconds:g} seconds."
                raise problems.service_busy(self._service, detail) from None
            raise
        finally:
            self._forget(caller, lane, given)

    def give_back(self, caller: str, lane: Lane) -> None:
        """Only for `Place`: one place is free again."""
        self._taken -= 1
        for key in (caller, lane, (caller, lane)):
            self._taken_of[key] -= 1
            if not self._taken_of[key]:
                del self._taken_of[key]
        for key in list(self._queues):
            if self._taken >= self.count:
                return
            queue = self._queues[key]
            while queue and self._is_free(*key):
                given = queue.popleft()
                if not given.done():
                    given.set_result(self._give(*key))
                    break
            else:
                continue
            del self._queues[key]
            if queue:
                self._queues[key] = queue  # at the end

    def _is_free(self, caller: str, lane: Lane) -> bool:
        lane_count = self._lanes[lane]
        return (
            self._taken < self.count
            and self._taken_of[caller] < (self.count + 1) // 2
            and self._taken_of[lane] < lane_count
            # Of a narrow lane, the others have one place at least.
            and self._taken_of[caller, lane] < max(1, lane_count - 1)
        )

    def _give(self, caller: str, lane: Lane) -> Place:
        self._taken += 1
        for key in (caller, lane, (caller, lane)):
            self._taken_of[key] += 1
        return Place(self, caller, lane)

    def _forget(self, caller: str, lane: Lane, given: "asyncio.Future[Place]") -> None:
        """The request waits no longer."""
        self._waiting[caller] -= 1
        if not self._waiting[caller]:
            del self._waiting[caller]
        queue = self._queues.get((caller, lane))
        if queue is not None and given in queue:
            queue.remove(given)
            if not queue:
                del self._queues[caller, lane]
