"""Why a batch is refused or a log fails."""


class BatchRefused(Exception):
    """A batch that a client sent is not acceptable.

    `error_code` is what the protocol calls it; `record_errors` are the records at fault, by their
    index in the batch, with a reason each (KIP-467).
    """

    def __init__(
        self, error_code: int, reason: str, record_errors: tuple[tuple[int, str], ...] = ()
    ) -> None:
        super().__init__(reason)
        self.error_code = error_code
        self.reason = reason
        self.record_errors = record_errors


class ProducerRefused(BatchRefused):
    """A batch whose producer, epoch or sequence does not fit what the log has of that producer."""


class LogFailed(Exception):
    """The disk refused to read or write; the message names the file and the reason."""


class LogDamaged(LogFailed):
    """What stands in a log is not what was written there: trying again is of no use."""
