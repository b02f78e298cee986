"""The stand-in must speak as postcode_consumer does."""

import json
import urllib.request

from tests.fake_postcode_consumer import FakePostcodeConsumer, contract


def test_the_stand_in_answers_the_contracts_request_with_the_contracts_answer(consumer: FakePostcodeConsumer) -> None:
    raise NotImplementedError
