//! Which files count, and whether what they name is of use.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use securid_api::{Access, BadFile, Client, Proxies, SetupError};
use securid_ipc::paths::ConfigFiles;
use securid_store::KeyPlace;
use securid_trust::is_root;

use super::file::Source;
use super::merge::{merge, said};
use super::{AuditTarget, Config, Fault, Instance, Loaded};
use crate::audit;

/// Reads all files that count. All faults are told, but for those behind the first value of a file
/// that is of no use at all. `thorough` looks at certificates, keys and passwords as well: whoever checks a config wants to
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
        for instance in config.instances.values() {
            for fault in unusable_files(&sources, instance) {
                // What is said at the top is found with each instance.
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        }
        faults.extend(unusable_key_file(&sources));
        faults.extend(unusable_audit_file(&sources, &config));
    }
    Loaded { config, faults, warnings }
}

/// The files that an instance needs, each that is of no use.
fn unusable_files(sources: &[Source], instance: &Instance) -> Vec<Fault> {
    let Access { ca_file, client, proxy } = instance.access.clone();
    // One at a time: the first that is wrong would hide the others. The proxy itself is looked at already.
    let trust = Access { ca_file, ..Access::default() };
    let identity = Access { client, ..Access::default() };
    let unusable = |access| {
        let none = Proxies::default();
        match Client::new(instance.endpoint.clone(), access, instance.format, &none) {
            Err(SetupError::File(bad)) => Some(bad),
            _ => None,
        }
    };
    let password = Proxies::default().as_set(&proxy).check_password().err();
    let bad = [unusable(&trust), unusable(&identity), password];
    bad.into_iter().flatten().filter_map(|bad| at(sources, &instance.name, &bad)).collect()
}

/// Where a file is named: in the instance's table, or at the top.
fn at(sources: &[Source], name: &str, bad: &BadFile) -> Option<Fault> {
    let key = bad.setting();
    let in_table = said(sources, |s| s.says.instances.get(name)?.file(key));
    let (at, key) = match in_table {
        Some(at) => (at, format!("instances.{name}.{key}")),
        None => (said(sources, |s| s.says.file(key))?, key.to_owned()),
    };
    let (source, file) = at;
    // A relative one is told already, and its name need not be repeated: it may be anything.
    (!file.get_ref().is_relative()).then(|| source.fault(file, &key, bad))
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
