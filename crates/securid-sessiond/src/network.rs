//! Changes of the network, as the kernel tells them (rtnetlink): links, addresses and routes that come and
//! go. They say that a server may be reachable now which was not before: a VPN, a cable, the Wi-Fi after a
//! night's sleep.
//!
//! What has changed is not looked at, for no message tells whether the server is behind it; an attempt
//! does. So there is nothing to be read out of what comes, and nobody but the kernel is listened to.

use std::io;
use std::os::unix::net::UnixDatagram as Unnamed;
use std::time::Duration;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recvfrom, socket_with};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::keeper::{Inbox, Message};

/// Links, and addresses and routes of IPv4 and IPv6 (RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE,
/// RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE). A cable that is plugged in shows as its link alone where the
/// address is a fixed one.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

/// How long a change is left to settle: a VPN that comes up is a link, then an address, then routes, then
/// names, each of them told by itself. Whatever comes meanwhile is part of it.
const SETTLES: Duration = Duration::from_secs(1);

/// Tells the keeper of changes, as long as it wants to know. With nothing wanted there is no socket, and
/// nothing that could wake us.
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
/// If the system refuses the socket, as a sandbox or a container may.
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

/// What the kernel has to tell from now on.
///
/// It is a netlink socket. Tokio's own way to wait for a foreign descriptor, `AsyncFd`, is unsafe; any
/// socket is waited for like one of datagrams that has no name, and that is safe.
struct News(UnixDatagram);

impl News {
    fn listen() -> io::Result<Self> {
        // No protocol is NETLINK_ROUTE, whose number is 0.
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let kind = SocketType::RAW;
        let socket = socket_with(AddressFamily::NETLINK, kind, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self(UnixDatagram::from_std(Unnamed::from(socket))?))
    }

    /// Waits for the kernel to say anything.
    async fn change(&self) -> io::Result<()> {
        loop {
            match self.0.async_io(Interest::READABLE, || self.receive()).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // More has happened than the kernel could keep for us.
                Err(error) if is(&error, rustix::io::Errno::NOBUFS) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes a message away, and says whether it was the kernel's. Another process of root's may send some,
    /// too.
    fn receive(&self) -> io::Result<bool> {
        let (_, _, sender) = recvfrom(&self.0, &mut [0; 1], RecvFlags::empty())?;
        let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
        Ok(sender.is_some_and(|sender| sender.pid() == 0))
    }
}

fn is(error: &io::Error, errno: rustix::io::Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
