"""When the next call to a provider may be made: what all processes agree on, as one state and its transitions.

The rate is kept by the generic cell rate algorithm (GCRA): each reservation moves the next free moment on by the
interval between two calls. The circuit breaker is open while `silence` is not 0: then no call is made until `free_at`,
and after that one probe at a time, until a probe is answered.

Nothing here knows where the state is kept (`lookups.politeness.limiter_stores`). Times are Unix seconds of the clock at
that place, so that machines need not agree on the time. When that clock was set back, the times in the state are far in
the future: the state starts anew.
"""

import random

import msgspec
from msgspec.structs import replace

#: Seconds; smaller steps back are the clock's usual corrections, and only lengthen a wait.
CLOCK_TOLERANCE = 30.0
#: Seconds of the breaker's first silence; each further one is twice as long, up to the longest. After an outage a
#: worker may find the last silence, a probe that hangs, and its own pause of 15 s in its way: 30 s together.
FIRST_SILENCE, LONGEST_SILENCE = 1.0, 5.0


class State(msgspec.Struct, frozen=True):
    """The state of one provider."""

    #: The first moment that is not reserved yet.
    free_at: float = 0.0
    #: No call is made before, because the provider asked for it (Retry-After).
    paused_until: float = 0.0
    #: When a moment was last reserved; a clock that is earlier was set back.
    seen_at: float = 0.0
    #: Seconds; how long the provider is left alone after a failed probe. 0: the breaker is closed.
    silence: float = 0.0
    #: A probe is under way, until then at the latest. 0: none is.
    probe_until: float = 0.0


class Reserved(msgspec.Struct, frozen=True):
    """One call may be made in `wait` seconds."""

    wait: float
    is_probe: bool = False


class TooLate(msgspec.Struct, frozen=True):
    """The next free moment is in `wait` seconds: later than the caller can wait. Nothing was reserved."""

    wait: float


class Open(msgspec.Struct, frozen=True):
    """The breaker is open: the provider is left alone for `wait` seconds."""

    wait: float


class Probing(msgspec.Struct, frozen=True):
    """A probe is under way; its result is known in `wait` seconds at the latest."""

    wait: float


Reservation = Reserved | TooLate | Open | Probing


def reserve(
    state: State, now: float, *, interval: float, lead: float, longest_wait: float, probe_seconds: float
) -> tuple[State, Reservation]:
    """Reserves the next free moment that is at least `lead` and at most `longest_wait` seconds away.

    `interval` is the least time between two calls, `probe_seconds` the longest time that one takes, in seconds. A
    moment that is too far away is not reserved: otherwise callers that give up and come back would push the next free
    moment ever further.
    """
    state = _as_of(state, now)
    moment = max(state.free_at, state.paused_until, now + lead)
    if not state.silence:
        if moment - now > longest_wait:
            return state, TooLate(moment - now)
        return replace(state, free_at=moment + interval, seen_at=now), Reserved(moment - now)
    if now < state.probe_until:
        return state, Probing(state.probe_until - now)
    if now < max(state.free_at, state.paused_until):
        return state, Open(moment - now)
    return replace(state, probe_until=now + probe_seconds, seen_at=now), Reserved(0.0, is_probe=True)


def pause(state: State, now: float, *, seconds: float) -> State:
    """No call may be made for `seconds`. A pause is never shortened."""
    state = _as_of(state, now)
    return replace(state, paused_until=max(state.paused_until, now + seconds), seen_at=now)


def open_breaker(state: State, now: float, *, after_probe: bool) -> State:
    """The provider does not work. A call that was sent before the breaker opened, and fails after, changes nothing."""
    state = _as_of(state, now)
    if state.silence and not after_probe:
        return state
    silence = min(state.silence * 2, LONGEST_SILENCE) or FIRST_SILENCE
    free_at = now + silence * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
    return replace(state, silence=silence, free_at=free_at, probe_until=0.0, seen_at=now)


def close_breaker(state: State, now: float, *, interval: float) -> State:
    """A probe was answered."""
    return replace(_as_of(state, now), silence=0.0, probe_until=0.0, free_at=now + interval, seen_at=now)


def is_silent(state: State, now: float) -> bool:
    """Whether no call may be made, not even one that was reserved before."""
    state = _as_of(state, now)
    return bool(state.silence) or now < state.paused_until


def _as_of(state: State, now: float) -> State:
    return State() if state.seen_at > now + CLOCK_TOLERANCE else state
