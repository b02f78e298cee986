"""The provider with a memory does what `ProviderContract` says; the others are in `units`."""

from collections.abc import Callable

import pytest
from tests.provider_contract import ProviderContract

from lookups.memory.remembering import Remembering
from lookups.provider import Provider


@pytest.mark.django_db(transaction=True)
class TestPostcodesIo(ProviderContract):
    @pytest.fixture
    def provider(self, remembering: Callable[..., Remembering]) -> Provider:
        return remembering()
