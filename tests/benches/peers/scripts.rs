//! What somebody does without a daemon: one `logoutUser` as the vendor's pages have it, by curl, Python or Node.js.
//! Each is a process that connects, asks once and ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::peer::{command, which};

const PYTHON: &str = "\
import ssl, sys, urllib.request
url, ca, token = sys.argv[1:]
request = urllib.request.Request(url, b'', {'Authorization': 'Bearer ' + token, \
'Accept': 'application/json', 'Content-Type': 'application/json'})
context = ssl.create_default_context(cafile=ca)
assert b'logoutUser' in urllib.request.urlopen(request, context=context).read()
";

const NODE: &str = "\
const [url, ca, token] = process.argv.slice(1);
const headers = {Authorization: `Bearer ${token}`, Accept: 'application/json', \
'Content-Type': 'application/json', 'Content-Length': 0};
const options = {method: 'POST', headers, ca: require('fs').readFileSync(ca)};
require('https').request(url, options, (answer) => {
  answer.resume();
  process.exitCode = answer.statusCode === 200 ? 0 : 1;
}).end();
";

/// The words of curl before the token's header and after it.
pub(crate) fn curl(url: &str, ca: &Path, header: &str) -> Vec<String> {
    let words = ["--silent", "--show-error", "--fail", "--ipv4", "--data", "", "--cacert"];
    let mut all: Vec<String> = words.map(str::to_owned).to_vec();
    all.push(ca.display().to_string());
    for header in [header, "Accept: application/json", "Content-Type: application/json"] {
        all.extend(["--header".to_owned(), header.to_owned()]);
    }
    all.push(url.to_owned());
    all
}

/// A client that logs a token out.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    program: PathBuf,
    words: Words,
}

/// What stands behind the program, for a URL, the CA's file and a token.
type Words = fn(&str, &Path, &str) -> Vec<String>;

impl Script {
    /// The command that logs this token out at this URL.
    pub(crate) fn logout(&self, url: &str, ca: &Path, token: &str) -> Command {
        let mut command = command(&self.program.to_string_lossy(), Path::new("/tmp"));
        command.args((self.words)(url, ca, token)).stderr(Stdio::inherit());
        command
    }
}

/// Those that are installed; the others are said to be not there.
pub(crate) fn installed() -> Vec<Script> {
    let all: [(_, _, Words); 3] = [
        ("curl", "curl", |url, ca, token| curl(url, ca, &format!("Authorization: Bearer {token}"))),
        ("Python", "python3", |url, ca, token| script("-c", PYTHON, url, ca, token)),
        ("Node.js", "node", |url, ca, token| script("-e", NODE, url, ca, token)),
    ];
    let there = all.into_iter().filter_map(|(name, program, words)| {
        let Some(program) = which(program) else {
            println!("{name} is not there");
            return None;
        };
        Some(Script { name, program: itself(program), words })
    });
    there.collect()
}

/// What stands on the PATH may be a script that looks for the right version, which takes longer than Python itself.
fn itself(program: PathBuf) -> PathBuf {
    if !program.ends_with("python3") {
        return program;
    }
    let mut question = Command::new(&program);
    let told = question.args(["-c", "import sys; print(sys.executable)"]).output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
    told.ok().filter(|path| !path.is_empty()).map_or(program, PathBuf::from)
}

fn script(flag: &str, text: &str, url: &str, ca: &Path, token: &str) -> Vec<String> {
    [flag, text, url, &ca.to_string_lossy(), token].map(str::to_owned).to_vec()
}
