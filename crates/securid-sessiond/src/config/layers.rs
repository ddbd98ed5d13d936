//! Which places count, and in which order: the later wins, but for what is enforced.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use securid_ipc::paths::{ConfigFiles, OwnFile};
use securid_trust::advice::{self, ROOT};
use securid_trust::{OpenError, Standing, real_path_of_root, us};

use super::layer::{Assignment, Layer, Whose};
use super::merge::merge;
use super::place::Fault;
use super::said::{Counting, Said};
use super::vain::wishes_in_vain;
use super::{Loaded, checks};

/// Where the config comes from.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) files: ConfigFiles,
    /// `--set`
    pub(crate) flags: Vec<Assignment>,
}

impl Sources {
    /// Reads all that counts. All faults are told, but for those in a file that is no TOML. `thorough` looks
    /// at the files as well that are named: whoever checks a config wants to know, whereas a daemon must not
    /// hang on a disk, and starts without those that are not there yet.
    pub(crate) fn load(&self, thorough: bool) -> Loaded {
        let mut gathered = Gathered::default();
        let counting = match self.files.own {
            OwnFile::Usual(_) => Counting::All,
            OwnFile::Alone(_) => Counting::Enforced,
        };
        gathered.machines_files(&self.files, counting);
        gathered.own_file(&self.files.own);
        let environment = Layer::of_environment(|name| std::env::var_os(name));
        gathered.take(environment, Whose::Users, Counting::All);
        gathered.take(Layer::of_flags(&self.flags), Whose::Users, Counting::All);
        gathered.finish(thorough)
    }

    /// Reads the machine's files alone, with `draft` as the last of them: what a user says is left out.
    pub(crate) fn load_draft(&self, draft: &Path) -> Loaded {
        let mut gathered = Gathered::default();
        gathered.machines_files(&self.files, Counting::All);
        match users_text(draft) {
            Ok(Some(text)) => {
                let layer = Layer::of_file(draft, &text, Whose::Machines);
                gathered.take(layer, Whose::Machines, Counting::All);
            }
            Ok(None) => gathered.faults.push(missing(draft)),
            Err(fault) => gathered.faults.push(fault),
        }
        gathered.finish(true)
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Gathered {
    said: Said,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Gathered {
    fn machines_files(&mut self, files: &ConfigFiles, counting: Counting) {
        let additions = additions(&files.additions).unwrap_or_else(|fault| {
            self.faults.push(fault);
            Vec::new()
        });
        for path in std::iter::once(&files.machine).chain(&additions) {
            match machines_text(path) {
                Ok(Some(text)) => {
                    let layer = Layer::of_file(path, &text, Whose::Machines);
                    self.take(layer, Whose::Machines, counting);
                }
                // It is meant to count: nobody is to be free of it because a disk is not mounted.
                Ok(None) if leads_nowhere(path) => self.faults.push(missing(path)),
                Ok(None) => {}
                Err(fault) => self.faults.push(fault),
            }
        }
    }

    fn own_file(&mut self, file: &OwnFile) {
        match (users_text(file.path()), file) {
            (Ok(Some(text)), _) => {
                let layer = Layer::of_file(file.path(), &text, Whose::Users);
                self.take(layer, Whose::Users, Counting::All);
            }
            (Ok(None), OwnFile::Usual(_)) => {}
            (Ok(None), OwnFile::Alone(path)) => self.faults.push(missing(path)),
            (Err(fault), _) => self.faults.push(fault),
        }
    }

    fn take(&mut self, mut layer: Layer, whose: Whose, counting: Counting) {
        self.faults.append(&mut layer.faults);
        match whose {
            // One of a later version, say: it must not lock all users out.
            Whose::Machines => self.warnings.append(&mut layer.unknown),
            Whose::Users => self.faults.append(&mut layer.unknown),
        }
        self.said.add(layer, counting);
    }

    fn finish(self, thorough: bool) -> Loaded {
        let Self { said, mut faults, mut warnings } = self;
        let config = merge(&said, &mut faults);
        warnings.extend(wishes_in_vain(&said));
        if thorough {
            faults.extend(checks::unusable_files(&said, &config));
        }
        Loaded { config, faults, warnings, said }
    }
}

/// The text of a file that nobody but root and us may have written; none if there is no such file.
fn users_text(path: &Path) -> Result<Option<String>, Fault> {
    text(path, securid_trust::open(path), |about| {
        if !about.is_trusted() {
            let (owner, us, advice) = (about.owner(), us(), advice::take_it_over(path));
            Err(format!("it belongs to {owner}, and this is {us}: name another, or {advice}"))
        } else if about.is_writable_by_others() {
            Err(format!(
                "others can write it, and decide where tokens and passwords go: run {}",
                advice::shut_writers_out_of_it(path)
            ))
        } else {
            Ok(())
        }
    })
}

/// The text of a file that counts only if nobody but root can have written it.
fn machines_text(path: &Path) -> Result<Option<String>, Fault> {
    text(path, securid_trust::open_of_root(path), |about| is_roots_alone(path, about))
}

fn is_roots_alone(path: &Path, about: &Standing) -> Result<(), String> {
    if about.is_roots_alone() {
        return Ok(());
    }
    let advice = advice::make_it_roots(path);
    Err(format!("others than {ROOT} can write it, so it cannot count: run {advice}"))
}

fn text(
    path: &Path,
    opened: Result<(File, Standing), OpenError>,
    judge: impl FnOnce(&Standing) -> Result<(), String>,
) -> Result<Option<String>, Fault> {
    let (mut file, about) = match opened {
        Ok(opened) => opened,
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(OpenError::Io(error)) => return Err(unreadable(path, &error)),
        Err(OpenError::Untrusted(why)) => return Err(Fault::of_file(path, why.to_string())),
    };
    judge(&about).map_err(|problem| Fault::of_file(path, problem))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(text)
        .map(Some)
        .map_err(|error| Fault::of_file(path, no_utf8(error.as_bytes())))
}

/// What PowerShell's `>` writes, and some editors, begins with a mark.
fn no_utf8(text: &[u8]) -> &'static str {
    match text {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "is UTF-16: save it as UTF-8",
        _ => "is no UTF-8: save it as UTF-8",
    }
}

/// The files of the folder of additions, in the order of their names, byte by byte. Hidden ones, and what is not
/// called so, do not count: editors and packages leave such things behind.
fn additions(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    match folder.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && leads_nowhere(folder) => {
            return Err(missing(folder));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        looked => looked.map_err(|error| unreadable(folder, &error))?,
    };
    let real = real_path_of_root(folder).map_err(|why| Fault::of_file(folder, why.to_string()))?;
    let listed = Standing::at(&real).and_then(|about| {
        let names = fs::read_dir(&real)?.map(|entry| Ok(entry?.file_name()));
        Ok((about, names.collect::<io::Result<Vec<_>>>()?))
    });
    let (about, mut names) = listed.map_err(|error| unreadable(folder, &error))?;
    is_roots_alone(folder, &about).map_err(|problem| Fault::of_file(folder, problem))?;
    names.retain(|name| is_addition(name));
    names.sort_unstable_by(|a, b| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether it, or the folder that it is in, is a link to what is not there.
fn leads_nowhere(path: &Path) -> bool {
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|about| about.is_symlink());
    [Some(path), path.parent()].into_iter().flatten().any(|path| is_link(path) && !path.exists())
}

fn is_addition(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.ends_with(b".toml") && !name.starts_with(b".")
}

fn missing(path: &Path) -> Fault {
    Fault::of_file(path, "there is no such file")
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::of_file(path, format!("cannot be read: {error}"))
}
