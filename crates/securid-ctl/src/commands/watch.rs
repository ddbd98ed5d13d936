//! `watch`: the sessions as they change, until somebody ends it. Never counts as use.

mod following;
mod inputs;
mod live;
mod picture;
mod stream;

use crate::{Context, failure::Failure};
use following::Following;

/// Show the sessions as they change
///
/// On a terminal a table that is kept up to date; q ends it. Else, or with --json, what the daemon tells, a JSON
/// object a line. If the daemon goes, the next one is waited for.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let following = Following::begin(&context.paths.sockets)?;
        if context.screen.can_be_drawn_on() {
            live::show(&context.screen, following)
        } else {
            stream::print(&context.screen, following)
        }
    }
}
