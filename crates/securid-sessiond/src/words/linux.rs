//! Those of Linux.

/// Where the machine's files are.
pub(crate) const MACHINES_FOLDER: &str = "/etc/securid";

/// How a path begins that is a whole one.
pub(crate) const WHOLE_PATH: &str = "from /";

/// How a process that is stopped goes on.
pub(crate) const LET_IT_GO_ON: &str = "let it go on (kill -CONT)";

/// For a state folder on a disk that is read-only.
pub(crate) const READ_ONLY: &str = "Mount that file system for writing, or name another --state-dir; securid-ctl setup opens the \
                                    sandbox of a user's unit for XDG_STATE_HOME.";

/// For a state folder that is not this user's alone.
pub(crate) const NOT_OURS: &str = "Name another folder with --state-dir; or, if it is for this alone, chown it to its user and \
                                   chmod 700 it.";

/// For a disk that is read-only, or seems so.
pub(crate) const MOUNT_IT: &str = "Mount that file system for writing.";

/// For an audit on a disk that is read-only.
pub(crate) const AUDIT_READ_ONLY: &str =
    "Mount that file system for writing, or let the unit's sandbox write there.";

/// How a limit on locked memory is raised.
pub(crate) const MORE_LOCKED_MEMORY: &str = "Raise the limit (LimitMEMLOCK=, ulimit -l)";

/// For a process without a thread to be had.
pub(crate) const MORE_THREADS: &str =
    "Too many processes or threads run: see ulimit -u, and TasksMax= of the unit.";

/// For a daemon that finds its keyring worse than a shell does.
pub(crate) const ONLY_THE_DAEMON: &str =
    "securid-ctl restart, from a session that stays; or securid-ctl setup has systemd run it.";

/// Where there is no store that survives a reboot.
pub(crate) const DURABLE_STORE: &str = "Start a Secret Service; or securid-sessiond --make-key FILE, and name that as key_file in the \
                                        config; or set require_durable = false.";

/// For a login where there is none.
pub(crate) const DURABLE_KEYRING: &str = "Start a Secret Service, give the sealed file a key (key_file), or set \
     require_durable = false.";

/// How a folder's room is shown.
pub(crate) const ROOM_IN: &str = "df -h";

/// How a file is shown, with its owner and mode.
pub(crate) const LIST: &str = "ls -l";
