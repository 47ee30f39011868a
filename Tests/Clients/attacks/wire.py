"""HTTP as an attacker speaks it: nothing is mended on the way, and every reply is kept whole."""

import http.client
import json
import socket
import time
from urllib.parse import urlsplit


class Reply:
    """A status, headers in the order they came, and the body's bytes."""

    def __init__(self, status, headers, body, seconds=0.0):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __repr__(self):
        return f"{self.status} {self.text[:300]}"


class Server:
    """One listener, and a connection to it that is kept open for as long as the server does."""

    def __init__(self, url, timeout=20):
        parts = urlsplit(url)
        self.url, self.host, self.port, self.timeout = url, parts.hostname, parts.port, timeout
        self._connection = None

    def call(self, method, path, body=None, token=None, headers=None, content_type="application/json"):
        """One request; `body` is sent as it is when it is bytes, else as JSON."""
        fields = dict(headers or {})
        if token is not None:
            fields.setdefault("Authorization", f"Bearer {token}")
        if body is not None:
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            fields.setdefault("Content-Type", content_type)
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
            started = time.perf_counter()
            try:
                self._connection.putrequest(method, path, skip_accept_encoding=True)
                for name, value in fields.items():
                    self._connection.putheader(name, value)
                if body is not None:
                    self._connection.putheader("Content-Length", str(len(body)))
                self._connection.endheaders(body)
                answer = self._connection.getresponse()
                content = answer.read()
                reply = Reply(answer.status, answer.getheaders(), content, time.perf_counter() - started)
                if answer.will_close:
                    self.close()
                return reply
            except (http.client.HTTPException, OSError):
                self.close()
                # A kept connection may have been closed by the server between two requests.
                if attempt == 2:
                    raise

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def another(self):
        return Server(self.url, self.timeout)

    def connect(self, timeout=None):
        return socket.create_connection((self.host, self.port), timeout or self.timeout)

    def raw(self, data, timeout=5, half_close=False):
        """Sends bytes and reads until the server closes or falls silent. Gives the bytes, and whether it closed."""
        with self.connect(timeout) as connection:
            try:
                connection.sendall(data)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            received, closed = b"", False
            try:
                while True:
                    part = connection.recv(65_536)
                    if not part:
                        closed = True
                        break
                    received += part
            except (TimeoutError, socket.timeout):
                pass
            except OSError:
                closed = True
            return received, closed


def statuses(received):
    """The status codes of all responses in the bytes of one connection, one after the other."""
    found = []
    while received.startswith(b"HTTP/1."):
        head, _, rest = received.partition(b"\r\n\r\n")
        found.append(int(head.split(b" ", 2)[1]))
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), None
        )
        if length is None:
            break
        received = rest[length:]
    return found
