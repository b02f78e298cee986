"""The floor under a client's speed."""


class Pace:
    """How long a client may still be slower than the floor.

    It may fall `grace` seconds behind `floor` bytes a second. Being quicker makes up for that, but is not saved up for
    later: a client that was quick for an hour may not be slow for the next one.
    """

    def __init__(self, *, floor: int, grace: float) -> None:
        self._floor = floor
        self._grace = grace
        #: Seconds: the time-out of what the client does next.
        self.left = grace

    def moved(self, size: int, seconds: float) -> None:
        """The client took or gave so many bytes in that time, in which it was waited for."""
        self.left = min(self._grace, self.left + size / self._floor - seconds)
