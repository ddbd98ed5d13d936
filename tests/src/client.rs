//! The protocol by hand: lines of JSON over the socket, without our own client in between.

use std::io::{BufRead, BufReader, ErrorKind, Read as _, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// How long an answer is waited for: longer than the longest bound that the contract gives a call
/// without a prompt, and the waits of `session.logout` that tests ask for.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    last_id: u64,
}

/// An error as the daemon answered it.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcFault {
    /// The code, as `-32001`.
    pub code: i64,
    /// What went wrong.
    pub message: String,
    /// The rest: hint, candidates and so on.
    pub data: Value,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn connect(socket: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        Ok(Self { stream: BufReader::new(stream), last_id: 0 })
    }

    /// Calls a method and waits for its answer; others that come in between are not expected.
    ///
    /// # Errors
    /// The daemon's own.
    ///
    /// # Panics
    /// If there is no answer, or none that makes sense.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, RpcFault> {
        let id = self.send(method, params);
        let answer = self.receive().unwrap_or_else(|| panic!("{method}: closed without an answer"));
        assert_eq!(answer["id"], json!(id), "{method}: {answer}");
        outcome(&answer)
    }

    /// The same with a daemon that may be killed at any moment: none if it was.
    pub fn call_until_gone(
        &mut self,
        method: &str,
        params: Value,
    ) -> Option<Result<Value, RpcFault>> {
        self.last_id += 1;
        let request =
            json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        writeln!(self.stream.get_mut(), "{request}").ok()?;
        self.receive().map(|answer| outcome(&answer))
    }

    /// Sends a request and gives its id back.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send_line(&request.to_string());
        id
    }

    /// Sends a line as it is.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn send_line(&mut self, line: &str) {
        let mut bytes = line.as_bytes().to_vec();
        bytes.push(b'\n');
        self.stream.get_mut().write_all(&bytes).expect("the daemon reads");
    }

    /// The next answer; none if the daemon has closed.
    ///
    /// # Panics
    /// If nothing comes, or something that is no JSON-RPC.
    pub fn receive(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                let answer: Value = serde_json::from_str(&line).expect("an answer is JSON");
                assert_eq!(answer["jsonrpc"], "2.0", "{line}");
                Some(answer)
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no answer from the daemon: {error}"),
        }
    }

    /// The next answer, if it comes within that time.
    ///
    /// # Panics
    /// If the daemon has closed.
    pub fn receive_within(&mut self, limit: Duration) -> Option<Value> {
        self.stream.get_ref().set_read_timeout(Some(limit)).expect("it is not nothing");
        let there = match self.stream.fill_buf() {
            Ok(bytes) => Some(!bytes.is_empty()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock) => None,
            Err(error) => panic!("no answer from the daemon: {error}"),
        };
        self.stream.get_ref().set_read_timeout(Some(ANSWER)).expect("it is not nothing");
        there.map(|open| {
            assert!(open, "closed without an answer");
            self.receive().expect("it has begun")
        })
    }

    /// Says that nothing more will be asked.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn half_close(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Write).expect("the socket is open");
    }
}

/// Everything that is still said on a connection, to its end.
///
/// # Panics
/// If nothing comes, or what is no text.
pub fn rest(stream: &mut UnixStream) -> String {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        // It was closed with something of ours unread.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("no end from the daemon: {error}"),
    }
    String::from_utf8(rest).expect("what is said is text")
}

/// What an answer says: a result or an error.
///
/// # Errors
/// The daemon's own.
pub fn outcome(answer: &Value) -> Result<Value, RpcFault> {
    match answer.get("error") {
        None => Ok(answer["result"].clone()),
        Some(error) => Err(RpcFault {
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            data: error["data"].clone(),
        }),
    }
}
