//! The errors of the protocol word by word, compared with the file in `snapshots/`: what went wrong, then what to do.
//! `INSTA_UPDATE=always cargo test -p securid-sessiond --lib trouble` renews it.

use std::path::PathBuf;

use securid_api::Failure as OfTheServer;
use securid_store::StoreKind;

use super::*;

const KIND: StoreKind = StoreKind::SecretService;

fn keyrings() -> Vec<RpcError> {
    let (cause, id) = ("…".to_owned(), SessionId::from_bits(1));
    let hint = "…";
    [
        KeyringError::Locked { kind: KIND, cause: cause.clone() },
        KeyringError::Unavailable { kind: KIND, cause: cause.clone(), hint },
        KeyringError::Unresponsive { kind: KIND, cause: cause.clone() },
        KeyringError::Full { kind: KIND, cause },
        KeyringError::NotKept { kind: KIND },
        KeyringError::Damaged { kind: KIND, id, cause: "…" },
    ]
    .map(|error| keyring(&error))
    .into()
}

fn disks() -> Vec<RpcError> {
    use DiskErrorKind as Kind;
    [
        Kind::Full,
        Kind::ReadOnly,
        Kind::Gone,
        Kind::Denied,
        Kind::Unsafe,
        Kind::Copied,
        Kind::Stopped,
        Kind::Other,
    ]
    .map(|kind| {
        let path = PathBuf::from("/home/anna/.local/state/securid");
        disk(&DiskError { kind, doing: "write", path, cause: "…".to_owned() })
    })
    .into()
}

fn logins() -> Vec<RpcError> {
    use FailureKind as Kind;
    let failed = |kind| OfTheServer { kind, message: "…".to_owned(), retry_after: None };
    let on_the_way = [
        Kind::Resolve,
        Kind::Connect,
        Kind::Proxy,
        Kind::Tls,
        Kind::Timeout,
        Kind::Cut,
        Kind::NotConfirmed,
        Kind::Throttled,
    ];
    let errors = [
        LoginError::EmptyPassword,
        LoginError::EmptyAssertion,
        LoginError::TooLong,
        LoginError::Unsendable { field: "user name" },
        LoginError::Refused { status: 401, words: "…".to_owned() },
    ];
    let failures = on_the_way.map(|kind| LoginError::Unreachable(failed(kind)));
    errors.iter().chain(&failures).map(|error| login(error, "prod", Some("anna"))).collect()
}

fn others() -> Vec<RpcError> {
    let id = SessionId::from_bits(1);
    let name = id.to_string();
    vec![
        disk_hangs(),
        other_origin(&id, "https://a.example.com", "https://b.example.com"),
        unknown_store("vault"),
        no_username("prod"),
        no_auth_source("prod"),
        certificates_hang(),
        token(BadToken::Space),
        too_many_sessions(),
        username("has control characters in it"),
        too_many_holds(),
        too_many_selectors(1_001, 1_000),
        stopping(),
        going_down(),
        draining(),
        config_hangs(),
        under_revocation(&name),
        not_of_its_own(&name),
        no_such_session("prd"),
        no_such_session("9fK2xQ7bLw0ZtR4vYh8sNc1JmE5uGp3aDiOq6XeT"),
        no_instance(Some("prd")),
        no_instance(None),
        denial(Denial::Lost, &name, None),
        denial(Denial::Unreachable, &name, None),
        not_stored(),
    ]
}

#[test]
fn each_says_what_went_wrong_and_what_to_do() {
    let mut told = String::new();
    for error in [keyrings(), disks(), logins(), others()].concat() {
        let hint = error.data.hint.as_deref().unwrap_or_default();
        assert!(!hint.is_empty(), "{error} is not told what to do about");
        assert!(error.exit_code() != 0);
        told += &format!("{}: {error}\n    {hint}\n", error.code.name());
    }
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("trouble", told));
}
