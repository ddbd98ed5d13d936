#!/usr/bin/env python3
"""Speaks to securid-sessiond, with nothing but Python's standard library (3.8 or newer).

As a program it asks the server for one thing, and prints its answer:

    securid.py COMMAND [NAME=VALUE ...]               with a session that there is (SECURID_SESSION, else the default)
    securid.py --login USER COMMAND [NAME=VALUE ...]  with one of its own, dead at the server in the end; the password
                                                      is asked for, or the first line of standard input

Exit status: as of securid-ctl, and 75 if the answer is there, but the server has not confirmed the session's end yet.
SSL_CERT_FILE names the certificate of a private CA. The protocol: ../protocol.md
"""

import contextlib
import getpass
import http.client
import json
import os
import socket
import struct
import sys
import time
import urllib.parse

PROTOCOL = 1
LONGEST_REPLY = 1024 * 1024
ALIVE, ANSWER, PERSON = 2, 10, 90  # seconds: for a sign of life, for an answer, where a person may have to unlock
EXITS = {-32001: 66, -32002: 2, -32003: 74, -32004: 74, -32005: 74, -32006: 68, -32007: 77, -32009: 78, -32010: 69}


class Trouble(Exception):
    """What went wrong, what to do about it, and the exit status."""

    def __init__(self, status, message, hint=None):
        super().__init__(message if hint is None else f"{message}\n{hint}")
        self.status = status


class Daemon:
    """A connection to this user's daemon. Every wait has a limit."""

    def __init__(self):
        self.path, self.socket = connect()
        self.buffer, self.last_id = bytearray(), 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def call(self, method, within=ANSWER, **params):
        """Calls a method, and gives its result. What is None is not said."""
        hello, ours = self.last_id + 1, self.last_id + 2
        self.last_id = ours
        params = {name: value for name, value in params.items() if value is not None}
        lines = [{"id": hello, "method": "daemon.hello"}, {"id": ours, "method": method, "params": params}]
        text = "".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines)
        began, greeted, answer = time.monotonic(), False, None
        with self.limits(method):
            self.socket.settimeout(ALIVE)
            self.socket.sendall(text.encode())
            while not (greeted and answer):
                message = json.loads(self.read_line(began + (within if greeted else ALIVE)))
                if message.get("id") == hello:
                    check_protocol(result_of(message))
                    greeted = True
                elif message.get("id") == ours:
                    answer = message
                elif "method" not in message and message.get("id") is None:
                    result_of(message)  # why the connection is closed
                # Anything else is a notification, or an answer that nobody waits for any more.
        return result_of(answer)

    def read_line(self, until):
        while b"\n" not in self.buffer:
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            piece = self.socket.recv(65536)
            if not piece or len(self.buffer) > LONGEST_REPLY:
                raise ConnectionError
            self.buffer += piece
        line, _, rest = self.buffer.partition(b"\n")
        self.buffer = rest
        return line

    @contextlib.contextmanager
    def limits(self, method):
        try:
            yield
        except socket.timeout:
            raise Trouble(69, f"the daemon at {self.path} does not answer {method} in time") from None
        except OSError:
            raise Trouble(69, f"the daemon at {self.path} ended before it answered {method}") from None
        except ValueError:
            raise Trouble(76, f"the daemon at {self.path} gave an answer that makes no sense") from None


def candidates():
    """Where a daemon of this user may listen."""
    named = os.environ.get("SECURID_SOCKET")
    if named:
        return [named]
    uid, runtime = os.geteuid(), os.environ.get("XDG_RUNTIME_DIR", "")
    state = os.environ.get("XDG_STATE_HOME", "")
    state = state if os.path.isabs(state) else os.path.expanduser("~/.local/state")
    state = os.environ.get("SECURID_STATE_DIR") or os.path.join(state, "securid")
    folders = [os.path.join(runtime, "securid")] if os.path.isabs(runtime) else []
    folders += [f"/run/user/{uid}/securid", f"/run/securid/{uid}", state]
    return [os.path.join(folder, "sessiond.sock") for folder in folders]


def connect():
    """The first socket behind which somebody listens, and who that is has been asked of the kernel."""
    for path in candidates():
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(ALIVE)
        try:
            stream.connect(path)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            stream.close()
            continue
        except OSError as error:
            raise Trouble(69, f"cannot connect to {path}: {error.strerror or 'it does not answer'}") from None
        _, uid, _ = struct.unpack("iII", stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        # Root's where systemd has bound the socket of a system unit.
        if uid != os.geteuid() and not (uid == 0 and path.startswith("/run/securid/")):
            raise Trouble(76, f"the daemon at {path} is not yours: it runs as uid {uid}")
        return path, stream
    raise Trouble(69, "no daemon is running", "Start it with securid-ctl start.")


def check_protocol(hello):
    if hello["protocol"] != PROTOCOL:
        raise Trouble(76, f"the daemon speaks protocol {hello['protocol']}, this program {PROTOCOL}")


def result_of(message):
    if "error" not in message:
        return message["result"]
    error, data = message["error"], message["error"].get("data", {})
    status = 78 if data.get("bad_config") else EXITS.get(error["code"], 1)
    raise Trouble(status, error["message"], data.get("hint"))


@contextlib.contextmanager
def session(daemon, user=None):
    """The id of a session that is in use meanwhile. One that is made for it is tied to the connection: whatever becomes
    of this program, the daemon revokes it."""
    if user is None:
        yield daemon.call("session.hold", session=os.environ.get("SECURID_SESSION") or None)["session"]
        return
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    made = daemon.call("session.login", PERSON, username=user, password=password, tied=True)
    try:
        yield made["id"]
    finally:
        ended = daemon.call("session.logout", 10 + ANSWER, sessions=[made["id"]], wait="10s")["sessions"]
    if any(item["state"] != "ended" for item in ended):
        raise Trouble(75, f"the end of session {made['id']} is not confirmed yet", "The daemon keeps trying.")


def ask_server(lent, command, arguments):
    """Asks with the token that was lent, at the URL that came with it and no other: no redirect is followed."""
    url = urllib.parse.urlsplit(lent["url"])
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    server = kind(url.hostname, url.port, timeout=30)
    query = urllib.parse.urlencode({"cmd": command, "format": "json", **arguments})
    headers = {"Authorization": f"Bearer {lent['token']}", "Accept": "application/json",
               "Content-Type": "application/json"}
    try:
        server.request("POST", f"{url.path}?{query}", body=b"", headers=headers)
        reply = server.getresponse()
        body = reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise Trouble(68, f"no answer from {url.hostname}: {error}") from None
    finally:
        server.close()
    if reply.status == 401:
        raise Trouble(1, "the server does not take the token any more (401)", "Log out and in again.")
    if reply.status != 200:
        raise Trouble(1, f"the server answered {reply.status} to {command}")
    return json.loads(body)


def main(words):
    user = None
    if words[:1] == ["--login"] and len(words) > 1:
        user, words = words[1], words[2:]
    if not words or words[0].startswith("-") or not all("=" in word for word in words[1:]):
        raise Trouble(2, "usage: securid.py [--login USER] COMMAND [NAME=VALUE ...]")
    with Daemon() as daemon, session(daemon, user) as ours:
        arguments = dict(word.split("=", 1) for word in words[1:])
        answer = ask_server(daemon.call("session.token", session=ours), words[0], arguments)
        print(json.dumps(answer, indent=2), flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Trouble as trouble:
        print(f"securid.py: {trouble}", file=sys.stderr)
        sys.exit(trouble.status)
    except KeyboardInterrupt:
        sys.exit(130)
