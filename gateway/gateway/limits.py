"""Every time, size and count the gateway holds its clients and its services to."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes. The defaults are those of a real run; tests shorten the times."""

    #: The largest file. file_reader holds the exact limit; the gateway refuses bodies that cannot be within it.
    upload_bytes: int = 1024 * MIB
    #: What boundaries and form fields may add to a file of the largest size.
    multipart_overhead_bytes: int = MIB
    #: The largest body of any other request.
    other_body_bytes: int = 2 * MIB
    #: So much of an upload is here before its service is asked. A smaller one is here as a whole, as is any other body.
    begun_upload_bytes: int = 2 * MIB

    #: What waits in memory, of one body or answer; what is more waits in a file.
    memory_bytes: int = MIB // 4
    #: How far an answer may be read ahead of its client.
    ahead_bytes: int = 1024 * MIB
    #: All files of bodies together.
    files_bytes: int = 1024 * MIB
    #: All files of answers together.
    answer_files_bytes: int = 4096 * MIB

    #: Waiting for a connection to a service, a free place among them included.
    connect: float = 5.0
    #: The longest silence of a service that owes an answer or the rest of one. A whole answer may take any time.
    answer_idle: float = 75.0
    #: How long a service may take nothing of a body that is waiting for it.
    service_stall: float = 75.0
    #: How long a client may take for the headers of a request, from its first byte.
    client_headers: float = 10.0
    #: Bytes a second, of a body that is sent and of an answer that is taken. GPRS has as much.
    client_floor: int = 4_000
    #: The same of an answer that is longer than may be read ahead: until the rest is here it holds one of few places.
    held_answer_floor: int = 128_000
    #: The same of a large upload that a service is taking: it holds one of few places.
    large_upload_floor: int = 32_000
    #: How long a client may send nothing of the body it began, and how far it may fall behind the floor.
    client_idle: float = 30.0
    #: How long a client may take nothing of the answer that is waiting for it, and how far it may fall behind.
    client_stall: float = 75.0
    #: How long an unread body is read and thrown away, so that the client gets to read the answer to it.
    linger: float = 5.0
    #: How long a connection may stay without a request.
    client_keepalive: float = 75.0
    #: How long an idle connection to a service is kept: shorter than the services keep theirs (5 s), or a request
    #: would now and then be written into a connection that is just being closed.
    service_keepalive: float = 3.0
    #: How long a service may take to say whether it is ready.
    readiness: float = 2.0
    #: How long the page that sums up waits for what they say of themselves, how long it says the same again, and how
    #: long one that hangs is not asked once more.
    status: float = 0.8
    status_kept: float = 1.0
    status_answer: float = 10.0
    #: How long file_reader may take to say whose key it is.
    authenticate: float = 10.0
    #: How long requests in flight may take after SIGTERM.
    grace: float = 30.0

    #: How long a key stays good without asking again; so long at most a revoked one still opens.
    known_key: float = 5.0
    #: How long a key that was refused is refused without asking again.
    unknown_key: float = 2.0
    remembered_keys: int = 10_000
    #: Requests without a valid key that one address may make in a minute, before they are refused unseen.
    refusals_per_minute: int = 30
    #: Logins to the admins that one address may try in a minute.
    logins_per_minute: int = 10

    #: So that one service that hangs does not take the places of the other.
    connections_per_service: int = 500
    #: Of clients: all, as far as there are file descriptors for them, and those of one address.
    connections: int = 10_000
    connections_per_address: int = 500

    # Threads of one process of a service, which has 16 of them. The three others are for questions about keys and
    # readiness. What holds a thread for longer has a lane of its own: all lanes together leave three places.
    places: int = 13
    large_upload_places: int = 5
    #: They keep Python busy, and everybody else's requests with it. Reading ahead, one is soon over.
    result_places: int = 2
    #: file_reader waits for postcode_consumer then, for 5 s at most, and with a hand-over 10 s.
    postcode_places: int = 2
    key_places: int = 2
    #: Of all processes of a service together: hashing a password takes a core for half a second.
    login_places: int = 1
    #: Questions for all who listen to events.
    event_places: int = 2
    #: How long a request may wait for its place, and one that moves a file.
    place: float = 30.0
    long_place: float = 300.0
    #: Streams of events: all, and those of one caller.
    listeners: int = 5_000
    listeners_per_caller: int = 100
    #: Between two questions about one resource that somebody listens to.
    event_poll: float = 1.0
    #: After so long without an event there is a comment, so that proxies, too, see that somebody is there.
    event_silence: float = 15.0

    #: Requests that may wait for a place at one service: all, and those of one caller.
    waiting: int = 1_000
    waiting_per_caller: int = 200

    # These are a little under gunicorn's own (4,094, 8,190 and 100), which would answer in HTML.
    #: Path and query string.
    target_bytes: int = 4_000
    #: Name and value of one header.
    header_bytes: int = 8_000
    headers: int = 90

    def body_bytes(self, *, upload: bool) -> int:
        """The largest body that is let through."""
        return self.upload_bytes + self.multipart_overhead_bytes if upload else self.other_body_bytes
