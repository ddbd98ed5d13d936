//! What is printed where all goes well, or as well as it can.

use jiff::{SignedDuration, Timestamp};
use securid_ipc::{
    config_view::{ConfigKeyView, ConfigView, OverruledView},
    messages::*,
};

use super::{compare, told, told_of};
use crate::{
    fake::{Home, session, well},
    starting::ctl_beside,
};

/// So many minutes from now; in the middle of what is told of it, so that a slow machine tells the same.
fn minutes(from_now: i64) -> Time {
    let then =
        Timestamp::now() + SignedDuration::from_mins(from_now) + SignedDuration::from_secs(5);
    then.to_string()
}

fn sessions() -> Vec<SessionView> {
    let at = |id: &str, state| SessionView {
        id: id.into(),
        created_at: minutes(-60),
        last_used_at: minutes(-10),
        expires_at: Some(minutes(420)),
        ..session(state)
    };
    vec![
        SessionView {
            idle_deadline: Some(minutes(15)),
            ..at("0123456789abcdef", SessionState::Active)
        },
        SessionView { holds: 1, username: None, ..at("1123456789abcdef", SessionState::Active) },
        SessionView {
            revocation: Some(RevocationView {
                reason: Reason::Idle,
                since: minutes(-3),
                attempts: 4,
                last_error: Some("https://iga.example.com refuses connections: is it up?".into()),
                next_attempt_at: Some(minutes(2)),
                durable: true,
            }),
            ..at("2123456789abcdef", SessionState::Revoking)
        },
        at("3123456789abcdef", SessionState::Lost),
    ]
}

#[test]
fn sessions_and_how_the_daemon_is() {
    let status = StatusView {
        started_at: minutes(-180),
        sessions: SessionCounts { active: 2, adding: 0, revoking: 1, lost: 1 },
        oldest_pending_seconds: Some(180),
        instances: vec![
            InstanceView {
                name: "prod".into(),
                url: "https://iga.example.com".into(),
                last_contact: None,
            },
            InstanceView {
                name: "test".into(),
                url: "https://iga-test.example.com".into(),
                last_contact: Some(ContactView {
                    at: minutes(-3),
                    ok: false,
                    message: Some(
                        "https://iga-test.example.com refuses connections: is it up?".into(),
                    ),
                }),
            },
        ],
        problems: vec!["/home/anna/.local/state/securid/damaged has a damaged file: look at it, then remove it".into()],
        ..well()
    };
    let busy = Home::answering(move |call| {
        Some(Ok(match call {
            Call::Status => Reply::Status(status.clone()),
            _ => Reply::List(ListView { sessions: sessions(), cursor: None }),
        }))
    });
    let idle = Home::answering(|call| {
        Some(Ok(match call {
            Call::Status => Reply::Status(StatusView {
                started_at: minutes(-180),
                sessions: SessionCounts::default(),
                ..well()
            }),
            Call::List(_) => Reply::List(ListView { sessions: vec![], cursor: None }),
            _ => Reply::Retrying(RetryView { sessions: vec![] }),
        }))
    });
    compare(
        "sessions",
        &[
            told(&busy, &["list"]),
            told(&busy, &["status"]),
            told(&idle, &["list"]),
            told(&idle, &["status"]),
            told(&idle, &["retry"]),
        ],
    );
}

#[test]
fn how_sessions_end() {
    let item = |id: &str, state, outcome, last_error: Option<&str>| LogoutItem {
        id: id.into(),
        instance: "prod".into(),
        state,
        outcome,
        last_error: last_error.map(str::to_owned),
        durable: true,
        unreachable: false,
    };
    let refused = "https://iga.example.com refuses connections: is it up?";
    let done = LogoutView {
        sessions: vec![
            item("0123456789abcdef", SessionState::Ended, Some(Outcome::Revoked), None),
            item("1123456789abcdef", SessionState::Ended, Some(Outcome::AlreadyInvalid), None),
            item("2123456789abcdef", SessionState::Revoking, None, Some(refused)),
            item("3123456789abcdef", SessionState::Revoking, None, None),
            item("4123456789abcdef", SessionState::Lost, None, None),
        ],
        unlisted: 7,
        ..LogoutView::default()
    };
    let ended = |id: &str, outcome, evidence: &str| HistoryItem {
        id: id.into(),
        generation: Some(1),
        instance: "prod".into(),
        url: "https://iga.example.com/aveksa/command.submit".into(),
        username: Some("anna".into()),
        keyring: Some("keyutils".into()),
        created_at: minutes(-600),
        requested_at: Some(minutes(-181)),
        ended_at: minutes(-180),
        reason: Some(Reason::Request),
        outcome,
        attempts: 2,
        evidence: Some(evidence.into()),
    };
    let history = HistoryView {
        sessions: vec![
            ended("0123456789abcdef", Outcome::Revoked, "HTTP 200: logoutUser"),
            ended("1123456789abcdef", Outcome::Forgotten, "a person's word alone"),
        ],
        damaged: 1,
        ..HistoryView::default()
    };
    let home = Home::answering(move |call| {
        Some(Ok(match call {
            Call::Logout(_) => Reply::Logout(done.clone()),
            _ => Reply::History(history.clone()),
        }))
    });
    let nothing = Home::replying(Reply::Logout(LogoutView::default()));
    compare(
        "ends",
        &[told(&home, &["logout", "prod"]), told(&nothing, &["logout"]), told(&home, &["history"])],
    );
}

#[test]
fn what_the_config_says() {
    let key = |key: &str, value: Option<&str>, from: &str| ConfigKeyView {
        key: key.into(),
        value: value.map(str::to_owned),
        from: from.into(),
        enforced: false,
        instead_of: None,
    };
    let overruled = OverruledView {
        value: "30m".into(),
        from: "/home/anna/.config/securid/config.toml:3".into(),
    };
    let view = ConfigView {
        keys: vec![
            key("default_instance", None, "built-in"),
            ConfigKeyView {
                enforced: true,
                instead_of: Some(overruled),
                ..key("idle_timeout", Some("10m"), "/etc/securid/config.toml:2")
            },
            key(
                "instances.prod.url",
                Some("https://iga.example.com"),
                "/home/anna/.config/securid/config.toml:1",
            ),
        ],
        warnings: vec![],
    };
    let home = Home::new();
    let daemon = format!("echo '{}'", serde_json::to_string(&view).unwrap());
    let args = ["config", "show"];
    compare("config", &[told_of(&home, &args, ctl_beside(&home, &daemon, &args))]);
}
