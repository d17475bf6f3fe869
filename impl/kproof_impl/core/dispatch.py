"""Which function answers which request.  A function's module is imported on its first request.

A handler is called with the broker, the call and the request.  It returns the response; or None, if
it has kept the call to answer it later; or `NO_ANSWER`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Handler = Callable[..., Any]

HANDLERS: dict[int, str] = {
    0: "produce:produce",
    1: "fetch:fetch",
    2: "list_offsets:list_offsets",
    3: "metadata:metadata",
    8: "groups.offset_requests:offset_commit",
    9: "groups.offset_requests:offset_fetch",
    10: "groups.coordinators:find_coordinator",
    11: "groups.member_requests:join_group",
    12: "groups.member_requests:heartbeat",
    13: "groups.member_requests:leave_group",
    14: "groups.member_requests:sync_group",
    15: "groups.admin_requests:describe_groups",
    16: "groups.admin_requests:list_groups",
    18: "api_versions:api_versions",
    19: "create_topics:create_topics",
    20: "delete_topics:delete_topics",
    21: "delete_records:delete_records",
    22: "producer_ids:init_producer_id",
    23: "leader_epochs:offset_for_leader_epoch",
    32: "config_requests:describe_configs",
    33: "config_requests:alter_configs",
    34: "log_dirs:alter_replica_log_dirs",
    35: "log_dirs:describe_log_dirs",
    37: "create_partitions:create_partitions",
    42: "groups.admin_requests:delete_groups",
    43: "placement_requests:elect_leaders",
    44: "config_requests:incremental_alter_configs",
    45: "placement_requests:alter_partition_reassignments",
    46: "placement_requests:list_partition_reassignments",
    47: "groups.offset_requests:offset_delete",
    60: "metadata:describe_cluster",
    75: "metadata:describe_topic_partitions",
}

HANDLERS_FOUND: dict[int, Handler] = {}
"""Those that were needed so far."""


def handler_of(api_key: int) -> Handler:
    """The handler of a served API.  Raises `KeyError` for one that is not served."""
    handler = HANDLERS_FOUND.get(api_key)
    if handler is None:
        module, name = HANDLERS[api_key].split(":")
        handler = getattr(import_module(f"kproof_impl.core.{module}"), name)
        HANDLERS_FOUND[api_key] = handler
    return handler
