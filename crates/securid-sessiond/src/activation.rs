//! The socket that the service manager has bound and hands over. Linux's systemd alone does: launchd keeps the daemon
//! alive instead, and Windows has nothing of the kind.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{BadSocket, Socket, complaint, listener, take_socket};
#[cfg(target_os = "linux")]
pub(crate) use linux::{BadSocket, Socket, complaint, listener, take_socket};
