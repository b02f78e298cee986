"""Who may pass: the key and its scopes, and how many requests a minute."""

from urllib.parse import unquote

from aiohttp import web

from gateway import problems
from gateway.addresses import network_of
from gateway.environment import Settings
from gateway.exchange import Exchange
from gateway.keys import Keys, User, api_key
from gateway.limits import Limits
from gateway.rates import WINDOW_SECONDS, Rate
from gateway.routes import Route

_LOGINS = frozenset({"/admin/login/", "/admin/lookups/login/"})
#: What pages load besides; not counted.
_STATIC = ("/static/", "/admin/lookups/static/")


class Admission:
    """Checks requests before anything is done for them."""

    def __init__(self, keys: Keys, settings: Settings, limits: Limits) -> None:
        self._keys = keys
        self._keys_required = settings.keys_required
        self._requests = Rate(settings.requests_per_minute) if settings.requests_per_minute else None
        self._refusals = Rate(limits.refusals_per_minute)
        self._logins = Rate(limits.logins_per_minute)

    async def admit(self, request: web.BaseRequest, route: Route, exchange: Exchange) -> None:
        """Let the request pass; then its exchange has the user, and what the answer says of the limit.

        Raises a problem.
        """
        address = network_of(exchange.address)
        user = None
        if route.needs_key and self._keys_required:
            exchange.private = True
            user = await self._user(request, address)
            exchange.user_id, exchange.key = user.id, user.key
        # Decoded once, as the service will.
        if request.method == "POST" and unquote(exchange.path) in _LOGINS:
            _take(self._logins, address, "logins may be tried from one address")
        if self._requests is not None and not exchange.path.startswith(_STATIC):
            self._count(self._requests, exchange)
        needed = route.scopes(request.method)
        if user is not None and not user.may(needed):
            raise problems.scope_missing(needed)

    async def check_again(self, key: str | None, route: Route, exchange: Exchange, seconds: float) -> None:
        """Raises a problem when the key of a GET that was let in is not good for `seconds` more. Nothing is counted."""
        if key is None:
            return
        network = network_of(exchange.address)
        user = await self._keys.user(key, network, before_asking=lambda: None, seconds=seconds)
        if user is None or user.id != exchange.user_id:
            raise problems.unknown_key()
        needed = route.scopes("GET")
        if not user.may(needed):
            raise problems.scope_missing(needed)

    def _count(self, rate: Rate, exchange: Exchange) -> None:
        name = "address" if exchange.user_id is None else "key"
        standing = rate.take(exchange.caller)
        exchange.headers["RateLimit-Policy"] = f'"{name}";q={rate.per_minute};w={WINDOW_SECONDS}'
        exchange.headers["RateLimit"] = f'"{name}";r={standing.remaining};t={standing.reset}'
        if not standing.allowed:
            whose = "of one address" if exchange.user_id is None else "of one user, with all their keys,"
            raise problems.too_many_requests(rate.per_minute, f"requests {whose} are answered", standing.retry_after)

    async def _user(self, request: web.BaseRequest, address: str) -> User:
        """Whose key the request carries.

        An address may be wrong about keys a few times a minute. Each question to file_reader counts until its answer
        is good. Whoever is over the limit is asked about no more; a key that was good before is none of the guesses.
        """
        counted = False

        def count() -> None:
            nonlocal counted
            _take(self._refusals, address, "requests without a valid key are answered to one address")
            counted = True

        key = api_key(request)
        if key is None:
            count()
            raise problems.key_required()
        try:
            user = await self._keys.user(key, address, before_asking=count)
        except problems.Problem:
            if counted:
                self._refusals.give_back(address)
            raise
        if user is None:
            if not counted:
                count()
            raise problems.unknown_key()
        if counted:
            self._refusals.give_back(address)
        return user


def _take(rate: Rate, caller: str, what: str) -> None:
    standing = rate.take(caller)
    if not standing.allowed:
        raise problems.too_many_requests(rate.per_minute, what, standing.retry_after)
