//! `add` and `login`, up to the point where the token is here; then the keeper takes it in. And `instructions`, which
//! comes before a login.

use std::sync::Arc;

use securid_api::{
    AssertionRequest, Client, Failure, FailureKind, LoginError, LoginRequest, Token,
};
use securid_ipc::messages::{
    Add, ErrorCode, Instructions, InstructionsView, Login, Proof, RpcError, TakenView,
};
use securid_ipc::server::ConnectionId;
use securid_session::{About, Origin, Source};
use securid_store::{StoreKind, crash};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::Instance;
use crate::keeper::{Inbox, Message, Taking};
use crate::service::Desk;
use crate::trouble;
use crate::words;

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
    let username = username.filter(|name| !name.is_empty());
    username.as_deref().map_or(Ok(()), check_name)?;
    let auth_source = params.auth_source.or_else(|| instance.auth_source.clone());
    let request = Request::of(params.proof, username.clone(), auth_source, &instance)?;
    let kind = store(desk).await?;
    let (origin, deadline) = (instance.origin(), desk.config.now().revocation.attempt_timeout);
    let client = client(desk, &origin).await?;

    // From here on a token may exist, so the daemon does not stop before it is seen to.
    let holder = params.tied.then_some(connection);
    let _in_flight = LoginInFlight::begin(desk.inbox(), holder).await?;
    crash::point("login.begun", &instance.name);
    let made = match request {
        Request::Password(request) => client.login(request, deadline).await,
        Request::Assertion(request) => client.login_with_assertion(request, deadline).await,
    };
    crash::point("login.answered", &instance.name);
    if let Err(LoginError::Unreachable(Failure { kind: FailureKind::Tls, .. })) = &made {
        desk.errands.servers.forget(&origin);
    }
    let contact = made.as_ref().map(drop).map_err(ToString::to_string);
    let _ = desk.inbox().send(Message::Contact(origin.url.clone(), contact));
    let token =
        made.map_err(|error| trouble::login(&error, &instance.name, username.as_deref()))?;
    let mut about = instance.about(username, kind);
    if params.tied {
        about = Arc::new(About { tied: true, ..About::clone(&about) });
    }
    let taking = Taking { token, about, source: Source::Login, replace: params.replace, holder };
    take(desk, taking, kind).await
}

/// What the server is asked.
enum Request {
    Password(LoginRequest),
    Assertion(AssertionRequest),
}

impl Request {
    /// # Errors
    /// If it is not said who logs in with a password, or where an assertion is checked.
    fn of(
        proof: Proof,
        username: Option<String>,
        auth_source: Option<String>,
        instance: &Instance,
    ) -> Result<Self, RpcError> {
        match proof {
            Proof::Password(password) => {
                let username = username.ok_or_else(|| trouble::no_username(&instance.name))?;
                Ok(Self::Password(LoginRequest { username, password, auth_source }))
            }
            Proof::Assertion(assertion) => {
                let auth_source = auth_source.filter(|source| !source.is_empty());
                let auth_source =
                    auth_source.ok_or_else(|| trouble::no_auth_source(&instance.name))?;
                Ok(Self::Assertion(AssertionRequest { assertion, auth_source }))
            }
        }
    }
}

/// What its server wants a person to know before a login; whether it can be reached at all, and is no captive portal,
/// he learns before he types his password.
pub(crate) async fn instructions(
    desk: &Desk,
    params: Instructions,
) -> Result<InstructionsView, RpcError> {
    let instance = instance(desk, params.instance.as_deref())?;
    let auth_source = params.auth_source.or_else(|| instance.auth_source.clone());
    let (origin, deadline) = (instance.origin(), desk.config.now().revocation.attempt_timeout);
    let client = client(desk, &origin).await?;
    let told = client.instructions(auth_source.as_deref(), deadline).await;
    if told.as_ref().is_err_and(|why| why.kind == FailureKind::Tls) {
        desk.errands.servers.forget(&origin);
    }
    // A server that says nothing here may be well or not: the login shows it.
    if !matches!(told, Ok(None)) {
        let contact = told.as_ref().map(drop).map_err(ToString::to_string);
        let _ = desk.inbox().send(Message::Contact(origin.url.clone(), contact));
    }
    let instructions = told.map_err(|why| trouble::instructions(&why))?;
    Ok(InstructionsView {
        instance: instance.name.clone(),
        url: origin.url,
        username: instance.username.clone(),
        auth_source,
        instructions,
    })
}

/// Who talks to this server; the certificates for it may have to be read.
async fn client(desk: &Desk, origin: &Origin) -> Result<Client, RpcError> {
    let deadline = desk.config.now().revocation.attempt_timeout;
    match timeout(deadline, desk.errands.servers.client(origin)).await {
        Ok(client) => client.map_err(|error| trouble::server(&error)),
        Err(_) => Err(trouble::certificates_hang()),
    }
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
        let error = RpcError::new(ErrorCode::KeyringUnavailable, message);
        return Err(error.with_hint(words::DURABLE_KEYRING));
    }
    Ok(kind)
}

async fn take(desk: &Desk, taking: Taking, kind: StoreKind) -> Result<TakenView, RpcError> {
    let about: Arc<About> = Arc::clone(&taking.about);
    let (reply, answer) = oneshot::channel();
    let _ = desk.inbox().send(Message::Take(taking, reply));
    let taken = answer.await.unwrap_or_else(|_| Err(trouble::stopping()))?;
    let warning = (!kind.survives_reboot()).then(|| {
        format!(
            "the keyring ({}) does not survive a reboot: a token that is still alive then \
             cannot be revoked any more",
            about.keyring
        )
    });
    Ok(TakenView { warning, ..taken })
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
