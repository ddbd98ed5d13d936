//! Those of Windows.

/// Where the machine's files are.
pub(crate) const MACHINES_FOLDER: &str = r"%ProgramData%\securid";

/// How a path begins that is a whole one.
pub(crate) const WHOLE_PATH: &str = r"from its drive on, as 'C:\Users\…'";

/// How a process that is stopped goes on.
pub(crate) const LET_IT_GO_ON: &str = "let it go on";

/// For a state folder on a disk that is read-only.
pub(crate) const READ_ONLY: &str = "Make that disk writable, or name another --state-dir.";

/// For a state folder that is not this user's alone.
pub(crate) const NOT_OURS: &str = "Name another folder with --state-dir; or, if it is for this alone, have its owner be its \
                                   user, and nobody else in its permissions.";

/// For a disk that is read-only, or seems so.
pub(crate) const MOUNT_IT: &str = "Make that disk writable.";

/// For an audit on a disk that is read-only.
pub(crate) const AUDIT_READ_ONLY: &str = "Make that disk writable.";

/// How a limit on locked memory is raised.
pub(crate) const MORE_LOCKED_MEMORY: &str = "Close what takes much memory";

/// For a process without a thread to be had.
pub(crate) const MORE_THREADS: &str = "Memory is short: close what takes much of it.";

/// For a daemon that finds its keyring worse than a shell does.
pub(crate) const ONLY_THE_DAEMON: &str =
    "securid-ctl restart, in a session at this machine: others may have no Credential Manager.";

/// Where there is no store that survives a reboot.
pub(crate) const DURABLE_STORE: &str =
    "Set keyring = \"credential-manager\", or require_durable = false.";

/// For a login where there is none.
pub(crate) const DURABLE_KEYRING: &str = "Use Credential Manager (keyring = \"credential-manager\"), give the sealed file a key (key_file), or set \
     require_durable = false.";

/// How a folder's room is shown.
pub(crate) const ROOM_IN: &str = "dir";

/// How a file is shown, with who may do what with it.
pub(crate) const LIST: &str = "icacls";
