//! Of Linux.

pub(super) const WHO_STARTS_IT: &str =
    "securid-ctl setup has systemd run it; without systemd there is securid-ctl start";

pub(in super::super) const SOCKET: [&str; 2] = ["PATH", "Listen here"];

pub(super) const KEYS: &str = "see securid.toml(5)";

pub(super) const SIGNALS: &str = "\
Signals:
  SIGTERM, SIGINT  revokes all sessions, unless the config says on_exit =
                   \"keep\", and ends; a second one ends it sooner
  SIGHUP           reads the config anew
";

pub(super) const ENVIRONMENT: &str = "  CREDENTIALS_DIRECTORY
      systemd's: securid-store-key there is the key of the sealed file
  HTTPS_PROXY, ALL_PROXY, NO_PROXY
      the way to the servers, where the config says nothing of a proxy
  SSL_CERT_FILE, SSL_CERT_DIR
      stand in the place of the system's roots
";

pub(super) const FILES: &str = "  ~/.config/securid/config.toml
      the user's config, over the machine's /etc/securid/config.toml and
      /etc/securid/config.d/*.toml
  $XDG_RUNTIME_DIR/securid/sessiond.sock
      the socket
  ~/.local/state/securid
      records, history, and the sealed file
";

pub(super) const KEY: &str = "~/.config/securid/store.key";
