"""Why a part of a request is refused."""

from kproof_impl.messages.errors import ErrorCode


class Refused(Exception):
    """An answer with an error code and a reason, for one topic, resource or partition."""

    def __init__(self, error_code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.error_code = error_code
        self.reason = reason
