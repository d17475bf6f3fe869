"""kafka-python, imported without the warning of the way in which it reads its own schemas."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka  # type: ignore[import-untyped]
    from kafka import errors as kafka_errors
    from kafka.admin import (  # type: ignore[import-untyped]
        ConfigResource,
        ConfigResourceType,
        NewPartitions,
        NewTopic,
    )
    from kafka.codec import has_lz4, has_snappy, has_zstd  # type: ignore[import-untyped]
    from kafka.coordinator.assignors.cooperative_sticky import (  # type: ignore[import-untyped]
        CooperativeStickyAssignor,
    )
    from kafka.coordinator.assignors.range import (  # type: ignore[import-untyped]
        RangePartitionAssignor,
    )
    from kafka.coordinator.assignors.sticky.sticky_assignor import (  # type: ignore[import-untyped]
        StickyPartitionAssignor,
    )

__all__ = [
    "ConfigResource",
    "ConfigResourceType",
    "CooperativeStickyAssignor",
    "NewPartitions",
    "NewTopic",
    "RangePartitionAssignor",
    "StickyPartitionAssignor",
    "has_lz4",
    "has_snappy",
    "has_zstd",
    "kafka",
    "kafka_errors",
]
