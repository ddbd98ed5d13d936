//! What the config says, and where it says something wrong.
//!
//! - `keys`: all keys that there are; `key`, `setting`: what one is, and what can stand behind it;
//! - `layer`: what one place says, with the line of whatever is wrong in it; `place`: where that is;
//! - `layers`: which places count, and in which order;
//! - `said`: all that is said, and which of it counts;
//! - `merge`: what it comes to, and `network` that of proxies and client certificates; `settings`: that, complete and checked;
//! - `checks`: whether the files that it names are of use;
//! - `vain`: what this system cannot do of it;
//! - `view`: what people are shown of it; `page`: the table of all keys in `docs/configuration.md`;
//! - `live`: the config that counts now.

mod checks;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod key;
mod keys;
mod layer;
mod layers;
mod live;
mod merge;
mod network;
#[cfg(test)]
mod page;
mod place;
mod said;
mod setting;
mod settings;
#[cfg(test)]
mod tests;
mod vain;
mod view;

use securid_ipc::config_view::{ConfigKeyView, ConfigView};

use securid_text::shown;

pub(crate) use layer::Assignment;
pub(crate) use layers::Sources;
pub(crate) use live::LiveConfig;
pub(crate) use place::Fault;
use said::Said;
pub(crate) use setting::is_possible;
pub(crate) use settings::{AuditTarget, Config, DesktopFates, Fate, Instance, RevocationSettings};

/// What all sources came to.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// With faults: what could be understood all the same, which is enough for draining only.
    pub(crate) config: Config,
    /// What makes it unusable.
    pub(crate) faults: Vec<Fault>,
    /// What is wrong without being an error: a key in the machine's files that we do not know, or what this system cannot do.
    pub(crate) warnings: Vec<Fault>,
    said: Said,
}

impl Loaded {
    /// For people.
    pub(crate) fn view(&self) -> ConfigView {
        view::view(&self.said, &self.config, &self.warnings)
    }

    /// What does not count because the machine enforces something else, in words.
    pub(crate) fn overruled(&self) -> Vec<String> {
        let told = |row: ConfigKeyView| {
            let ConfigKeyView { key, from, .. } = row;
            let beaten = row.instead_of?.from;
            let text = format!(
                "{key}: what {beaten} says does not count, for {from} enforces another value"
            );
            Some(shown(&text).into_owned())
        };
        self.view().keys.into_iter().filter_map(told).collect()
    }
}
