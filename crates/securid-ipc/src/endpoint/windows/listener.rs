//! Waiting at a pipe.
//!
//! A pipe is there as long as anybody has an end of it. A dead daemon's clients have theirs until they close it: nobody waits there any
//! more, so that who connects finds nothing, but the name is not free, and no instance can be its first one. One more can be made, and then
//! it is a pipe as its first maker wanted it: it is taken if that was one of us. As long as this waits there is always an instance for the
//! next client: without one the name would be anybody's.

use std::{
    future::pending,
    io, mem,
    path::{Path, PathBuf},
    sync::Arc,
};

use securid_windows::{
    descriptor::Descriptor,
    pipes::{client::Pipe, place::is_busy, server::instance},
    sid::{Sid, this_user},
};
use tokio::net::windows::named_pipe::NamedPipeServer;

use super::{
    name::is_pipe,
    stream::{ServerStream, UNREAD},
};
use crate::endpoint::BindError;

/// A pipe, with an instance for the next client. Dropped, its name is free when the last client has gone.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    us: Arc<Sid>,
    descriptor: Descriptor,
    /// For the next client; none when the last one has been let in.
    waiting: Option<NamedPipeServer>,
    /// No other client is waited for than the one who may have come already.
    is_last: bool,
}

impl Listener {
    /// Makes the pipe `path`, which only this user may open. One that is there already is respected. Call it on a tokio
    /// runtime with I/O enabled.
    ///
    /// # Errors
    /// [`BindError`], which says what is in the way.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |source| BindError::Failed { path: path.to_owned(), source };
        if !is_pipe(path) {
            return Err(BindError::NotAPipe { path: path.to_owned() });
        }
        let us = Arc::new(this_user().map_err(failed)?);
        is_free(path, &us)?;
        let descriptor = Descriptor::of(&for_alone(&us)).map_err(failed)?;
        let waiting = match instance(path.as_os_str(), &descriptor, true, UNREAD) {
            Ok(first) => first,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                // Something came between, and is alive; or a dead one has clients left.
                is_free(path, &us)?;
                one_more(path, &us, &descriptor)?
            }
            Err(error) => return Err(failed(error)),
        };
        let (path, waiting) = (path.to_owned(), Some(waiting));
        Ok(Self { path, us, descriptor, waiting, is_last: false })
    }

    /// Where it waits.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether other users may connect: none may.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        false
    }

    /// Lets nobody find it but the client who may have come already.
    pub(crate) fn unlink(&mut self) {
        self.is_last = true;
    }

    /// Whether it was made here: pipes are not handed over.
    pub(crate) fn is_bound_here(&self) -> bool {
        true
    }

    /// Waits for the next client. Who it is is known when the first of what he sends is received. Safe to drop between
    /// two polls.
    ///
    /// # Errors
    /// If nobody can be let in just now.
    pub(crate) async fn accept(&mut self) -> io::Result<Option<ServerStream>> {
        let Some(waiting) = &self.waiting else { return pending().await };
        let connected = waiting.connect().await;
        // Before anything else, so that there is one at any time. If it fails, whoever has connected goes on waiting.
        let next = match self.is_last {
            false => Some(instance(self.path.as_os_str(), &self.descriptor, false, UNREAD)?),
            true => None,
        };
        let client = mem::replace(&mut self.waiting, next);
        connected?;
        Ok(client.map(|client| ServerStream::of(client, Arc::clone(&self.us))))
    }
}

/// Owned by this user, and open to nobody else, as if there were no administrators. It takes full access to make further
/// instances.
fn for_alone(us: &Sid) -> String {
    format!("O:{us}G:{us}D:P(A;;FA;;;{us})")
}

/// Whether nobody has that name. Windows itself refuses a second one, but does not say whose the first one is.
fn is_free(path: &Path, us: &Sid) -> Result<(), BindError> {
    let in_use = || BindError::InUse { path: path.to_owned() };
    let not_ours = || BindError::NotOurs { path: path.to_owned() };
    match Pipe::open(path) {
        Ok(pipe) if pipe.descriptor().is_ok_and(|it| it.owner().as_ref() == Some(us)) => {
            Err(in_use())
        }
        Ok(_) => Err(not_ours()),
        Err(error) if is_busy(&error) => Err(in_use()),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            io::ErrorKind::PermissionDenied => Err(not_ours()),
            _ => Err(BindError::Failed { path: path.to_owned(), source: error }),
        },
    }
}

/// An instance that is not the first, of a pipe that is as we would have made it: nobody else may come to it, or wait at it.
fn one_more(path: &Path, us: &Sid, ours: &Descriptor) -> Result<NamedPipeServer, BindError> {
    let failed = |source| BindError::Failed { path: path.to_owned(), source };
    let not_ours = || BindError::NotOurs { path: path.to_owned() };
    let made =
        instance(path.as_os_str(), ours, false, UNREAD).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => not_ours(),
            _ => failed(error),
        })?;
    let found = Descriptor::of_open(&made).map_err(failed)?;
    match found.owner() {
        Some(owner) if owner == *us && is_alike(&found, ours) => Ok(made),
        Some(owner) if owner == *us => Err(BindError::InUse { path: path.to_owned() }),
        _ => Err(not_ours()),
    }
}

/// Whether a pipe lets in whom ours does and nobody else, and no program in a sandbox has made it.
fn is_alike(found: &Descriptor, ours: &Descriptor) -> bool {
    found.grants() == ours.grants() && !found.is_of_a_sandbox()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_pipe_is_like_ours_if_it_is_ours_alone() {
        let us = this_user().unwrap();
        let ours = Descriptor::of(&for_alone(&us)).unwrap();
        let is_alike = |list: &str| {
            let sddl = format!("O:{us}G:{us}{list}");
            is_alike(&Descriptor::of(&sddl).unwrap(), &ours)
        };
        assert!(is_alike(&format!("D:P(A;;FA;;;{us})")));
        for other in [
            String::new(),
            "D:P".to_owned(),
            "D:P(A;;FA;;;WD)".to_owned(),
            format!("D:P(A;;FR;;;{us})"),
            format!("D:P(A;;FA;;;{us})(A;;FR;;;WD)"),
            format!("D:P(A;;FA;;;{us})S:(ML;;NW;;;LW)"),
        ] {
            assert!(!is_alike(&other), "{other}");
        }
    }

    #[tokio::test]
    async fn one_more_is_made_of_a_pipe_like_ours_and_of_no_other() {
        let us = this_user().unwrap();
        let ours = Descriptor::of(&for_alone(&us)).unwrap();
        let path = PathBuf::from(format!(r"\\.\pipe\securid-one-more-{}", std::process::id()));
        let first = instance(path.as_os_str(), &ours, true, UNREAD).unwrap();
        one_more(&path, &us, &ours).unwrap();
        drop(first);
        let open = Descriptor::of(&format!("O:{us}G:{us}D:P(A;;FA;;;WD)")).unwrap();
        let _open = instance(path.as_os_str(), &open, true, UNREAD).unwrap();
        let error = one_more(&path, &us, &ours).unwrap_err();
        assert!(matches!(error, BindError::InUse { .. }), "{error}");
    }

    #[test]
    fn the_pipe_is_its_owner_s_alone() {
        let us = this_user().unwrap();
        let sddl = for_alone(&us);
        assert_eq!(sddl, format!("O:{us}G:{us}D:P(A;;FA;;;{us})"));
        Descriptor::of(&sddl).unwrap();
    }
}
