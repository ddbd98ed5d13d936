#!/usr/bin/env python3
"""Speaks to securid-sessiond, with nothing but Python's standard library (3.8 or newer).

As a program it asks the server for one thing, and prints its answer:

    securid.py COMMAND [NAME=VALUE ...]               with a session that there is (SECURID_SESSION, else the default)
    securid.py --login USER COMMAND [NAME=VALUE ...]  with one of its own, dead at the server in the end; the password
                                                      is asked for, or the first line of standard input
    securid.py --events                               tells what changes, a line of JSON each, until it is ended

Exit status: as of securid-ctl, and 75 if the answer is there, but the server has not confirmed the session's end yet.
The token never comes here: the daemon asks. The protocol: ../protocol.md
"""

import base64
import collections
import contextlib
import getpass
import json
import os
import socket
import struct
import sys
import time

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
        self.buffer, self.last_id, self.told = bytearray(), 0, collections.deque()

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
                elif message.get("method") == "event":
                    self.told.append(message["params"])
                elif "method" not in message and message.get("id") is None:
                    result_of(message)  # why the connection is closed
                # Anything else is news of a newer daemon, or an answer that nobody waits for any more.
        return result_of(answer)

    def events(self):
        """What is, and then what changes, as the daemon tells it; without an end."""
        self.call("events.subscribe")
        while True:
            while self.told:
                yield self.told.popleft()
            with self.limits("with news"):
                try:
                    message = json.loads(self.read_line(time.monotonic() + 60))
                except socket.timeout:
                    self.call("daemon.hello")  # No news: does it live?
                else:
                    if message.get("method") == "event":
                        self.told.append(message["params"])

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


def ask_server(daemon, session, command, arguments):
    """Has the daemon ask, with the session's token; the pieces of the answer as they come."""
    more = {"session": session, "command": command, "arguments": arguments, "timeout": "30s"}
    while more:
        piece = daemon.call("session.call", 30 + ANSWER, **more)
        yield base64.b64decode(piece["body"])
        more = {"call": piece["call"]} if piece["more"] else None


def main(words):
    if words == ["--events"]:
        with Daemon() as daemon:
            for event in daemon.events():
                print(json.dumps(event), flush=True)
    user = None
    if words[:1] == ["--login"] and len(words) > 1:
        user, words = words[1], words[2:]
    if not words or words[0].startswith("-") or not all("=" in word for word in words[1:]):
        raise Trouble(2, "usage: securid.py [--login USER] COMMAND [NAME=VALUE ...] | --events")
    with Daemon() as daemon, session(daemon, user) as ours:
        arguments = dict(word.split("=", 1) for word in words[1:])
        for piece in ask_server(daemon, ours, words[0], arguments):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Trouble as trouble:
        print(f"securid.py: {trouble}", file=sys.stderr)
        sys.exit(trouble.status)
    except KeyboardInterrupt:
        sys.exit(130)
