//! Where the buses are.

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStringExt;

use crate::error::Error;

/// Where the machine's bus is unless the environment says otherwise.
const SYSTEM: &str = "unix:path=/var/run/dbus/system_bus_socket";

/// Ways to a bus that start a program. A daemon that is asked for its keyring starts none, and a bus
/// that was started for it alone would have nobody on it.
const STARTS_A_PROGRAM: [&str; 2] = ["autolaunch:", "unixexec:"];

/// A bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// The desktop session's: `$DBUS_SESSION_BUS_ADDRESS`, else `$XDG_RUNTIME_DIR/bus`, else the one in this
    /// user's folder under `/run/user`.
    Session,
    /// The machine's: `$DBUS_SYSTEM_BUS_ADDRESS`, else where it always is.
    System,
}

impl Bus {
    pub(crate) fn address(self) -> Result<String, Error> {
        let address = match self {
            Self::Session => env::var("DBUS_SESSION_BUS_ADDRESS").unwrap_or_else(|_| {
                let folder = env::var_os("XDG_RUNTIME_DIR");
                in_folder(folder.unwrap_or_else(|| {
                    format!("/run/user/{}", rustix::process::geteuid().as_raw()).into()
                }))
            }),
            Self::System => {
                env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_else(|_| SYSTEM.to_owned())
            }
        };
        if starts_a_program(&address) {
            return Err(Error::Unreachable("its address would start a program".to_owned()));
        }
        Ok(address)
    }
}

/// Whether one of the ways in an address does.
fn starts_a_program(address: &str) -> bool {
    let mut ways = address.split(';');
    ways.any(|way| STARTS_A_PROGRAM.iter().any(|kind| way.starts_with(kind)))
}

/// The bus in a user's folder. What addresses do not take as it is, is written as `%` and two digits.
fn in_folder(folder: OsString) -> String {
    let mut address = "unix:path=".to_owned();
    for byte in folder.into_vec() {
        if byte.is_ascii_alphanumeric() || b"-_/.\\*".contains(&byte) {
            address.push(byte.into());
        } else {
            // Nothing goes wrong when a string is written to.
            let _ = write!(address, "%{byte:02x}");
        }
    }
    address + "/bus"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_starts_a_program() {
        assert!(!starts_a_program("unix:path=/run/autolaunch:;tcp:host=localhost"));
        assert!(starts_a_program("autolaunch:"));
        assert!(starts_a_program("unix:path=/bus;unixexec:path=/bin/sh"));
    }

    #[test]
    fn a_folder_of_any_name_is_an_address() {
        assert_eq!(in_folder("/run/user/1000".into()), "unix:path=/run/user/1000/bus");
        assert_eq!(in_folder("/a b;c,d=é".into()), "unix:path=/a%20b%3bc%2cd%3d%c3%a9/bus");
    }
}
