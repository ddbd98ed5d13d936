//! A thread for the moment.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// Does what may hang on a thread of its own, and has the answer come by the receiver, at which nobody has to wait.
///
/// Tokio's own threads of that kind panic where there is none to be had, and a panic ends a daemon that holds tokens.
///
/// # Errors
/// If there is no thread to be had; then nothing is done.
pub fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (reply, answer) = oneshot::channel();
    let work = move || {
        // Whoever asked may have given it up.
        let _ = reply.send(work());
    };
    thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(answer)
}
