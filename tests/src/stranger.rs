//! Being somebody else for a moment.

use std::thread;

use rustix::process::Uid;

/// Does something in a thread that the kernel takes for another user's: what it connects or binds
/// is that user's. Root only. (The call changes the one thread, which nothing of ours relies on
/// afterwards; a program of its own would have to be put where that user may run it.)
///
/// # Panics
/// If the system refuses, or with whatever `work` panics with.
pub fn as_user<T: Send>(user: u32, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let stranger = scope.spawn(|| {
            let uid = Uid::from_raw(user);
            rustix::thread::set_thread_res_uid(uid, uid, uid).expect("only root may");
            work()
        });
        stranger.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
