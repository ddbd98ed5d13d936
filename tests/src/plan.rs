//! How a house is to be furnished.

use std::time::Duration;

/// What differs from house to house; the rest is the default: the test store, limits far away,
/// retries every some hundred milliseconds.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The config's `keyring`.
    pub keyring: &'static str,
    /// More lines at the top of the config.
    pub top: String,
    /// More lines in its table `[revocation]`, where `attempt_timeout`, `retry_initial`,
    /// `retry_max` and `shutdown_grace` are set already.
    pub revocation: Vec<(&'static str, &'static str)>,
    /// More lines in the table of the one instance, `prod`.
    pub instance: String,
    /// `--log`
    pub log: &'static str,
    /// Whom the daemon runs as, other than ourselves. Root only.
    pub user: Option<u32>,
    /// Puts the state folder onto a file system of this size, which only the daemon sees.
    pub disk: Option<&'static str>,
    /// What every reply of the server takes longer.
    pub latency: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            keyring: "test",
            top: String::new(),
            revocation: Vec::new(),
            instance: String::new(),
            log: "debug",
            user: None,
            disk: None,
            latency: Duration::ZERO,
        }
    }
}

impl Plan {
    /// The config file's text.
    pub(crate) fn config(&self, url: &str, ca_file: &str) -> String {
        let mut revocation = vec![
            ("attempt_timeout", "1s"),
            ("retry_initial", "100ms"),
            ("retry_max", "300ms"),
            ("shutdown_grace", "5s"),
        ];
        for (key, value) in &self.revocation {
            revocation.retain(|(default, _)| default != key);
            revocation.push((key, value));
        }
        let revocation: String =
            revocation.iter().map(|(key, value)| format!("{key} = \"{value}\"\n")).collect();
        format!(
            "keyring = \"{}\"\n{}\n[revocation]\n{revocation}\n[instances.prod]\nurl = \"{url}\"\n\
             username = \"alice\"\nca_file = \"{ca_file}\"\n{}\n",
            self.keyring, self.top, self.instance
        )
    }
}
