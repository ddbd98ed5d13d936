//! Which stores there are, and which of them a new secret may go to.

use std::fmt;

/// A kind of keyring. Each record names the one that has its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// The desktop's Secret Service (gnome-keyring, KWallet, KeePassXC), over D-Bus.
    SecretService,
    /// One encrypted file in the state folder: no desktop needed, but a key from elsewhere.
    SealedFile,
    /// The kernel's keyrings: no desktop needed, but gone with a reboot.
    Keyutils,
    /// The login keychain of macOS.
    Keychain,
    /// Windows' Credential Manager, of this machine alone.
    CredentialManager,
    /// A folder with files in it, for the demo and the tests alone.
    #[cfg(feature = "test-store")]
    Test,
}

impl StoreKind {
    pub(super) const ALL: &[Self] = &[
        Self::SecretService,
        Self::SealedFile,
        Self::Keyutils,
        Self::Keychain,
        Self::CredentialManager,
        #[cfg(feature = "test-store")]
        Self::Test,
    ];

    /// The name that the config and the records use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SecretService => "secret-service",
            Self::SealedFile => "sealed-file",
            Self::Keyutils => "keyutils",
            Self::Keychain => "keychain",
            Self::CredentialManager => "credential-manager",
            #[cfg(feature = "test-store")]
            Self::Test => "test",
        }
    }

    /// The kind with this name, if this build knows it. It may be one that this system has not.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether what it keeps is still there after a reboot.
    #[must_use]
    pub fn survives_reboot(self) -> bool {
        match self {
            Self::SecretService | Self::SealedFile | Self::Keychain | Self::CredentialManager => {
                true
            }
            Self::Keyutils => false,
            #[cfg(feature = "test-store")]
            Self::Test => true,
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where new secrets are to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The system's own keyring if it answers (Secret Service, Keychain, Credential Manager), else the sealed file if it has a
    /// key; on Linux else the kernel's keyring.
    Auto,
    /// This one and no other.
    Fixed(StoreKind),
}

/// What was last known of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It served the last call.
    Ready,
    /// It is there, and a person has to unlock it.
    Locked,
    /// It could not be reached, or did not answer.
    Unavailable,
}

impl Readiness {
    /// The contract's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Locked => "locked",
            Self::Unavailable => "unavailable",
        }
    }
}
