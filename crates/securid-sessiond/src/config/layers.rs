//! Which files count, and whether what they name is of use.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use securid_api::{Client, Proxies};
use securid_ipc::paths::ConfigFiles;
use securid_store::KeyPlace;
use securid_trust::is_root;

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
    // The proxies are the environment's, and no part of the config.
    let (ca_file, none) = (Some(file.get_ref().as_path()), Proxies::default());
    let error = Client::new(instance.endpoint.clone(), ca_file, instance.format, &none).err()?;
    Some(source.fault(file, &format!("instances.{name}.ca_file"), error))
}

fn unusable_key_file(sources: &[Source]) -> Option<Fault> {
    let (source, file) = said(sources, |s| s.says.key_file.as_ref())?;
    let error = KeyPlace::find(Some(file.get_ref()))?.check().err()?;
    Some(source.fault(file, "key_file", format!("{error}. {}", error.hint())))
}

fn unusable_audit_file(sources: &[Source], config: &Config) -> Option<Fault> {
    let AuditTarget::File(path) = &config.audit else { return None };
    let (source, at) = said(sources, |s| s.says.audit.as_ref())?;
    let problem = audit::check(path).err()?;
    Some(source.fault(at, "audit", problem))
}

/// The machine's file counts only if nobody but root can have written it.
fn machine_file(path: &Path) -> Result<Option<Source>, Fault> {
    Source::read_judging(path, |about| {
        if is_root(about.uid()) && about.mode() & 0o022 == 0 {
            Ok(())
        } else {
            Err("others than root can write it, so it cannot count: run chown root and chmod go-w on it"
                .to_owned())
        }
    })
}

fn whole(path: &Path, problem: &str) -> Fault {
    Fault { file: path.to_owned(), line: None, key: String::new(), problem: problem.to_owned() }
}
