//! One HTTP client per origin, made when it is first needed and kept, so that connections are
//! reused.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use securid_api::{BadUrl, Client, Endpoint, Format, SetupError};
use securid_session::Origin;

/// The clients of all origins, those of instances that the config has no more among them.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    clients: Mutex<HashMap<Origin, Client>>,
}

/// Why a server cannot even be asked. Worth trying again: a person may mend the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("the session's URL cannot be used: {0}")]
    Url(#[from] BadUrl),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("the session's reply format {0:?} is unknown")]
    Format(String),
}

impl Servers {
    /// The client for this origin, with its own TLS settings and no others.
    pub(crate) fn client(&self, origin: &Origin) -> Result<Client, Unusable> {
        // A panic while it was held cannot have left it half-changed.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(origin) {
            return Ok(client.clone());
        }
        let format = Format::from_name(&origin.format)
            .ok_or_else(|| Unusable::Format(origin.format.clone()))?;
        let ca_file = origin.ca_file.as_deref().map(Path::new);
        let client = Client::new(Endpoint::parse(&origin.url)?, ca_file, format)?;
        clients.insert(origin.clone(), client.clone());
        Ok(client)
    }
}
