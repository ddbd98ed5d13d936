//! `add` and `login`, up to the point where the token is here; then the keeper takes it in.

use std::sync::Arc;

use securid_api::{Failure, FailureKind, LoginError, LoginRequest, Token};
use securid_ipc::messages::{Add, ErrorCode, Login, RpcError, TakenView};
use securid_ipc::server::ConnectionId;
use securid_session::{About, Source};
use securid_store::{StoreKind, crash};
use securid_text::mention;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::Instance;
use crate::keeper::{Inbox, Message, Taking};
use crate::service::Desk;
use crate::trouble;

/// The longest user name, in bytes: no directory has longer ones, and each session keeps its own.
const LONGEST_NAME: usize = 256;

/// Takes over a token from elsewhere.
pub(crate) async fn add(desk: &Desk, params: Add) -> Result<TakenView, RpcError> {
    let token = Token::new(&params.token).map_err(trouble::token)?;
    let instance = instance(desk, params.instance.as_deref())?;
    let username = params.username.or_else(|| instance.username.clone());
    username.as_deref().map_or(Ok(()), check_name)?;
    let kind = store(desk).await?;
    let about = instance.about(username, kind);
    let taking = Taking { token, about, source: Source::Handover, replace: false, holder: None };
    take(desk, taking, kind).await
}

/// Makes a token with `loginUser` and takes it in. That the keyring is ready is made sure of first,
/// for a token that cannot be stored would only have to be revoked again.
pub(crate) async fn login(
    desk: &Desk,
    connection: ConnectionId,
    params: Login,
) -> Result<TakenView, RpcError> {
    let instance = instance(desk, params.instance.as_deref())?;
    let username = params.username.or_else(|| instance.username.clone());
    let Some(username) = username.filter(|name| !name.is_empty()) else {
        let mut error = RpcError::new(
            ErrorCode::Params,
            format!("whose login at {} is not said", mention(&instance.name)),
        )
        .with_hint("Give --username, or set username in the instance's table.");
        error.data.missing = Some("username".to_owned());
        return Err(error);
    };
    check_name(&username)?;
    let kind = store(desk).await?;
    let (origin, deadline) = (instance.origin(), desk.config.now().revocation.attempt_timeout);
    let client = match timeout(deadline, desk.errands.servers.client(&origin)).await {
        Ok(client) => client.map_err(|error| trouble::server(&error))?,
        Err(_) => return Err(trouble::certificates_hang()),
    };
    let request = LoginRequest {
        username: username.clone(),
        password: params.password,
        auth_source: params.auth_source.or_else(|| instance.auth_source.clone()),
    };

    // From here on a token may exist, so the daemon does not stop before it is seen to.
    let holder = params.tied.then_some(connection);
    let _in_flight = LoginInFlight::begin(desk.inbox(), holder).await?;
    crash::point("login.begun", &instance.name);
    let made = client.login(request, deadline).await;
    crash::point("login.answered", &instance.name);
    if let Err(LoginError::Unreachable(Failure { kind: FailureKind::Tls, .. })) = &made {
        desk.errands.servers.forget(&origin);
    }
    let contact = made.as_ref().map(drop).map_err(ToString::to_string);
    let _ = desk.inbox().send(Message::Contact(origin.url.clone(), contact));
    let token = made.map_err(|error| trouble::login(&error))?;
    let mut about = instance.about(Some(username), kind);
    if params.tied {
        about = Arc::new(About { tied: true, ..About::clone(&about) });
    }
    let taking = Taking { token, about, source: Source::Login, replace: params.replace, holder };
    take(desk, taking, kind).await
}

fn instance(desk: &Desk, name: Option<&str>) -> Result<Arc<Instance>, RpcError> {
    desk.config.now().instance(name).map(Arc::clone).ok_or_else(|| trouble::no_instance(name))
}

/// A user name is kept with its session, listed, and written to logs and terminals.
fn check_name(name: &str) -> Result<(), RpcError> {
    if name.len() > LONGEST_NAME {
        let problem = format!("has {} bytes, and may have {LONGEST_NAME}", name.len());
        return Err(trouble::username(&problem));
    }
    if name.chars().any(char::is_control) {
        return Err(trouble::username("has control characters in it"));
    }
    Ok(())
}

/// The store for the new secret; a person is there to answer an unlock prompt.
async fn store(desk: &Desk) -> Result<StoreKind, RpcError> {
    let kind = desk
        .errands
        .keyring
        .choose(desk.config.now().keyring, true)
        .await
        .map_err(|error| trouble::keyring(&error))?;
    if desk.config.now().require_durable && !kind.survives_reboot() {
        let message = format!("the keyring ({kind}) does not survive a reboot");
        return Err(RpcError::new(ErrorCode::KeyringUnavailable, message).with_hint(
            "Start a Secret Service, give the sealed file a key (key_file), or set \
                 require_durable = false.",
        ));
    }
    Ok(kind)
}

async fn take(desk: &Desk, taking: Taking, kind: StoreKind) -> Result<TakenView, RpcError> {
    let about: Arc<About> = Arc::clone(&taking.about);
    let (reply, answer) = oneshot::channel();
    let _ = desk.inbox().send(Message::Take(taking, reply));
    let session = answer.await.unwrap_or_else(|_| Err(trouble::stopping()))?;
    let warning = (!kind.survives_reboot()).then(|| {
        format!(
            "the keyring ({}) does not survive a reboot: a token that is still alive then \
             cannot be revoked any more",
            about.keyring
        )
    });
    Ok(TakenView { session, warning })
}

/// Keeps a stopping daemon from leaving while the server may be making a token.
struct LoginInFlight(Inbox);

impl LoginInFlight {
    /// # Errors
    /// If the daemon is stopping already, or that connection may hold no more: then nothing is sent.
    async fn begin(inbox: &Inbox, holder: Option<ConnectionId>) -> Result<Self, RpcError> {
        let (reply, answer) = oneshot::channel();
        let _ = inbox.send(Message::LoginBegins { holder, reply });
        answer.await.unwrap_or_else(|_| Err(trouble::stopping()))?;
        Ok(Self(inbox.clone()))
    }
}

impl Drop for LoginInFlight {
    fn drop(&mut self) {
        let _ = self.0.send(Message::LoginEnds);
    }
}
