"""Settings asked for and changed by requests, in few words."""

from __future__ import annotations

from typing import Any

from impl_support.stepping import Stepper
from kproof_impl.messages.alter_configs import AlterableConfig as NewConfig
from kproof_impl.messages.alter_configs import AlterConfigsRequest
from kproof_impl.messages.alter_configs import AlterConfigsResource as NewConfigs
from kproof_impl.messages.describe_configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
)
from kproof_impl.messages.incremental_alter_configs import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

# Kafka's numbers of resources, of operations on a setting, and of the places it may come from.
TOPIC, BROKER, LOGGER, METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = range(4)
OF_TOPIC, OF_BROKER, OF_ALL_BROKERS, OF_START, OF_KAFKA = 1, 2, 3, 4, 5


def describe(
    broker: Stepper, resource_type: int, name: str, *keys: str, **rest: Any
) -> DescribeConfigsResult:
    resource = DescribeConfigsResource(resource_type, name, keys or None)
    response: DescribeConfigsResponse = broker.send(DescribeConfigsRequest([resource], **rest))
    (result,) = response.results
    assert (result.resource_type, result.resource_name) == (resource_type, name)
    return result


def shown(broker: Stepper, resource_type: int, name: str, key: str) -> tuple[str | None, int]:
    """A setting's value and source."""
    (config,) = described(broker, resource_type, name, key)
    return config.value, config.config_source


def described(
    broker: Stepper, resource_type: int, name: str, *keys: str, **rest: Any
) -> list[DescribeConfigsResourceResult]:
    result = describe(broker, resource_type, name, *keys, **rest)
    assert (result.error_code, result.error_message) == (0, "")
    return list(result.configs)


def change(
    broker: Stepper,
    *changes: tuple[str, int, str | None],
    resource: tuple[int, str] = (TOPIC, "a"),
    validate_only: bool = False,
) -> int:
    """The error code of IncrementalAlterConfigs: setting, operation and value each."""
    configs = [AlterableConfig(*each) for each in changes]
    request = IncrementalAlterConfigsRequest(
        [AlterConfigsResource(*resource, configs)], validate_only
    )
    (response,) = broker.send(request).responses
    assert (response.resource_type, response.resource_name) == resource
    assert bool(response.error_code) == bool(response.error_message)
    code: int = response.error_code
    return code


def replace(
    broker: Stepper,
    configs: dict[str, str | None],
    resource: tuple[int, str] = (TOPIC, "a"),
    validate_only: bool = False,
) -> int:
    """The error code of AlterConfigs."""
    new = [NewConfig(name, value) for name, value in configs.items()]
    request = AlterConfigsRequest([NewConfigs(*resource, new)], validate_only)
    (response,) = broker.send(request).responses
    assert (response.resource_type, response.resource_name) == resource
    code: int = response.error_code
    return code
