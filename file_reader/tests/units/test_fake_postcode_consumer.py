"""The stand-in must speak as postcode_consumer does."""

import urllib.request

import msgspec
from tests.fake_postcode_consumer import FakePostcodeConsumer, contract


def test_the_stand_in_answers_the_contracts_question_with_the_contracts_answer(
    consumer: FakePostcodeConsumer,
) -> None:
    example = contract("reverse_geocode/columns_mixed")
    address, body = consumer.url + example["request"]["path"], bytes.fromhex(example["request"]["body_hex"])
    with urllib.request.urlopen(urllib.request.Request(address, data=body)) as response:
        said = msgspec.msgpack.decode(response.read())
    expected = msgspec.msgpack.decode(bytes.fromhex(example["response"]["body_hex"]))
    # It knows other places than the sandbox.
    assert [said[name] for name in ("status", "reason", "asked")] == [
        expected[name] for name in ("status", "reason", "asked")
    ]
    assert said.keys() == expected.keys()
    assert [len(said[name]) for name in ("distance", "place")] == [
        len(expected[name]) for name in ("distance", "place")
    ]
