//! One file for each command: its arguments, its call, what it prints, how it ends.

pub(crate) mod add;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod complete;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod paths;
pub(crate) mod reload;
pub(crate) mod restart;
pub(crate) mod retry;
pub(crate) mod setup;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod token;
pub(crate) mod watch;
