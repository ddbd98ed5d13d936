//! Changes of the network: interfaces, addresses and routes.

use std::ffi::c_void;
use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, HANDLE};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    CancelMibChangeNotify2, MIB_IPFORWARD_ROW2, MIB_IPINTERFACE_ROW, MIB_NOTIFICATION_TYPE,
    MIB_UNICASTIPADDRESS_ROW, NotifyIpInterfaceChange, NotifyRouteChange2,
    NotifyUnicastIpAddressChange,
};
use windows_sys::Win32::Networking::WinSock::AF_UNSPEC;

use crate::listeners::{Listener, Listeners};

static LISTENERS: Listeners = Listeners::none();

/// As long as it is there, changes are told.
pub struct Changes {
    registered: Vec<Registration>,
    _listener: Listener,
}

impl Changes {
    /// From now on `tell` is called on a thread of the system's, for each interface, address (IPv4 and IPv6) and route
    /// that comes, goes or changes. It must not wait.
    ///
    /// # Errors
    /// If Windows refuses.
    pub fn told(tell: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let mut changes = Self { registered: Vec::new(), _listener: LISTENERS.add(tell) };
        // Nothing is told of what is there already (`false`), and what is passed through (`null`) is nothing of ours.
        changes.register(|handle| {
            // SAFETY: the handle is written during the call, and the function stays.
            unsafe { NotifyIpInterfaceChange(AF_UNSPEC, Some(interface), null(), false, handle) }
        })?;
        changes.register(|handle| {
            // SAFETY: as above.
            unsafe { NotifyUnicastIpAddressChange(AF_UNSPEC, Some(address), null(), false, handle) }
        })?;
        changes.register(|handle| {
            // SAFETY: as above.
            unsafe { NotifyRouteChange2(AF_UNSPEC, Some(route), null(), false, handle) }
        })?;
        Ok(changes)
    }

    fn register(&mut self, ask: impl FnOnce(*mut HANDLE) -> u32) -> io::Result<()> {
        let mut handle = null_mut();
        let status = ask(&raw mut handle);
        if status != ERROR_SUCCESS {
            return Err(io::Error::from_raw_os_error(status.cast_signed()));
        }
        self.registered.push(Registration(handle));
        Ok(())
    }
}

/// What Windows has given for one of the functions below.
struct Registration(HANDLE);

// SAFETY: it belongs to the process, not to a thread.
unsafe impl Send for Registration {}
// SAFETY: nothing can be done with it but give it back, by its owner.
unsafe impl Sync for Registration {}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: it was registered, and is given back once. This waits for a call that is under way, which waits for nothing.
        unsafe { CancelMibChangeNotify2(self.0) };
    }
}

extern "system" fn interface(
    _: *const c_void,
    _: *const MIB_IPINTERFACE_ROW,
    _: MIB_NOTIFICATION_TYPE,
) {
    LISTENERS.tell();
}

extern "system" fn address(
    _: *const c_void,
    _: *const MIB_UNICASTIPADDRESS_ROW,
    _: MIB_NOTIFICATION_TYPE,
) {
    LISTENERS.tell();
}

extern "system" fn route(_: *const c_void, _: *const MIB_IPFORWARD_ROW2, _: MIB_NOTIFICATION_TYPE) {
    LISTENERS.tell();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_kind_of_change_is_told_until_nobody_listens() {
        let (say, told) = std::sync::mpsc::channel();
        let changes = Changes::told(move || say.send(()).unwrap()).unwrap();
        assert_eq!(changes.registered.len(), 3);
        interface(null(), null(), 0);
        address(null(), null(), 0);
        route(null(), null(), 0);
        assert!(told.try_iter().count() >= 3);
        drop(changes);
        while told.recv().is_ok() {}
        interface(null(), null(), 0);
    }
}
