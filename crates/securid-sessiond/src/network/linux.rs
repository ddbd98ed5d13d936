//! Changes of the network on Linux, as the kernel tells them (rtnetlink).

use std::io;
use std::os::unix::net::UnixDatagram as Unnamed;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recvfrom, socket_with};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// Links, and addresses and routes of IPv4 and IPv6 (RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE,
/// RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE). A cable that is plugged in shows as its link alone where the
/// address is a fixed one.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

/// What the kernel has to tell from now on.
///
/// It is a netlink socket. Tokio's own way to wait for a foreign descriptor, `AsyncFd`, is unsafe; any
/// socket is waited for like one of datagrams that has no name, and that is safe.
pub(super) struct News(UnixDatagram);

impl News {
    pub(super) fn listen() -> io::Result<Self> {
        // No protocol is NETLINK_ROUTE, whose number is 0.
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let kind = SocketType::RAW;
        let socket = socket_with(AddressFamily::NETLINK, kind, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self(UnixDatagram::from_std(Unnamed::from(socket))?))
    }

    /// Waits for the kernel to say anything.
    pub(super) async fn change(&self) -> io::Result<()> {
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
