//! What a release may cost, in figures that do not depend on the machine or on what else it does.
//!
//! Whoever passes one of them finds out what has come in (`cargo tree`, `cargo bloat`, `callgrind_annotate`), and takes it
//! out again, or writes down here why it is worth that. Whoever makes something cheaper lowers the limit, so that
//! it stays so.

/// A limit, and why it is what it is.
pub(crate) struct Limit {
    pub(crate) of: &'static str,
    pub(crate) most: u64,
    pub(crate) unit: &'static str,
    pub(crate) why: &'static str,
}

/// How much more the machine's own libraries may bring, in per cent: instructions are counted in all of a process, and
/// glibc's loader and its copying differ between releases of Debian.
const ELSEWHERE: u64 = 10;

pub(crate) const DAEMON: Limit = Limit {
    of: "securid-sessiond, stripped",
    most: 4_750_000,
    unit: "bytes",
    why: "what it has, and a little; 4,000,000 are wanted, and docs/performance.md has what that would take",
};

pub(crate) const CLI: Limit = Limit {
    of: "securid-ctl, stripped",
    most: 2_050_000,
    unit: "bytes",
    why: "what it has, and a little; 1,200,000 are wanted, and docs/performance.md has what that would take",
};

pub(crate) const DAEMON_CRATES: Limit = Limit {
    of: "what securid-sessiond is made of",
    most: 150,
    unit: "crates",
    why: "the target of docs/performance.md: each has to be read before it is trusted",
};

pub(crate) const CLI_CRATES: Limit = Limit {
    of: "what securid-ctl is made of",
    most: 57,
    unit: "crates",
    why: "as many as there were when this was written: it has no runtime, no TLS and no keyring",
};

pub(crate) const LIST: Limit = Limit {
    of: "securid-ctl list, one session",
    most: with_elsewhere(475_000),
    unit: "instructions",
    why: "counted when this was written, on Debian 12",
};

pub(crate) const REQUEST: Limit = Limit {
    of: "the daemon, for one session.list",
    most: with_elsewhere(38_500),
    unit: "instructions",
    why: "counted when this was written, on Debian 12",
};

const fn with_elsewhere(counted: u64) -> u64 {
    counted + counted * ELSEWHERE / 100
}
