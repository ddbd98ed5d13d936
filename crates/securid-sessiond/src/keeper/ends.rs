//! What clients ask of the ends of sessions: to bring them about, to hurry them, to give them up.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use securid_ipc::messages::{
    ErrorCode, Logout, RefusedView, Reply, RetryView, RpcError, SessionRef, Targets,
};
use securid_session::{Event, Key, Outcome, Phase, Reason, Session, SessionId};
use securid_store::crash;
use securid_text::mention;

use super::{Answer, Keeper, logouts, views};
use crate::{clock, selector, trouble};

/// How long a client may wait for a logout; one that wants longer asks again.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// How many selectors a request may have: more than are typed, and each is looked for among all sessions.
const MOST_SELECTORS: usize = 1_000;

impl Keeper {
    pub(super) fn logout(&mut self, params: &Logout, reply: Answer<Reply>) {
        let (meant, refused) = match self.meant(&params.targets) {
            Ok(meant) => meant,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        for key in &meant {
            let id = key.id.clone();
            crash::point("logout.asked", &id);
            self.event(Event::Revoke { id, reason: Reason::Request });
        }
        let until = params.wait.map(|wait| clock::now().after(wait.min(LONGEST_WAIT)));
        let logout = logouts::Logout::new(meant, refused, until, reply);
        let known = views::Known { machine: &self.machine, troubles: &self.troubles };
        self.logouts.begin(logout, known);
    }

    /// The sessions that a logout is about, and the selectors that mean none. An ambiguous one refuses it as a whole:
    /// nothing is half done on a slip of the pen.
    fn meant(&self, targets: &Targets) -> Result<(HashSet<Key>, Vec<RefusedView>), RpcError> {
        let (mut meant, mut refused) = (HashSet::new(), Vec::new());
        match targets {
            Targets::All => {
                let shown = self.machine.sessions().filter(|s| selector::is_shown(s));
                meant.extend(shown.map(|s| s.key().clone()));
            }
            Targets::Selected(selectors) => {
                for wanted in distinct(selectors)? {
                    match self.ending_too(wanted) {
                        Ok(keys) => meant.extend(keys),
                        Err(error) if error.code == ErrorCode::Ambiguous => return Err(error),
                        Err(error) => {
                            refused.push(RefusedView { selector: wanted.to_owned(), error });
                        }
                    }
                }
            }
        }
        Ok((meant, refused))
    }

    /// The sessions of a selector, and one that is dead but not cleared up yet, by its id.
    fn ending_too(&self, wanted: &str) -> Result<Vec<Key>, RpcError> {
        let dead = selector::exact_id(wanted)
            .and_then(|id| self.machine.session(&id))
            .filter(|session| session.phase() == Phase::Ended);
        if let Some(session) = dead {
            return Ok(vec![session.key().clone()]);
        }
        let meant = selector::all(&self.machine, wanted)?;
        Ok(meant.into_iter().map(|session| session.key().clone()).collect())
    }

    pub(super) fn retry(&mut self, wanted: Option<&[String]>) -> Result<Reply, RpcError> {
        let pending = |s: &&Session| matches!(s.phase(), Phase::Revoking | Phase::Lost);
        let mut ids: Vec<SessionId> = Vec::new();
        match wanted {
            None => {
                ids.extend(self.machine.sessions().filter(pending).map(|s| s.id().clone()));
            }
            Some(selectors) => {
                for wanted in distinct(selectors)? {
                    let meant = selector::all(&self.machine, wanted)?;
                    ids.extend(meant.into_iter().filter(pending).map(|s| s.id().clone()));
                }
            }
        }
        self.errands.servers.ask_proxies_again();
        for id in &ids {
            crash::point("retry.asked", id);
            self.event(Event::Retry { id: id.clone() });
        }
        Ok(Reply::Retrying(RetryView { sessions: ids.iter().map(ToString::to_string).collect() }))
    }

    /// Only what is pending or lost can be given up, and only by an id: no word that means several.
    pub(super) fn forget(&mut self, wanted: &str) -> Result<Reply, RpcError> {
        let meant = selector::all(&self.machine, wanted)?;
        let session = match meant.as_slice() {
            [session] if session.id().as_str().starts_with(wanted) => *session,
            _ => {
                return Err(RpcError::new(
                    ErrorCode::Params,
                    format!("{} is no id", mention(wanted)),
                )
                .with_hint("Give the id of one session, as securid-ctl list shows it."));
            }
        };
        let id = session.id().clone();
        if session.phase() == Phase::Active {
            let message = format!("session {id} is active, and forgetting would leave it alive");
            return Err(RpcError::new(ErrorCode::Params, message)
                .with_hint(format!("Log it out first: securid-ctl logout {id}")));
        }
        tracing::warn!(
            session = %id,
            instance = session.about().instance,
            reason = session.pending().map(|pending| pending.revocation.reason.name()),
            outcome = Outcome::Forgotten.name(),
            "given up on a person's word"
        );
        crash::point("forget.asked", &id);
        self.event(Event::Forget { id: id.clone() });
        Ok(Reply::Forgotten(SessionRef { session: id.to_string() }))
    }
}

/// Each selector once.
fn distinct(selectors: &[String]) -> Result<BTreeSet<&str>, RpcError> {
    let distinct: BTreeSet<&str> = selectors.iter().map(String::as_str).collect();
    if distinct.len() > MOST_SELECTORS {
        return Err(trouble::too_many_selectors(distinct.len(), MOST_SELECTORS));
    }
    Ok(distinct)
}
