//! The protocol by hand: lines of JSON over the endpoint, without our own client in between.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::patience::PATIENCE;
use crate::system::{self, Connection};

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    /// None while a line is waited for, and for good once that was in vain.
    connection: Option<BufReader<Connection>>,
    last_id: u64,
}

/// An error as the daemon answered it.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcFault {
    /// The code, as `-32001`.
    pub code: i64,
    /// What went wrong.
    pub message: String,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn connect(endpoint: &Path) -> io::Result<Self> {
        let connection = system::connect(endpoint)?;
        Ok(Self { connection: Some(BufReader::new(connection)), last_id: 0 })
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// The daemon's own.
    ///
    /// # Panics
    /// If there is no answer, or none that makes sense.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, RpcFault> {
        self.last_id += 1;
        let request =
            json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        let said = self.exchange(format!("{request}\n"), PATIENCE);
        let said = said.unwrap_or_else(|error| panic!("{method}: {error}"));
        let answer: Value = serde_json::from_str(&said).expect("an answer is JSON");
        assert_eq!(answer["id"], json!(self.last_id), "{method}: {answer}");
        match &answer["error"] {
            Value::Null => Ok(answer["result"].clone()),
            error => Err(RpcFault {
                code: error["code"].as_i64().expect("a code"),
                message: error["message"].as_str().expect("a message").to_owned(),
            }),
        }
    }

    /// Sends something as it is.
    ///
    /// # Errors
    /// If the daemon has closed.
    ///
    /// # Panics
    /// If a line was waited for in vain before.
    pub fn send(&mut self, text: &str) -> io::Result<()> {
        let connection = self.connection.as_mut().expect("nothing was waited for in vain");
        connection.get_mut().write_all(text.as_bytes())
    }

    /// Sends something and waits for a line, so long; empty if the daemon has closed.
    ///
    /// A thread does it: a pipe that is read by one is not written by another meanwhile, and knows no limit of time.
    ///
    /// # Errors
    /// What the system says, or that nothing has come.
    ///
    /// # Panics
    /// If a line was waited for in vain before.
    pub fn exchange(&mut self, text: String, limit: Duration) -> io::Result<String> {
        let mut connection = self.connection.take().expect("nothing was waited for in vain");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let done = connection.get_mut().write_all(text.as_bytes());
            let done = done.and_then(|()| connection.read_line(&mut line));
            let done = match done {
                // The daemon has cut it off.
                Err(error)
                    if system::CUT_OFF.is_some_and(|it| error.raw_os_error() == Some(it)) =>
                {
                    Ok(0)
                }
                done => done,
            };
            let _ = sender.send((connection, done.map(|_| line)));
        });
        let (connection, line) =
            receiver.recv_timeout(limit).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        self.connection = Some(connection);
        line
    }
}
