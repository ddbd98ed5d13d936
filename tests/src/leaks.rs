//! Looking for secrets where none may be: whole, in part, and in disguise.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::house::{House, PASSWORD};

/// How many characters in a row count as a part of a secret: so many are in no text by chance.
const PART: usize = 8;

impl House {
    /// No part of any token or of the password is in the folders of records and audit, in the log, in the
    /// daemon's arguments and environment, in those of its children, in what `securid-ctl` printed, or in what
    /// the daemon answered (but for `session.token` and the `token` command).
    ///
    /// # Panics
    /// If one is.
    pub fn assert_no_leak(&self) {
        self.assert_not_told(&[]);
    }

    /// The same with more secrets.
    ///
    /// # Panics
    /// If one was told.
    pub fn assert_not_told(&self, more: &[&str]) {
        let mut places = vec![
            ("the log".to_owned(), self.log().into_bytes()),
            ("an answer".to_owned(), self.heard().into_bytes()),
        ];
        collect(&self.path("disk"), &mut places);
        collect(&self.state_dir(), &mut places);
        if let Some(daemon) = &self.daemon {
            of_process(daemon.pid(), &mut places);
        }
        let truth = self.simulator.truth();
        let tokens = truth.tokens.iter().map(|token| token.token.as_str());
        let secrets: Vec<&str> = tokens.chain([PASSWORD]).chain(more.iter().copied()).collect();
        assert_none(&secrets, &places);
    }

    /// Notes what somebody was told, to be looked through in the end.
    pub fn note_heard(&self, told: &str) {
        let mut heard = self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        heard.push_str(told);
        heard.push('\n');
    }
}

/// No part of a secret is in any of the places.
fn assert_none(secrets: &[&str], places: &[(String, Vec<u8>)]) {
    let mut parts: HashMap<usize, HashSet<Vec<u8>>> = HashMap::new();
    for secret in secrets {
        for (length, form) in forms(secret) {
            let known = parts.entry(length).or_default();
            known.extend(form.as_bytes().windows(length).map(<[u8]>::to_vec));
        }
    }
    for (place, text) in places {
        for (length, known) in &parts {
            let told = text.windows(*length).find(|part| known.contains(*part));
            let told = told.map(String::from_utf8_lossy);
            assert!(told.is_none(), "{told:?}, a part of a secret, is in {place}");
        }
    }
}

/// How a secret can be written, and how many characters of it stand for [`PART`] of the secret's.
fn forms(secret: &str) -> Vec<(usize, String)> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let escaped: String = secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let entities: String = secret.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect();
    let numbers: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let mut forms = vec![
        (PART, secret.to_owned()),
        (PART, secret.to_uppercase()),
        (PART, secret.to_lowercase()),
        (2 * PART, hex),
        (3 * PART, percent),
        (6 * PART, escaped),
        (6 * PART, entities),
        // As `Debug` shows bytes.
        (4 * PART, numbers.join(", ")),
    ];
    // Wherever in a longer text the secret begins. The first and last signs depend on what is around it.
    for before in ["", "x", "xx"] {
        let text = STANDARD.encode(format!("{before}{secret}"));
        let text = text.trim_end_matches('=');
        forms.push((PART * 4 / 3, text.get(4..text.len() - 1).unwrap_or_default().to_owned()));
    }
    forms.retain(|(length, form)| form.len() >= *length);
    forms
}

fn collect(folder: &Path, places: &mut Vec<(String, Vec<u8>)>) {
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = file.path();
        if path.is_dir() {
            collect(&path, places);
        } else {
            places.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
        }
    }
}

/// What every process of its user can read of a process, and of its children.
fn of_process(pid: u32, places: &mut Vec<(String, Vec<u8>)>) {
    for name in ["cmdline", "environ", "comm", "status"] {
        let path = format!("/proc/{pid}/{name}");
        places.push((path.clone(), fs::read(&path).unwrap_or_default()));
    }
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let name = fs::read(task.path().join("comm")).unwrap_or_default();
        places.push((format!("a thread's name of {pid}"), name));
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.split_whitespace().flat_map(str::parse).for_each(|pid| of_process(pid, places));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "m0nkey-Wrench+47/zebra=";

    fn is_found(text: &str) -> bool {
        let places = [("here".to_owned(), text.as_bytes().to_vec())];
        std::panic::catch_unwind(|| assert_none(&[SECRET], &places)).is_err()
    }

    #[test]
    fn whoever_leaks_a_part_is_found_out() {
        for (_, form) in forms(SECRET) {
            assert!(is_found(&format!("before {form} after")), "{form}");
        }
        assert!(is_found("…Wrench+4…") && is_found(&format!("{:?}", SECRET.as_bytes())));
        assert!(is_found(&STANDARD.encode(format!("alice:{SECRET}"))));
        assert!(!is_found("m0nkey-, Wrench+, 47/zebr") && !is_found(""));
    }
}
