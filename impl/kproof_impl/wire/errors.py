"""What is wrong with bytes that a client sent."""


class MalformedRequest(Exception):
    """The bytes are not a request that is served; the text says what was seen and expected.

    Nothing can be answered, for the client could not tell what the answer belongs to: Kafka closes
    the connection, and so does this broker.
    """
