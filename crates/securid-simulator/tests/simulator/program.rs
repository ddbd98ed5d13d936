//! The program `securid-simulator`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use securid_simulator::Truth;
use serde_json::Value;

use crate::client::{Client, login};

struct Program {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_securid-simulator"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.stdin, "{line}").unwrap();
        self.line()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_and_takes_commands() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let mut program = Program::start(&[
        "--ca-out",
        ca_file.to_str().unwrap(),
        "--user",
        "bob:with:colon",
        "--fault",
        "status:503",
    ]);
    let started: Value = serde_json::from_str(&program.line()).unwrap();
    assert_eq!(started["pid"], program.child.id());
    assert_eq!(started["ca_file"], ca_file.to_str().unwrap());
    let url = started["url"].as_str().unwrap().to_owned();
    let ca_pem = std::fs::read_to_string(&ca_file).unwrap();
    let mut client = Client::connect_to(&url, &ca_pem).unwrap();
    let login = login("", "bob", "with:colon");
    assert_eq!(client.ask(&login).unwrap().status, 503);

    assert_eq!(program.ask("fault none"), "ok");
    assert_eq!(client.ask(&login).unwrap().status, 200);
    let token = program.ask("issue carol");
    assert_eq!(program.ask(&format!("expire {token}")), "ok");
    assert_eq!(program.ask("fault hang logoutUser"), "ok");
    assert_eq!(client.ask(&login).unwrap().status, 200);
    assert_eq!(program.ask("fault down"), "ok");
    assert!(Client::connect_to(&url, &ca_pem).is_err());
    let truth: Truth = serde_json::from_str(&program.ask("truth")).unwrap();
    assert_eq!((truth.logins_ok, truth.alive().len(), truth.tokens.len()), (2, 2, 3));

    writeln!(program.stdin, "quit").unwrap();
    assert!(program.child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn it_ends_with_a_signal_and_not_with_its_input() {
    for signal in ["INT", "TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_securid-simulator"))
            .arg("--no-tls")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(started["ca_file"], Value::Null);
        Client::connect_to(started["url"].as_str().unwrap(), "").unwrap();
        assert!(child.try_wait().unwrap().is_none());
        let killed = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn help_explains_by_example_and_bad_arguments_are_refused() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_securid-simulator")).args(arguments).output().unwrap()
    };
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(help.contains("curl -X PUT -d hang") && help.contains("fault down"), "{help}");
    for arguments in [
        ["--fault", "explode"],
        ["--latency", "soon"],
        ["--user", "nopassword"],
        ["--no-tls", "--ca-out=x"],
    ] {
        assert_eq!(run(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn it_lets_in_only_clients_with_a_certificate_if_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (ca_file, client) = (folder.path().join("ca.pem"), folder.path().join("client.pem"));
    let mut program = Program::start(&[
        "--ca-out",
        ca_file.to_str().unwrap(),
        "--client-cert-out",
        client.to_str().unwrap(),
    ]);
    let started: Value = serde_json::from_str(&program.line()).unwrap();
    let url = started["url"].as_str().unwrap();
    let ca_pem = std::fs::read_to_string(&ca_file).unwrap();
    // With TLS 1.3 the server says no when it has seen nothing, after the handshake.
    let asked = Client::connect_to(url, &ca_pem)
        .and_then(|mut client| client.ask(&login("", "alice", "x")));
    assert!(asked.is_err(), "{:?}", asked.map(|answer| answer.status));
    let both = std::fs::read_to_string(&client).unwrap();
    assert!(both.contains("BEGIN CERTIFICATE") && both.contains("BEGIN PRIVATE KEY"));
    #[cfg(unix)]
    assert_eq!(mode(&client), 0o600);
}

#[cfg(unix)]
fn mode(file: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}
