//! Who vouches for a server: [`Verifier`], the system's authorities and further ones.

#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use rustls_platform_verifier::Verifier;
#[cfg(windows)]
pub(crate) use windows::Verifier;
