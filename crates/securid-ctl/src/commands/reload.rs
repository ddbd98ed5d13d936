//! `reload`: have the daemon read its config anew.

use securid_ipc::messages::{Call, ReloadView};

use crate::{
    Context,
    daemon::{ANSWER_WITHIN, ask},
    failure::Failure,
};

/// Have the daemon read its config anew
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let read: ReloadView = ask(context, &Call::Reload, ANSWER_WITHIN)?;
        context.screen.show(&read, |read| match read.limited.len() {
            0 => "the config was read anew\n".to_owned(),
            1 => "the config was read anew; 1 session has other limits now\n".to_owned(),
            n => format!("the config was read anew; {n} sessions have other limits now\n"),
        })?;
        for text in read.warnings.iter().chain(&read.later) {
            context.screen.warn(text);
        }
        Ok(0)
    }
}
