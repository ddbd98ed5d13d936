//! What a key is: its name, where it may stand, and what holds without it.

use super::place::dotted;
use super::setting::{Given, Setting};

/// A key of the config. Those that there are stand in `keys`.
pub(super) struct Key<T> {
    pub(super) name: &'static str,
    pub(super) scope: Scope,
    /// What holds where nobody says anything.
    pub(super) default: T,
    /// Both are for the page of all keys alone.
    #[cfg(test)]
    pub(super) counts: Counts,
    #[cfg(test)]
    pub(super) about: &'static str,
}

/// A key whatever its type is.
pub(super) trait AnyKey: Sync {
    fn name(&self) -> &'static str;
    fn scope(&self) -> Scope;
    /// What is wrong with this value for it.
    fn problem(&self, given: &Given) -> Option<String>;
    /// What holds where nobody says anything, if anything does.
    fn default(&self) -> Option<String>;
    #[cfg(test)]
    fn takes(&self) -> &'static str;
    #[cfg(test)]
    fn counts(&self) -> Counts;
    #[cfg(test)]
    fn about(&self) -> &'static str;
}

impl<T: Setting + Sync> AnyKey for Key<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn problem(&self, given: &Given) -> Option<String> {
        T::read(given).err()
    }

    fn default(&self) -> Option<String> {
        self.default.written()
    }

    #[cfg(test)]
    fn takes(&self) -> &'static str {
        T::TAKES
    }

    #[cfg(test)]
    fn counts(&self) -> Counts {
        self.counts
    }

    #[cfg(test)]
    fn about(&self) -> &'static str {
        self.about
    }
}

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Top,
    /// In an instance's table, or at the top for all instances that do not say otherwise.
    Both,
    Revocation,
    Instance,
}

/// When a changed value counts, in a daemon that is told to read its config anew.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// For what there is, too.
    AtOnce,
    /// For logins from then on; sessions keep what they were made with.
    ForNewSessions,
    AtTheNextStart,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Top,
    Revocation,
    Instance(String),
}

impl Table {
    /// Whether keys of this scope may stand in it.
    pub(super) fn has(&self, scope: Scope) -> bool {
        match self {
            Self::Top => matches!(scope, Scope::Top | Scope::Both),
            Self::Revocation => scope == Scope::Revocation,
            Self::Instance(_) => matches!(scope, Scope::Instance | Scope::Both),
        }
    }

    /// The names of the tables down to a key in this one.
    pub(super) fn names<'a>(&'a self, key: &'a str) -> Vec<&'a str> {
        match self {
            Self::Top => vec![key],
            Self::Revocation => vec!["revocation", key],
            Self::Instance(name) => vec!["instances", name, key],
        }
    }

    /// A key in this table, as an error may name it.
    pub(super) fn key(&self, key: &str) -> String {
        dotted(&self.names(key))
    }
}
