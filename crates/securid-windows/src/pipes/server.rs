//! The server's side.

use std::{
    ffi::{OsStr, c_void},
    io,
    os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle},
    process::abort,
    ptr::null_mut,
};

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use windows_sys::Win32::{
    Security::{RevertToSelf, SECURITY_ATTRIBUTES, TOKEN_QUERY},
    System::{
        Pipes::{GetNamedPipeClientProcessId, ImpersonateNamedPipeClient, PeekNamedPipe},
        Threading::{GetCurrentThread, OpenThreadToken},
    },
};

use crate::{
    descriptor::Descriptor,
    sid::{self, Sid},
};

/// An instance of the pipe `name` for the next client, who is refused if he comes from another machine. The `first`
/// one is an error (access denied) where there is a pipe of that name, whosever it is. Of what nobody reads the system
/// keeps `unread` bytes each way.
///
/// # Errors
/// If the system refuses, or this runs on no runtime.
pub fn instance(
    name: &OsStr,
    descriptor: &Descriptor,
    first: bool,
    unread: u32,
) -> io::Result<NamedPipeServer> {
    let mut attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.pointer(),
        bInheritHandle: 0,
    };
    let mut options = ServerOptions::new();
    options.first_pipe_instance(first).reject_remote_clients(true);
    options.in_buffer_size(unread).out_buffer_size(unread);
    let attributes: *mut c_void = (&raw mut attributes).cast();
    // SAFETY: they are what the system calls so, and outlive the call, as the descriptor does.
    unsafe { options.create_with_security_attributes_raw(name, attributes) }
}

/// The user whom the client at the other end was when he connected. The system tells it only after something was read.
///
/// If this thread does not become itself again afterwards, the process ends.
///
/// # Errors
/// If the client does not let himself be identified, or has sent nothing yet.
pub fn client(end: BorrowedHandle<'_>) -> io::Result<Sid> {
    // SAFETY: the handle is open as long as it is borrowed.
    if unsafe { ImpersonateNamedPipeClient(end.as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let as_client = AsClient;
    let mut token = null_mut();
    // As the process: the client may not be allowed to look at himself.
    let as_self = 1;
    // SAFETY: the pseudo handle is always valid, and the place for the token is ours.
    let opened =
        unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, as_self, &raw mut token) };
    let error = io::Error::last_os_error();
    drop(as_client);
    if opened == 0 {
        return Err(error);
    }
    // SAFETY: it was opened just now, and nobody else closes it.
    sid::of_token(&unsafe { OwnedHandle::from_raw_handle(token) })
}

/// As long as this is there, the thread acts as a client.
struct AsClient;

impl Drop for AsClient {
    fn drop(&mut self) {
        // SAFETY: it takes nothing.
        if unsafe { RevertToSelf() } == 0 {
            // Whatever this thread did from now on it would do as somebody else.
            abort();
        }
    }
}

/// The process that has connected, if the system says. It may be gone, and another have its number: this tells
/// nothing of who it is.
#[must_use]
pub fn client_process(end: BorrowedHandle<'_>) -> Option<u32> {
    let mut process = 0;
    // SAFETY: the handle is open as long as it is borrowed, and the place is ours.
    let told = unsafe { GetNamedPipeClientProcessId(end.as_raw_handle(), &raw mut process) };
    (told != 0).then_some(process)
}

/// Whether the client at the other end has gone, and nothing is left of what he sent.
#[must_use]
pub fn client_has_gone(end: BorrowedHandle<'_>) -> bool {
    let nothing = null_mut();
    // SAFETY: the handle is open as long as it is borrowed, and nothing is to be written anywhere.
    let looked =
        unsafe { PeekNamedPipe(end.as_raw_handle(), null_mut(), 0, nothing, nothing, nothing) };
    looked == 0
}
