//! The sealed file of a house, and its key.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;

use securid_store::{Identity, KeyPlace, Keyring, Namespace, SealedPlace, StoreKind};

use crate::house::House;
use crate::patience::PATIENCE;
use crate::process::run;
use crate::programs::programs;

impl House {
    /// Has the daemon's program make a key, and the config name it.
    ///
    /// # Panics
    /// If that fails.
    pub fn give_key(&self) {
        let mut command = Command::new(&programs().daemon);
        command.arg("--make-key").arg(self.key_file());
        let output = run(command, "", PATIENCE);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if let Some(user) = self.plan.user {
            chown(self.key_file(), Some(user), Some(user)).expect("only root does this");
        }
        let text = fs::read_to_string(self.config()).expect("it was written");
        self.write_config(&format!("key_file = \"{}\"\n{text}", self.key_file().display()));
    }

    /// The key, of [`House::give_key`].
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.path("key")
    }

    /// Whether secrets go there.
    #[must_use]
    pub fn sealed_file_is_used(&self) -> bool {
        self.plan.keyring == "sealed-file"
    }

    /// The sealed file.
    ///
    /// # Panics
    /// If this machine has no id.
    #[must_use]
    pub fn sealed_file(&self) -> PathBuf {
        self.sealed_place().file
    }

    /// How many secrets are in it.
    ///
    /// # Panics
    /// If it cannot be opened.
    #[must_use]
    pub fn sealed_secrets(&self) -> usize {
        let Ok(path) = self.state_dir().canonicalize() else {
            // Without a state folder there never was one.
            return 0;
        };
        let namespace = Namespace::new(&identity().machine, &path);
        let keyring = Keyring::system(namespace, self.sealed_place());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let ids = runtime.expect("a runtime").block_on(keyring.ids(StoreKind::SealedFile));
        ids.expect("the key is right").map_or(0, |ids| ids.len())
    }

    fn sealed_place(&self) -> SealedPlace {
        SealedPlace::new(&self.state_dir(), &identity(), Some(KeyPlace::File(self.key_file())))
    }
}

fn identity() -> Identity {
    Identity::read().expect("this machine has an id")
}
