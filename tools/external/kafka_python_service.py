"""What kafka-python's source archive leaves out of its tests: put there as `test/service.py`.

The suite needs of it only a broker that runs already, so nothing is started here.
"""


class ExternalService:
    """A broker that somebody else runs."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def stop(self) -> None:
        """It is not ours to stop."""

    def dump_logs(self) -> None:
        """Its logs are elsewhere."""


class SpawnedService:
    """A broker that the suite would start."""

    def __init__(self, *arguments: object) -> None:
        raise RuntimeError("only a broker that runs already can be used here")
