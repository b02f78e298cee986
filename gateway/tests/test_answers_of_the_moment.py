"""What a service said a moment ago is given again to whom it was said, and nobody sees less than was said already."""

import asyncio
from collections.abc import Callable

import pytest
from a_resource import PATH, Resource, serving
from servers import Client, eventually

from gateway import recent
from gateway.proxy import SMALL_ANSWER_BYTES


@pytest.fixture
def long_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "FRESH_SECONDS", 3_600.0)


@pytest.fixture
def no_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is asked about each time."""
    monkeypatch.setattr(recent, "FRESH_SECONDS", 0.0)


async def told(client: Client, path: str = PATH, method: str = "GET", **headers: str) -> str:
    async with client.call(method, path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


@pytest.mark.usefixtures("long_moment")
async def test_what_was_said_a_moment_ago_is_not_asked_again() -> None:
    resource = Resource(X_More="kept")
    async with serving(resource) as client:
        ids = set()
        for _ in range(3):
            async with client.get(PATH) as answer:
                assert (await answer.text(), answer.headers["ETag"]) == (f"{PATH} 1 ", '"1"')
                assert (answer.headers["X-More"], answer.headers["Retry-After"]) == ("kept", "1")
                ids.add(answer.headers["X-Request-Id"])
        assert len(ids) == 3
    assert len(resource.asked) == 1


@pytest.mark.usefixtures("no_moment")
async def test_after_a_moment_the_service_is_asked_whether_it_has_changed() -> None:
    resource = Resource()
    async with serving(resource) as client:
        assert await told(client) == await told(client) == f"{PATH} 1 "
        resource.change()
        assert await told(client) == f"{PATH} 2 "
        assert await told(client) == f"{PATH} 2 "
    assert [etag for _, etag in resource.asked] == [None, '"1"', '"1"', '"2"']


@pytest.mark.usefixtures("long_moment")
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_nobody_sees_an_old_state_after_a_change_of_their_own(method: str) -> None:
    resource = Resource()
    async with serving(resource) as client:
        assert await told(client) == f"{PATH} 1 "
        await told(client, f"{PATH}cancel/", method)
        assert await told(client) == f"{PATH} 2 changed by hand"


@pytest.mark.usefixtures("long_moment")
async def test_a_question_from_before_a_change_does_not_answer_one_after_it() -> None:
    resource = Resource()
    async with serving(resource) as client:
        await told(client)
        await told(client, method="POST")  # what is kept is old now, so that the next question goes to the service
        resource.may_answer.clear()
        before = asyncio.create_task(told(client))
        await eventually(lambda: len(resource.asked) == 2)
        await told(client, method="POST")
        after = asyncio.create_task(told(client))
        await eventually(lambda: len(resource.asked) == 3)
        resource.may_answer.set()
        assert (await before, await after) == (f"{PATH} 2 changed by hand", f"{PATH} 3 changed by hand")
        assert await told(client) == f"{PATH} 3 changed by hand"


@pytest.mark.usefixtures("long_moment")
@pytest.mark.parametrize("is_known", [True, False])
async def test_an_answer_from_before_a_change_is_not_kept_after_it(is_known: bool) -> None:
    resource = Resource()
    async with serving(resource) as client:
        if is_known:
            await told(client)
            await told(client, method="POST")
        asked = len(resource.asked)
        resource.may_answer.clear()
        before = asyncio.create_task(told(client))
        await eventually(lambda: len(resource.asked) > asked)
        await told(client, method="POST")
        resource.may_answer.set()
        await before
        assert await told(client) == f"{PATH} {resource.version} changed by hand"


@pytest.mark.usefixtures("long_moment")
async def test_whoever_has_seen_something_new_sees_nothing_older_elsewhere() -> None:
    resource = Resource()
    async with serving(resource) as client:
        assert await told(client, f"{PATH}rows/") == f"{PATH}rows/ 1 "
        resource.change("by a worker")
        assert await told(client) == f"{PATH} 2 by a worker"
        assert await told(client, f"{PATH}rows/") == f"{PATH}rows/ 2 by a worker"


@pytest.mark.usefixtures("long_moment")
async def test_what_one_user_was_told_another_is_not() -> None:
    resource = Resource()
    async with serving(resource, keys_required=True) as client:
        for _ in range(2):
            for key in ("key-of-ann", "key-of-ben"):
                assert await told(client, Authorization=f"Bearer {key}") == f"{PATH} 1 "
    assert [user for user, _ in resource.asked] == ["1", "2"]


@pytest.mark.usefixtures("long_moment")
async def test_answers_have_links_so_another_host_is_another_question() -> None:
    resource = Resource()
    async with serving(resource) as client:
        for host in ("localhost", "127.0.0.1", "localhost"):
            await told(client, Host=host)
    assert [etag for _, etag in resource.asked] == [None, None, '"1"']


@pytest.mark.usefixtures("no_moment")
async def test_whoever_is_asked_again_hears_the_host_that_the_client_named() -> None:
    resource = Resource()
    async with serving(resource) as client:
        for _ in range(3):
            async with client.get(PATH, headers={"Host": "localhost:1234"}) as answer:
                assert answer.status == 200
    assert resource.hosts == ["localhost:1234"] * 3


@pytest.mark.usefixtures("long_moment")
async def test_who_has_the_answer_already_is_told_so() -> None:
    resource = Resource()
    async with serving(resource) as client:
        await told(client)
        for tags in ('"1"', 'W/"1"', '"0", "1"', "*"):
            async with client.get(PATH, headers={"If-None-Match": tags}) as answer:
                assert (answer.status, await answer.read()) == (304, b"")
                assert (answer.headers["ETag"], answer.headers["Retry-After"]) == ('"1"', "1")
        async with client.get(PATH, headers={"If-None-Match": '"2"'}) as answer:
            assert answer.status == 200
    assert len(resource.asked) == 1


@pytest.mark.usefixtures("long_moment")
async def test_who_wants_the_service_itself_gets_it() -> None:
    resource = Resource()
    async with serving(resource) as client:
        await told(client)
        for headers in ({"Cache-Control": "no-cache"}, {"Range": "bytes=0-"}):
            await told(client, **headers)
    assert len(resource.asked) == 3


@pytest.mark.usefixtures("long_moment")
@pytest.mark.parametrize(
    ("path", "resource"),
    [
        (PATH, lambda: Resource(ETag="")),
        (PATH, lambda: Resource(Cache_Control="no-store")),
        (PATH, lambda: Resource(Vary="Accept")),
        (PATH, lambda: Resource(Set_Cookie="a=b")),
        (PATH, lambda: Resource("x" * SMALL_ANSWER_BYTES)),
        (f"{PATH}result.csv", Resource),
        ("/admin/", Resource),
    ],
    ids=["no ETag", "not to be stored", "varies", "a cookie", "large", "a result", "the admin"],
)
async def test_everything_else_is_asked_for_again(path: str, resource: Callable[[], Resource]) -> None:
    made = resource()
    async with serving(made) as client:
        assert await told(client, path) == await told(client, path)
    assert made.asked == [(None, None), (None, None)]


@pytest.mark.usefixtures("no_moment")
async def test_of_those_who_ask_at_once_one_asks() -> None:
    resource = Resource()
    async with serving(resource) as client:
        await told(client)
        resource.may_answer.clear()
        asking = [asyncio.create_task(told(client)) for _ in range(20)]
        await eventually(lambda: len(resource.asked) == 2)
        asking[0].cancel()  # who asked first does not take the answer along
        for _ in range(5):
            await told(client, "/static/x", "HEAD")  # the others have come by then
        resource.may_answer.set()
        assert set(await asyncio.gather(*asking[1:])) == {f"{PATH} 1 "}
    assert len([etag for _, etag in resource.asked if etag]) <= 2


@pytest.mark.usefixtures("no_moment")
async def test_an_answer_that_has_gone_is_given_no_more() -> None:
    resource = Resource()
    async with serving(resource) as client:
        await told(client)
        for status in (404, 404, 503, 404):
            resource.status = status
            async with client.get(PATH) as answer:
                assert answer.status == status


@pytest.mark.usefixtures("long_moment")
async def test_what_is_kept_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_BYTES", 10_000)
    resource = Resource("x" * 3_000)
    async with serving(resource) as client:
        for number in (1, 2, 3):
            await told(client, f"{PATH}?{number}")
        assert len(resource.asked) == 3
        resource.asked.clear()
        await told(client, f"{PATH}?1")
    assert resource.asked == [(None, None)]
