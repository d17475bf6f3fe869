"""Who watches a broker that `kproof serve` runs: a recorder, the specification, or both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .refusals import USAGE, Refused

if TYPE_CHECKING:
    from kproof_impl.events import Event

    from ..conformance.recording import Recorder
    from ..conformance.trial import Trial
    from .serve_output import ServeOutput

DIVERGED = 1
"""Exit code: the broker did what the specification does not allow."""


class Observing:
    """The broker's observer.  Each step is recorded first, so that a refused one is there too.

    Raises `Refused` if the recording cannot be begun.  What is not asked for is not imported.
    """

    def __init__(self, *, is_verified: bool, recording: Path | None) -> None:
        self._path = recording
        self._recorder: Recorder | None = None
        self._trial: Trial | None = None
        self.error: Exception | None = None
        """What stopped the broker: it came from here."""
        if is_verified:
            from ..conformance.trial import Trial

            self._trial = Trial()
        if recording is not None:
            from ..conformance.recording import Recorder, UnreadableRecording

            try:
                self._recorder = Recorder(recording)
            except UnreadableRecording as error:
                raise Refused(f"--record: {error}") from error

    def __call__(self, event: Event) -> None:
        try:
            if self._recorder is not None:
                self._recorder(event)
            if self._trial is not None:
                self._trial(event)
        except Exception as error:
            self.error = error
            raise

    @property
    def steps_verified(self) -> int | None:
        """How many steps the specification has allowed; None: it was not asked."""
        return None if self._trial is None else self._trial.steps_count

    def tell_failure(self, output: ServeOutput) -> int:
        """Tells why the broker was stopped; the exit code."""
        from ..conformance.lockstep import Divergence

        error = self.error
        if isinstance(error, Divergence) and self._trial is not None:
            recording = "" if self._path is None else str(self._path)
            output.diverged(self._trial.report(error, recording))
            return DIVERGED
        if isinstance(error, OSError):
            raise Refused(
                f"{self._path} cannot be written: {error.strerror or error}; the broker stopped, "
                "because a recording that misses steps cannot be validated",
                USAGE,
            ) from error
        assert error is not None
        raise error

    def close(self) -> None:
        """Ends the recording; one without steps is taken away."""
        if self._recorder is not None:
            self._recorder.close()
