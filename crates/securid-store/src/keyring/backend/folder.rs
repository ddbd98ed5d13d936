//! A store for the demo and the tests: a folder with a file an entry, whose faults can be switched
//! while a daemon runs. It encrypts nothing, and a release does not have it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use securid_secret::SecretBytes;
use securid_session::SessionId;

use super::Backend;
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
use crate::keyring::name::{EntryName, Namespace};

const KIND: StoreKind = StoreKind::Test;

/// The folder that `SECURID_TEST_STORE` names. A file `fault` in it is read before every call:
///
/// - `locked`, `unavailable`: every call fails so;
/// - `hang`: every call waits until the file says something else;
/// - `slow:MS`: every call takes that long;
/// - `full`: nothing can be stored;
/// - `forget-writes`: storing succeeds, and nothing is there afterwards.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn from_environment() -> Result<Self, KeyringError> {
        let folder = std::env::var_os("SECURID_TEST_STORE").map(PathBuf::from);
        let folder = folder.filter(|f| f.is_dir()).ok_or_else(|| {
            KeyringError::unavailable(KIND, "SECURID_TEST_STORE does not name a folder")
        })?;
        Ok(Self(folder))
    }

    fn path(&self, name: EntryName<'_>) -> PathBuf {
        self.0.join(format!("{}.{}", name.namespace.as_str(), name.id))
    }

    /// Acts out the fault of this moment, and gives its word back if it is about writing.
    fn fault(&self) -> Result<String, KeyringError> {
        loop {
            let fault = fs::read_to_string(self.0.join("fault")).unwrap_or_default();
            match fault.trim() {
                "locked" => return Err(KeyringError::locked(KIND, "by the file `fault`")),
                "unavailable" => {
                    return Err(KeyringError::unavailable(KIND, "by the file `fault`"));
                }
                // Often enough for a test that ends the hang, and no load while it lasts.
                "hang" => thread::sleep(Duration::from_millis(20)),
                other => {
                    if let Some(ms) = other.strip_prefix("slow:").and_then(|ms| ms.parse().ok()) {
                        thread::sleep(Duration::from_millis(ms));
                    }
                    return Ok(other.to_owned());
                }
            }
        }
    }
}

impl Backend for Folder {
    fn check(&mut self, _interactive: bool) -> Result<(), KeyringError> {
        self.fault().map(drop)
    }

    fn put(
        &mut self,
        name: EntryName<'_>,
        _label: &str,
        secret: &[u8],
    ) -> Result<(), KeyringError> {
        match self.fault()?.as_str() {
            "full" => Err(KeyringError::Full { kind: KIND, cause: "by the file `fault`".into() }),
            "forget-writes" => Ok(()),
            _ => write(&self.path(name), secret).map_err(|e| failure(&e)),
        }
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        self.fault()?;
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(SecretBytes::from(bytes))),
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.0.is_dir() => Ok(None),
            Err(e) => Err(failure(&e)),
        }
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        self.fault()?;
        match fs::remove_file(self.path(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failure(&e)),
            _ => Ok(()),
        }
    }

    fn names(&mut self, namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        self.fault()?;
        let mut ids = Vec::new();
        for file in fs::read_dir(&self.0).map_err(|e| failure(&e))? {
            let name = file.map_err(|e| failure(&e))?.file_name();
            let parts = name.to_str().and_then(|name| name.split_once('.'));
            if let Some((_, id)) = parts.filter(|(whose, _)| *whose == namespace.as_str()) {
                ids.extend(SessionId::parse(id));
            }
        }
        Ok(Some(ids))
    }
}

fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let _ = fs::remove_file(&temporary);
    let mut file = securid_trust::create_new(Path::new(&temporary))?;
    file.write_all(secret)?;
    // Closed, for else it could not be renamed on every system.
    drop(file);
    fs::rename(&temporary, path)
}

fn failure(error: &io::Error) -> KeyringError {
    KeyringError::unavailable(KIND, error.to_string())
}
