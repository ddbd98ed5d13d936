//! One HTTP client per origin, made when it is first needed and kept: it has read whom to trust, and
//! its connections are used again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use securid_api::{
    Access, BadUrl, Client, ClientFiles, Endpoint, Format, Proxies, ProxySettings, SetupError,
};
use securid_session::{Network, Origin};
use securid_text::mention;
use securid_worker::aside;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The clients of all origins, those of instances that the config has no more among them.
#[derive(Debug)]
pub(crate) struct Servers {
    origins: Mutex<HashMap<Origin, Slot>>,
    /// When a way last led nowhere.
    in_vain: Mutex<HashMap<Origin, Instant>>,
    proxies: Arc<Proxies>,
}

/// One origin's client, once it is made.
#[derive(Debug)]
struct Slot {
    client: Option<Client>,
    /// One at a time makes it: whoever hangs on a file hangs alone.
    making: Arc<Semaphore>,
}

/// Why a server cannot even be asked. Worth trying again: a person may mend the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("the session's URL cannot be used: {0}")]
    Url(#[from] BadUrl),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("the session's reply format {} is unknown", mention(.0))]
    Format(String),
    #[error("the certificates could not be read: {0}")]
    Unread(String),
}

impl Servers {
    /// None is made yet. The proxies are those that the environment names.
    pub(crate) fn new() -> Self {
        let proxies = Arc::new(Proxies::from_variables(|name| std::env::var_os(name)));
        if let Some(bad) = proxies.fault() {
            tracing::warn!("{bad}; until then no server beyond this machine is reached by it");
        }
        Self { origins: Mutex::default(), in_vain: Mutex::default(), proxies }
    }

    /// What keeps all servers from being reached, for people.
    pub(crate) fn problem(&self) -> Option<String> {
        Some(format!("{}; no server beyond this machine is reached by it", self.proxies.fault()?))
    }

    /// The client for this origin, with its own TLS settings and no others. Making one reads
    /// files, which may hang: that is done beside the runtime, and the caller has a deadline.
    ///
    /// # Errors
    /// Why there can be none at the moment.
    pub(crate) async fn client(&self, origin: &Origin) -> Result<Client, Unusable> {
        let making = match self.made(origin) {
            Ok(client) => return Ok(client),
            Err(making) => making,
        };
        let turn = making.acquire_owned().await;
        if let Ok(client) = self.made(origin) {
            return Ok(client);
        }
        let (wanted, proxies) = (origin.clone(), Arc::clone(&self.proxies));
        let made = aside("client", move || {
            let _turn = turn;
            make(&wanted, &proxies)
        });
        let made = made.map_err(|error| Unusable::Unread(error.to_string()))?.await;
        let client = made.map_err(|error| Unusable::Unread(error.to_string()))??;
        if let Some(slot) = self.origins().get_mut(origin) {
            slot.client = Some(client.clone());
        }
        Ok(client)
    }

    /// Sends proxies the passwords that they have refused once more: a person has asked for it.
    pub(crate) fn ask_proxies_again(&self) {
        self.proxies.forget_refusals();
    }

    /// Makes the client anew next time: its certificates may have been replaced.
    pub(crate) fn forget(&self, origin: &Origin) {
        self.origins().remove(origin);
    }

    /// Makes all clients anew: whom to trust may be another now.
    pub(crate) fn forget_all(&self) {
        self.origins().clear();
    }

    /// The ways to a server in the order in which they are to be tried: those that have led nowhere come last.
    pub(crate) fn least_recently_in_vain<'a>(&self, ways: &'a [Origin]) -> Vec<&'a Origin> {
        let mut ways: Vec<&Origin> = ways.iter().collect();
        let in_vain = self.ways_in_vain();
        ways.sort_by_key(|way| in_vain.get(way));
        ways
    }

    /// This way has led nowhere.
    pub(crate) fn in_vain(&self, way: &Origin) {
        self.ways_in_vain().insert(way.clone(), Instant::now());
    }

    /// This way has led to the server.
    pub(crate) fn led_there(&self, way: &Origin) {
        self.ways_in_vain().remove(way);
    }

    /// The client, or the right to make it.
    fn made(&self, origin: &Origin) -> Result<Client, Arc<Semaphore>> {
        let mut origins = self.origins();
        let slot = origins
            .entry(origin.clone())
            .or_insert_with(|| Slot { client: None, making: Arc::new(Semaphore::new(1)) });
        slot.client.clone().ok_or_else(|| Arc::clone(&slot.making))
    }

    fn ways_in_vain(&self) -> MutexGuard<'_, HashMap<Origin, Instant>> {
        self.in_vain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<Origin, Slot>> {
        // A panic while it was held cannot have left it half-changed.
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(origin: &Origin, proxies: &Proxies) -> Result<Client, Unusable> {
    let format =
        Format::from_name(&origin.format).ok_or_else(|| Unusable::Format(origin.format.clone()))?;
    Ok(Client::new(Endpoint::parse(&origin.url)?, &access(origin), format, proxies)?)
}

/// What a session was recorded with.
fn access(origin: &Origin) -> Access {
    let Network { client, proxy, no_proxy, proxy_credentials_file } = origin.network.clone();
    Access {
        ca_file: origin.ca_file.as_ref().map(PathBuf::from),
        client: client.map(|files| ClientFiles { cert: files.cert.into(), key: files.key.into() }),
        proxy: ProxySettings {
            proxy,
            no_proxy,
            credentials_file: proxy_credentials_file.map(PathBuf::from),
        },
    }
}
