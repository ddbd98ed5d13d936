//! Daemons of other versions than ours: within one protocol number an older one lacks what has been added since.

use super::ClientError;
use crate::{
    VERSION,
    messages::{Call, ErrorCode, RpcError},
};

/// What an error means if it comes from a daemon of that version: one that is older than we are, and does not know a
/// method or a parameter, was not asked wrongly.
pub(super) fn explained(error: ClientError, version: &str, call: &Call) -> ClientError {
    let what = match &error {
        ClientError::Rpc(RpcError { code: ErrorCode::Method, .. }) => call.method().to_owned(),
        ClientError::Rpc(RpcError { code: ErrorCode::Params, message, data }) if data.unknown => {
            format!("a parameter of {}: {message}", call.method())
        }
        _ => return error,
    };
    if is_older(version, VERSION) {
        ClientError::Outdated { version: version.to_owned(), what }
    } else {
        error
    }
}

/// Whether one version, as `0.1.0`, is older than another. One that is no such version is not.
fn is_older(one: &str, other: &str) -> bool {
    let numbers = |version: &str| {
        // What follows a `-` or `+` says nothing of what is built in.
        let numbers = version.split(['-', '+']).next().unwrap_or_default().split('.');
        numbers.map(str::parse).collect::<Result<Vec<u64>, _>>()
    };
    matches!((numbers(one), numbers(other)), (Ok(one), Ok(other)) if one < other)
}

#[cfg(test)]
mod tests {
    use super::is_older;

    #[test]
    fn versions_are_compared_number_by_number() {
        for (one, other) in
            [("0.1.0", "0.2.0"), ("0.9.9", "0.10.0"), ("0.1.0-rc.1", "0.1.1"), ("9.9.9", "10.0.0")]
        {
            assert!(is_older(one, other), "{one} {other}");
            assert!(!is_older(other, one), "{other} {one}");
        }
        for (one, other) in
            [("0.1.0", "0.1.0"), ("", "0.1.0"), ("old", "0.1.0"), ("0.1.0+deb", "0.1.0")]
        {
            assert!(!is_older(one, other) && !is_older(other, one), "{one} {other}");
        }
    }
}
