//! How each event changes one session. The rules of the guarantee stand here; see the crate's page.
//!
//! - `beginning`: how it comes into the machine
//! - `taking_in`: until it is acknowledged
//! - `using`: while it is lent
//! - `revoking`: from the first wish that it end to the server's word
//! - `ending`: until nothing of it is left
//! - `answers`: what disk and keyring say, at any of these times

mod answers;
mod beginning;
mod ending;
mod revoking;
mod taking_in;
mod using;
