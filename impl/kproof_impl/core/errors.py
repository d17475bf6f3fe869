"""Where the error codes were before they were needed below the core."""

from kproof_impl.messages.errors import ErrorCode

__all__ = ["ErrorCode"]
