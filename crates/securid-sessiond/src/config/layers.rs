//! Which files count, and whether what they name is of use.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use securid_api::Client;
use securid_ipc::paths::ConfigFiles;
use securid_store::KeyPlace;

use super::file::Source;
use super::merge::{merge, said};
use super::{AuditTarget, Config, Fault, Instance, Loaded};
use crate::audit;

/// Reads all files that count. All faults are told, but for those behind the first value of a file
/// that is of no use at all. `thorough` looks at the certificates as well: whoever checks a config wants to
/// know, whereas a daemon must not hang on a disk, and starts without those that are not there yet.
pub(crate) fn load(files: &ConfigFiles, thorough: bool) -> Loaded {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    let mut sources = Vec::new();
    match files {
        ConfigFiles::Alone(path) => match Source::read(path) {
            Ok(Some(source)) => sources.push(source),
            Ok(None) => faults.push(whole(path, "there is no such file")),
            Err(fault) => faults.push(fault),
        },
        // The folder of additions belongs to a later version.
        ConfigFiles::Layers { machine, user, .. } => {
            match machine_file(machine) {
                Ok(Some(mut source)) => {
                    warnings.append(&mut source.unknown);
                    sources.push(source);
                }
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
            match Source::read(user) {
                Ok(source) => sources.extend(source),
                Err(fault) => faults.push(fault),
            }
        }
    }
    faults.extend(sources.iter().flat_map(|source| source.unknown.clone()));
    let config = merge(&sources, &mut faults);
    if thorough {
        faults.extend(config.instances.values().filter_map(|i| unusable_ca_file(&sources, i)));
        faults.extend(unusable_key_file(&sources));
        faults.extend(unusable_audit_file(&sources, &config));
    }
    Loaded { config, faults, warnings }
}

fn unusable_ca_file(sources: &[Source], instance: &Instance) -> Option<Fault> {
    let name = instance.name.as_str();
    let (source, file) = said(sources, |s| s.says.instances.get(name)?.ca_file.as_ref())?;
    // A relative one is told already, and its name need not be repeated: it may be anything.
    if file.get_ref().is_relative() {
        return None;
    }
    let error =
        Client::new(instance.endpoint.clone(), Some(file.get_ref()), instance.format).err()?;
    Some(source.fault(file, &format!("instances.{name}.ca_file"), error))
}

fn unusable_key_file(sources: &[Source]) -> Option<Fault> {
    let (source, file) = said(sources, |s| s.says.key_file.as_ref())?;
    if file.get_ref().is_relative() {
        return None;
    }
    let error = KeyPlace::find(Some(file.get_ref()))?.check().err()?;
    Some(source.fault(file, "key_file", format!("{error}. {}", error.hint())))
}

fn unusable_audit_file(sources: &[Source], config: &Config) -> Option<Fault> {
    let AuditTarget::File(path) = &config.audit else { return None };
    let (source, at) = said(sources, |s| s.says.audit.as_ref())?;
    let problem = audit::check(path).err()?;
    Some(source.fault(at, "audit", problem))
}

/// The kernel's number for a user that a user namespace does not know (`overflowuid`).
const UNKNOWN_UID: u32 = 65534;

/// The machine's file counts only if nobody but root can have written it.
fn machine_file(path: &Path) -> Result<Option<Source>, Fault> {
    let Some(source) = Source::read(path)? else { return Ok(None) };
    let found = std::fs::metadata(path)
        .map_err(|error| whole(path, &format!("cannot be looked at: {error}")))?;
    if !is_roots(&found) || found.mode() & 0o022 != 0 {
        let problem = "others than root can write it, so it cannot count: \
                       run chown root and chmod go-w on it";
        return Err(whole(path, problem));
    }
    Ok(Some(source))
}

/// Under systemd's `PrivateUsers=yes` a user's daemon sees root, as everybody else, by the kernel's number
/// for unknown users. Nobody but root has put a file into `/etc`, so such a one counts there.
fn is_roots(file: &std::fs::Metadata) -> bool {
    file.uid() == 0 || (file.uid() == UNKNOWN_UID && !knows_root())
}

/// Whether root has a number in our user namespace (user_namespaces(7)).
fn knows_root() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|range| range.split_whitespace().next() == Some("0"))
}

fn whole(path: &Path, problem: &str) -> Fault {
    Fault { file: path.to_owned(), line: None, key: String::new(), problem: problem.to_owned() }
}
