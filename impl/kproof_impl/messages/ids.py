"""What several messages have in common."""

from uuid import UUID

NO_ID = UUID(int=0)
"""The id that stands for none: topics have it where a version knows names only."""

Buffer = bytes | bytearray | memoryview
"""Record batches as they came or as they are on disk: nobody reads them on the way."""
