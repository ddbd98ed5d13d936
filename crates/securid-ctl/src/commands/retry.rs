//! `retry`: try pending revocations now.

use securid_ipc::messages::{Call, Retry, RetryView};

use crate::{
    Context,
    daemon::{ANSWER_WITHIN, ask},
    failure::Failure,
    screen::printable,
};

/// Try pending revocations now, whatever their next attempt was planned for
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which sessions [else every one that is being revoked]
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let sessions = (!self.selectors.is_empty()).then_some(self.selectors);
        let tried: RetryView = ask(context, &Call::Retry(Retry { sessions }), ANSWER_WITHIN)?;
        context.screen.show(&tried, |tried| match tried.sessions.as_slice() {
            [] => "nothing is pending\n".to_owned(),
            ids => ids.iter().map(|id| format!("trying {}\n", printable(id))).collect(),
        })?;
        Ok(0)
    }
}
