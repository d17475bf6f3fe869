"""ApiVersions: which requests are served, and what becomes of a client that asks too much."""

import pytest

from impl_support.stepping import Stepper
from kproof_impl.core.dispatch import HANDLERS, handler_of
from kproof_impl.messages.api_versions import (
    ApiVersion,
    ApiVersionsRequest,
    ApiVersionsResponse,
)
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.wire.apis import APIS

REQUEST = ApiVersionsRequest("apache-kafka-java", "4.0.0")


@pytest.mark.parametrize("version", range(5))
def test_each_api_that_is_served_is_told_with_its_versions(version: int) -> None:
    response: ApiVersionsResponse = Stepper().send(REQUEST, version)

    assert response.error_code == 0
    told = {api.api_key: (api.min_version, api.max_version) for api in response.api_keys}
    assert told == {api.key: (api.min_advertised, api.max_version) for api in APIS.values()}
    assert (response.supported_features, response.finalized_features) == ((), ())


def test_produce_is_told_from_version_0_or_librdkafka_does_not_compress() -> None:
    response: ApiVersionsResponse = Stepper().send(REQUEST)

    assert [api.min_version for api in response.api_keys if api.api_key == 0] == [0]


@pytest.mark.parametrize("api_key", sorted(APIS))
def test_what_is_told_has_a_handler(api_key: int) -> None:
    assert callable(handler_of(api_key))


def test_every_handler_is_told() -> None:
    assert sorted(HANDLERS) == sorted(APIS)


def test_a_version_that_is_not_served_is_told_the_versions_of_this_request_alone() -> None:
    request = ApiVersionsRequest(is_version_unsupported=True)

    response: ApiVersionsResponse = Stepper().send(request, 0)

    assert response.error_code == ErrorCode.UNSUPPORTED_VERSION
    assert response.api_keys == [ApiVersion(18, 0, 4)]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("", ""),
        ("", "1"),
        ("a", ""),
        ("-a", "1"),
        ("a-", "1"),
        ("a b", "1"),
        ("a", "1\n"),
        ("a", "ä"),
    ],
)
def test_software_has_a_name_and_a_version_from_version_3_on(name: str, version: str) -> None:
    broker = Stepper()
    request = ApiVersionsRequest(name, version)

    refused: ApiVersionsResponse = broker.send(request, 3)
    taken: ApiVersionsResponse = broker.send(request, 2)

    assert (refused.error_code, refused.api_keys) == (ErrorCode.INVALID_REQUEST, ())
    assert taken.error_code == 0


@pytest.mark.parametrize("name", ["a", "librdkafka", "confluent-kafka-python", "a.b-c0"])
def test_names_of_real_clients_are_taken(name: str) -> None:
    response: ApiVersionsResponse = Stepper().send(ApiVersionsRequest(name, "2.10.1-rc1"), 4)

    assert response.error_code == 0
