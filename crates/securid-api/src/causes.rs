//! What stands behind an error of a library.

use std::error::Error;
use std::{io, iter};

/// The first cause of that type.
pub(crate) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error and what caused it. An [`io::Error`] that wraps another error leaves that one out of
/// its `source()`, and that is where rustls' errors are.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::CertificateError;

    #[test]
    fn causes_go_through_errors_that_wrap_others() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls.clone()));
        assert_eq!(cause::<rustls::Error>(&wrapped), Some(&tls));
        assert_eq!(cause::<rustls::Error>(&io::Error::other("x")), None);
    }
}
