"""Forces files to the disk in a thread, because a gigabyte takes seconds and a broker cannot wait.

The thread does nothing else, shares nothing but a queue, and ends when the queue is empty.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock, Thread

from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.files import Forcing

THREADS_MAX = 16


class Forcer:
    """One job after the other, in their order."""

    def __init__(self, fsync_path: Callable[[str], None]) -> None:
        self._fsync_path = fsync_path
        self._lock = Lock()
        self._jobs: deque[tuple[Sequence[str], Forcing]] = deque()
        self._is_running = False

    def start(self, paths: Sequence[str]) -> Forcing:
        forcing = Forcing()
        with self._lock:
            self._jobs.append((paths, forcing))
            if not self._is_running:
                self._is_running = True
                Thread(target=self._run, name="kproof-fsync", daemon=True).start()
        return forcing

    def finish(self, paths: Sequence[str]) -> None:
        """Forces many files by several threads, because a disk takes many at once gladly.

        Raises `LogFailed` if one of them cannot be forced; the others are forced all the same.
        """
        queue = deque(dict.fromkeys(paths))
        failures: list[LogFailed] = []

        def drain() -> None:
            while True:
                try:
                    path = queue.popleft()
                except IndexError:
                    return
                try:
                    self._fsync_path(path)
                except LogFailed as error:
                    failures.append(error)

        threads = [Thread(target=drain, daemon=True) for _ in range(min(THREADS_MAX, len(queue)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._is_running = False
                    return
                paths, forcing = self._jobs.popleft()
            try:
                for path in paths:
                    self._fsync_path(path)
            except LogFailed as error:
                forcing.failure = str(error)
            forcing.is_done = True
