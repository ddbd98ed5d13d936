//! Of macOS.

pub(super) const WHO_STARTS_IT: &str =
    "securid-ctl setup has launchd run it, and there is securid-ctl start";

pub(in super::super) const SOCKET: [&str; 2] = ["PATH", "Listen here"];

pub(super) const KEYS: &str = "see securid.toml(5)";

pub(super) const SIGNALS: &str = "\
Signals:
  SIGTERM, SIGINT  revokes all sessions, unless the config says on_exit =
                   \"keep\", and ends; a second one ends it sooner
  SIGHUP           reads the config anew
";

pub(super) const ENVIRONMENT: &str = "  HTTPS_PROXY, ALL_PROXY, NO_PROXY
      the way to the servers, where the config says nothing of a proxy
";

pub(super) const FILES: &str = "  ~/Library/Application Support/securid/config.toml
      the user's config, over the machine's
      /Library/Application Support/securid/config.toml and config.d/*.toml
  $(getconf DARWIN_USER_DIR)
      the folder of the socket
  ~/Library/Application Support/securid/state
      records, history, and the sealed file
";

pub(super) const KEY: &str = "~/securid.key";
