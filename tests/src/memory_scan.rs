//! Looking for secrets in the memory of a running daemon, as root can.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

/// A part of a process's address space.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Where it begins, and how long it is.
    pub start: u64,
    len: usize,
    /// `rw-p`
    permissions: String,
    /// A file, `[heap]`, `[stack]`, or nothing.
    name: String,
    /// As in `VmFlags:` of `/proc/PID/smaps`: `rd wr lo dd`.
    pub flags: Vec<String>,
}

impl Mapping {
    /// Whether it is locked against swap and left out of core dumps and forks.
    #[must_use]
    pub fn is_for_secrets(&self) -> bool {
        ["lo", "dd", "dc"].iter().all(|flag| self.flags.iter().any(|has| has == flag))
    }

    /// Whether the process may have written to it. What is mapped from a file and was never writable is as
    /// it is in the file.
    fn may_hold_secrets(&self) -> bool {
        self.permissions.starts_with('r')
            && (self.permissions.contains('w') || self.name.is_empty())
            && !self.name.starts_with("[v")
    }
}

/// Where a secret was found, and in which form.
#[derive(Debug, Clone)]
pub struct Found {
    /// The mapping.
    pub place: Mapping,
    /// `plain`, `base64`, …
    pub form: &'static str,
    /// Where in the mapping.
    pub at: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mapping { start, name, permissions, .. } = &self.place;
        write!(f, "{} at {start:x}+{:x} {permissions} {name}", self.form, self.at)
    }
}

/// The mappings of a process.
///
/// # Panics
/// If they cannot be read: that is root's.
#[must_use]
pub fn mappings(pid: u32) -> Vec<Mapping> {
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps")).expect("root may read it");
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in smaps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some((start, end)) = words[0].split_once('-') {
            let number = |digits| u64::from_str_radix(digits, 16).expect("an address");
            let (start, end) = (number(start), number(end));
            mappings.push(Mapping {
                start,
                len: usize::try_from(end - start).expect("it fits"),
                permissions: words[1].to_owned(),
                name: words[5..].join(" "),
                flags: Vec::new(),
            });
        } else if words[0] == "VmFlags:" {
            let mapping = mappings.last_mut().expect("flags are those of a mapping");
            mapping.flags = words[1..].iter().map(|&flag| flag.to_owned()).collect();
        }
    }
    mappings
}

/// Every place in the memory of a process where a part of this secret is, in any form in which it travels.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn find(pid: u32, secret: &str) -> Vec<Found> {
    search(pid, &forms(secret))
}

/// The same for a key, which is no text.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn find_key(pid: u32, key: &[u8]) -> Vec<Found> {
    search(pid, &[("raw", key.to_vec())])
}

fn search(pid: u32, forms: &[(&'static str, Vec<u8>)]) -> Vec<Found> {
    let memory = File::open(format!("/proc/{pid}/mem")).expect("root may read it");
    let mut found = Vec::new();
    for place in mappings(pid).into_iter().filter(Mapping::may_hold_secrets) {
        let mut bytes = vec![0; place.len];
        // It may have been unmapped meanwhile.
        if memory.read_exact_at(&mut bytes, place.start).is_err() {
            continue;
        }
        for (begin, run) in written(&bytes) {
            for (form, needle) in forms {
                let places = memmem::find_iter(run, needle).map(|at| begin + at);
                found.extend(places.map(|at| Found { place: place.clone(), form, at }));
            }
        }
    }
    found
}

/// The runs of pages with anything in them, and where they begin: most of a stack was never used.
fn written(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    const PAGE: usize = 4096;
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (number, page) in bytes.chunks(PAGE).enumerate() {
        if *page != [0; PAGE][..page.len()] {
            let (begin, end) = (number * PAGE, number * PAGE + page.len());
            match runs.last_mut() {
                Some((_, last)) if *last == begin => *last = end,
                _ => runs.push((begin, end)),
            }
        }
    }
    runs.into_iter().map(|(begin, end)| (begin, &bytes[begin..end])).collect()
}

/// How a secret looks on its way. The plain text is looked for in parts, for a copy may be cut.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    /// Long enough to be nowhere by chance.
    const PART: usize = 12;
    let bytes = secret.as_bytes();
    let mut forms: Vec<_> = bytes.chunks_exact(PART).map(|part| ("plain", part.to_vec())).collect();
    let json = serde_json::to_string(secret).expect("a text is JSON");
    forms.push(("json", json.trim_matches('"').into()));
    let mut xml = secret.replace('&', "&amp;");
    for (c, entity) in [('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")] {
        xml = xml.replace(c, entity);
    }
    forms.push(("xml", xml.into_bytes()));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.push(("hex", hex.to_uppercase().into_bytes()));
    forms.push(("hex", hex.into_bytes()));
    // In the midst of something else it may begin at any of three places; what the neighbours take part in is
    // left out.
    for before in 0..3 {
        let text = STANDARD.encode([&[0; 2][..before], bytes].concat());
        forms.push(("base64", text.as_bytes()[4..text.len() - 4].to_vec()));
    }
    // Without anything to escape, these are the plain text.
    let parts: Vec<u8> = secret.into();
    forms.retain(|(form, needle)| *form == "plain" || *needle != parts);
    forms
}
