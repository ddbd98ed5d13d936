#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::{SignedDuration, Unit};
use securid_ipc::messages::{Outcome, Reason, RevocationView};

use super::*;

const SIZE: Size = Size { columns: 100, rows: 12 };

fn after(span: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_secs(span);
    at.round(Unit::Second).unwrap().to_string()
}

fn session(id: &str, state: SessionState) -> News {
    let session = SessionView {
        id: id.to_owned(),
        instance: "prod".to_owned(),
        url: "https://iga.example.com/aveksa/command.submit".to_owned(),
        username: Some("alice\u{1b}[2J".to_owned()),
        keyring: "test".to_owned(),
        state,
        created_at: after(-60),
        last_used_at: after(-60),
        idle_deadline: Some(after(3 * 3600 + 30)),
        expires_at: Some(after(2 * 3600 + 30)),
        holds: 0,
        revocation: None,
    };
    News::Session { session: Box::new(session) }
}

fn pending(id: &str) -> News {
    let News::Session { mut session } = session(id, SessionState::Revoking) else { unreachable!() };
    session.revocation = Some(RevocationView {
        reason: Reason::Idle,
        since: after(-180),
        attempts: 2,
        last_error: Some("the server failed\u{1b}[2J; ".repeat(9)),
        next_attempt_at: None,
        durable: true,
    });
    News::Session { session }
}

fn ended(id: &str) -> News {
    let session = HistoryItem {
        id: id.to_owned(),
        generation: None,
        instance: "prod".to_owned(),
        url: String::new(),
        username: None,
        keyring: None,
        created_at: after(-60),
        requested_at: None,
        ended_at: after(0),
        reason: Some(Reason::Request),
        outcome: Outcome::Revoked,
        attempts: 1,
        evidence: None,
    };
    News::Ended { session: Box::new(session) }
}

fn lines(picture: &mut Picture, size: Size, now: Instant) -> Vec<String> {
    picture.lines(&Screen::plain(), size, now)
}

#[test]
fn the_urgent_comes_first_and_the_nearer_limit_counts_down() {
    let (mut picture, now) = (Picture::default(), Instant::now());
    assert_eq!(lines(&mut picture, SIZE, now), ["Asking the daemon. q ends."]);
    picture.news(News::Ready, now);
    assert_eq!(lines(&mut picture, SIZE, now), ["No sessions. q ends."]);
    assert!(!picture.counts());

    for news in [
        session("a", SessionState::Active),
        session("b", SessionState::Lost),
        pending("c"),
        session("d", SessionState::Active),
        ended("d"),
    ] {
        picture.news(news, now);
    }
    assert!(picture.counts());
    let seen = lines(&mut picture, SIZE, now);
    assert_eq!(seen[0], "Sessions: 1 active, 1 revoking, 1 lost. q ends.");
    let first: Vec<&str> = seen[1..].iter().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(first, ["ID", "c", "", "d", "b", "a"], "{seen:#?}");
    assert!(seen[2].contains("idle 3m ago, tried 2 times"), "{seen:#?}");
    assert!(seen[3].starts_with("  the server failed\u{fffd}[2J;"), "{seen:#?}");
    assert!(seen[4].contains("ended") && seen[4].ends_with("revoked (request)"), "{seen:#?}");
    assert!(seen[6].contains("2h 00m lifetime"), "{seen:#?}");
    let wide = |line: &String| line.chars().count() > SIZE.columns || line.contains('\u{1b}');
    assert!(!seen.iter().any(wide), "{seen:#?}");

    let later = lines(&mut picture, SIZE, now + ENDED_STAYS);
    assert!(!later.iter().any(|line| line.starts_with('d')), "{later:#?}");
}

#[test]
fn it_fits_into_any_terminal() {
    let (mut picture, now) = (Picture::default(), Instant::now());
    for n in 0..9 {
        picture.news(pending(&format!("p{n}")), now);
        picture.news(session(&format!("s{n}"), SessionState::Active), now);
    }
    for rows in 0..40 {
        for columns in [0, 1, 7, 40, 200] {
            let seen = lines(&mut picture, Size { columns, rows }, now);
            assert!(seen.len() <= rows, "{rows}: {seen:#?}");
            assert!(seen.iter().all(|line| line.chars().count() <= columns), "{seen:#?}");
        }
    }
    let seen = lines(&mut picture, SIZE, now);
    assert_eq!(seen.len(), 11, "a row and its error stay together: {seen:#?}");
    assert_eq!(seen[10], "and 14 more: see securid-ctl list");
    assert_eq!(lines(&mut picture, Size { rows: 29, ..SIZE }, now).len(), 29);
}

#[test]
fn what_a_daemon_told_that_has_gone_does_not_count() {
    let (mut picture, now) = (Picture::default(), Instant::now());
    picture.news(session("a", SessionState::Active), now);
    picture.gone(now);
    let seen = lines(&mut picture, SIZE, now + Duration::from_secs(3));
    assert_eq!(seen, ["The daemon has gone; waiting for the next one (3s). q ends."]);
    picture.news(session("b", SessionState::Active), now);
    assert!(lines(&mut picture, SIZE, now)[0].starts_with("Sessions: 1 active."));

    picture.news(News::Missed { ends: 7 }, now);
    picture.news(session("c", SessionState::Active), now);
    let seen = lines(&mut picture, SIZE, now);
    assert!(seen[2].starts_with("c ") && seen.len() == 3, "{seen:#?}");
}
