#!/usr/bin/env node
// Speaks to securid-sessiond, with nothing but Node.js's own modules (18 or newer).
//
// As a program it asks the server for one thing, and prints its answer:
//
//     securid.mjs COMMAND [NAME=VALUE ...]               with a session that there is (SECURID_SESSION, else the default)
//     securid.mjs --login USER COMMAND [NAME=VALUE ...]  with one of its own, dead at the server in the end; the
//                                                        password is the first line of standard input
//
// Exit status: as of securid-ctl, and 75 if the answer is there, but the server has not confirmed the session's end yet.
// The token never comes here: the daemon asks. The protocol: ../protocol.md

import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const PROTOCOL = 1;
const LONGEST_REPLY = 1024 * 1024;
// Milliseconds: for a sign of life, for an answer, where a person may have to unlock the keyring.
const [ALIVE, ANSWER, PERSON] = [2_000, 10_000, 90_000];
const EXITS = {
  "-32001": 66, "-32002": 2, "-32003": 74, "-32004": 74, "-32005": 74, "-32006": 68, "-32007": 77, "-32009": 78,
  "-32010": 69,
};

/** What went wrong, what to do about it, and the exit status. */
export class Trouble extends Error {
  constructor(status, message, hint) {
    super(hint ? `${message}\n${hint}` : message);
    this.status = status;
  }
}

/** A connection to this user's daemon. Every wait has a limit. */
export class Daemon {
  #socket;
  #buffer = Buffer.alloc(0);
  #lastId = 0;
  #waiting = new Map();

  static async connect() {
    for (const candidate of candidates()) {
      const daemon = new Daemon();
      try {
        await daemon.#open(candidate);
        return daemon;
      } catch (error) {
        if (error instanceof Trouble) throw error;
        const nobody = ["ENOENT", "ENOTDIR", "ECONNREFUSED"].includes(error.code);
        if (!nobody) throw new Trouble(69, `cannot connect to ${candidate}: ${error.code}`);
      }
    }
    throw new Trouble(69, "no daemon is running", "Start it with securid-ctl start.");
  }

  async #open(candidate) {
    checkOwner(candidate);
    const { promise, timer, settle } = expect(ALIVE, `the daemon at ${candidate} does not accept connections`);
    this.#socket = net.connect(candidate, () => settle(null));
    this.#socket.on("error", (error) => settle(error));
    await promise.finally(() => clearTimeout(timer));
    this.#socket.on("data", (bytes) => this.#read(bytes));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.#fail(new Trouble(69, "the daemon ended before it answered")));
  }

  /** Calls a method, and gives its result. What is undefined is not said. */
  async call(method, params = {}, within = ANSWER) {
    if (this.#socket.destroyed) throw new Trouble(69, "the daemon has closed the connection");
    const alive = this.#expect(ALIVE, "the daemon does not answer");
    const answer = this.#expect(within, `the daemon did not finish ${method} in time`);
    const lines = [
      { jsonrpc: "2.0", id: alive.id, method: "daemon.hello" },
      { jsonrpc: "2.0", id: answer.id, method, params },
    ];
    this.#socket.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    // Both at once: whichever fails first tells why.
    const [hello, result] = await Promise.all([alive.promise.then(checkProtocol), answer.promise]);
    return hello && result;
  }

  close() {
    this.#socket.destroy();
  }

  #expect(within, late) {
    const id = ++this.#lastId;
    const waiting = expect(within, late);
    this.#waiting.set(id, waiting);
    const done = () => {
      clearTimeout(waiting.timer);
      this.#waiting.delete(id);
    };
    return { id, promise: waiting.promise.finally(done) };
  }

  #read(bytes) {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    for (let end; (end = this.#buffer.indexOf(10)) >= 0; ) {
      const line = this.#buffer.subarray(0, end).toString();
      this.#buffer = this.#buffer.subarray(end + 1);
      try {
        this.#understand(JSON.parse(line));
      } catch {
        this.#fail(new Trouble(76, "the daemon gave an answer that makes no sense"));
      }
    }
    if (this.#buffer.length > LONGEST_REPLY) this.#fail(new Trouble(76, "the daemon's answer has no end"));
  }

  #understand({ id, method, result, error }) {
    // A notification.
    if (method !== undefined) return;
    const trouble = error && troubleOf(error);
    // Why the connection is closed.
    if (id === null) return this.#fail(trouble);
    // Nobody may wait for it any more.
    this.#waiting.get(id)?.settle(trouble ?? null, result);
  }

  #fail(trouble) {
    for (const { settle } of this.#waiting.values()) settle(trouble);
    this.#socket.destroy();
  }
}

/** Something that comes within that time, or not at all. */
function expect(within, late) {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = (error, result) => (error ? reject(error) : resolve(result));
  });
  const timer = setTimeout(() => settle(new Trouble(69, late)), within);
  return { promise, timer, settle };
}

/** Where a daemon of this user may listen. */
function candidates() {
  const { SECURID_SOCKET, SECURID_STATE_DIR, XDG_RUNTIME_DIR = "", XDG_STATE_HOME = "" } = process.env;
  if (SECURID_SOCKET) return [SECURID_SOCKET];
  const uid = process.geteuid();
  const states = path.isAbsolute(XDG_STATE_HOME) ? XDG_STATE_HOME : path.join(os.homedir(), ".local/state");
  const folders = path.isAbsolute(XDG_RUNTIME_DIR) ? [path.join(XDG_RUNTIME_DIR, "securid")] : [];
  folders.push(`/run/user/${uid}/securid`, `/run/securid/${uid}`, SECURID_STATE_DIR || path.join(states, "securid"));
  return folders.map((folder) => path.join(folder, "sessiond.sock"));
}

/**
 * Node.js cannot ask the kernel who is at the other end. So the socket has to be ours in a folder of ours that nobody
 * else writes to, as the daemon makes them, or root's where systemd has bound it.
 */
function checkOwner(candidate) {
  const ours = [process.geteuid(), ...(candidate.startsWith("/run/securid/") ? [0] : [])];
  for (const part of [candidate, path.dirname(candidate)]) {
    const about = fs.lstatSync(part);
    if (!ours.includes(about.uid)) throw new Trouble(76, `${part} is not yours: it belongs to uid ${about.uid}`);
    if (about.isDirectory() && about.mode & 0o022) throw new Trouble(76, `${part} can be written to by others`);
  }
}

function checkProtocol(hello) {
  if (hello.protocol === PROTOCOL) return hello;
  throw new Trouble(76, `the daemon speaks protocol ${hello.protocol}, this program ${PROTOCOL}`);
}

function troubleOf({ code, message, data = {} }) {
  return new Trouble(data.bad_config ? 78 : (EXITS[code] ?? 1), message, data.hint);
}

/** Has the daemon ask, with the session's token; the pieces of the answer as they come. */
async function* askServer(daemon, session, command, given) {
  let more = { session, command, arguments: given, timeout: "30s" };
  while (more) {
    const piece = await daemon.call("session.call", more, 30_000 + ANSWER);
    yield Buffer.from(piece.body, "base64");
    more = piece.more ? { call: piece.call } : undefined;
  }
}

/** As fast as whoever reads it. */
async function print(piece) {
  if (!process.stdout.write(piece)) await once(process.stdout, "drain");
}

async function firstLine(stream) {
  const ask = "the password is the first line of standard input";
  if (stream.isTTY) throw new Trouble(2, ask, "As in: systemd-ask-password | securid.mjs --login USER COMMAND");
  const bytes = await stream.toArray();
  return Buffer.concat(bytes).toString().split("\n")[0];
}

/** Does the work with a session's id. One that is made for it is tied to the connection: whatever becomes of this
 * program, the daemon revokes it. */
async function withSession(daemon, username, work) {
  if (username === undefined) {
    const { session } = await daemon.call("session.hold", { session: process.env.SECURID_SESSION || undefined });
    return work(session);
  }
  const password = await firstLine(process.stdin);
  const { id } = await daemon.call("session.login", { username, password, tied: true }, PERSON);
  try {
    await work(id);
  } finally {
    const { sessions } = await daemon.call("session.logout", { sessions: [id], wait: "10s" }, 10_000 + ANSWER);
    if (sessions.some(({ state }) => state !== "ended")) {
      // Whatever else went wrong has been told by then, or there is nothing else.
      process.exitCode = 75;
      console.error(`securid.mjs: the end of session ${id} is not confirmed yet\nThe daemon keeps trying.`);
    }
  }
}

async function main(words) {
  const user = words[0] === "--login" && words.length > 1 ? words.splice(0, 2)[1] : undefined;
  const [command, ...given] = words;
  if (!command || command.startsWith("-") || !given.every((word) => word.includes("="))) {
    throw new Trouble(2, "usage: securid.mjs [--login USER] COMMAND [NAME=VALUE ...]");
  }
  const parameters = Object.fromEntries(given.map((word) => word.split(/=(.*)/s).slice(0, 2)));
  const daemon = await Daemon.connect();
  try {
    await withSession(daemon, user, async (session) => {
      for await (const piece of askServer(daemon, session, command, parameters)) await print(piece);
    });
  } finally {
    daemon.close();
  }
}

if (import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  main(process.argv.slice(2)).catch((trouble) => {
    console.error(`securid.mjs: ${trouble.message}`);
    process.exitCode = trouble.status ?? 70;
  });
}
