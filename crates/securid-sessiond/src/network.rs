//! Changes of the network, as the system tells them: links, addresses and routes that come and
//! go. They say that a server may be reachable now which was not before: a VPN, a cable, the Wi-Fi after a
//! night's sleep.
//!
//! What has changed is not looked at, for no message tells whether the server is behind it; an attempt
//! does. So there is nothing to be read out of what comes, and nobody but the system is listened to.
//!
//! - `linux`, `macos`, `windows`: how each tells them

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::keeper::{Inbox, Message};
#[cfg(target_os = "linux")]
use linux::News;
#[cfg(target_os = "macos")]
use macos::News;
#[cfg(windows)]
use windows::News;

/// How long a change is left to settle: a VPN that comes up is a link, then an address, then routes, then
/// names, each of them told by itself. Whatever comes meanwhile is part of it.
const SETTLES: Duration = Duration::from_secs(1);

/// Tells the keeper of changes, as long as it wants to know. With nothing wanted nothing is
/// listened to, and nothing could wake us.
pub(crate) async fn mind(mut wanted: watch::Receiver<bool>, inbox: Inbox) {
    let mut refused = false;
    // An error: the keeper has gone.
    while wanted.wait_for(|wanted| *wanted).await.is_ok() {
        if let Err(error) = listen(&mut wanted, &inbox).await {
            if std::mem::replace(&mut refused, true) {
                debug!("changes of the network are not told: {error}");
            } else {
                warn!(
                    "changes of the network are not told ({error}): \
                    what is pending is tried by its schedule alone"
                );
            }
            if wanted.wait_for(|wanted| !*wanted).await.is_err() {
                return;
            }
        }
    }
}

/// Until nothing is wanted any more.
///
/// # Errors
/// If the system refuses to tell, as a sandbox or a container may.
async fn listen(wanted: &mut watch::Receiver<bool>, inbox: &Inbox) -> io::Result<()> {
    let mut news = News::listen()?;
    loop {
        tokio::select! {
            changed = news.change() => changed?,
            _ = wanted.wait_for(|wanted| !*wanted) => return Ok(()),
        }
        // Closed, for a network that is rebuilt has thousands of things to tell; and open again before
        // anybody acts on it, so that nothing is missed that comes later.
        drop(news);
        sleep(SETTLES).await;
        let next = News::listen();
        // The keeper is gone only when the daemon is.
        let _ = inbox.send(Message::NetworkChanged);
        news = next?;
    }
}
