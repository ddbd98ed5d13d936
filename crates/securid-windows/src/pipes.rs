//! Named pipes: of the server's side what its runtime does not have, and the client's with deadlines and without a runtime.
//!
//! - [`client`]: reading and writing within a time; [`place`]: what is at a name, and whose
//! - `server` (feature `runtime`): an instance for the next client; who a client is

pub mod client;
pub mod place;
#[cfg(feature = "runtime")]
pub mod server;

use std::io;

fn is(error: &io::Error, codes: &[u32]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.contains(&code.cast_unsigned()))
}
