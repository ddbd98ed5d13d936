//! `history`: its forms, what is said of what is missing, and that half a list is never taken for the whole.

use std::io::Read as _;

use securid_ipc::messages::*;
use serde_json::{Value, json};

use crate::fake::{Home, session, well};

fn item(number: usize, outcome: Outcome) -> HistoryItem {
    HistoryItem {
        id: format!("{number:016x}"),
        generation: Some(number as u64),
        instance: "prod".into(),
        url: "https://h".into(),
        username: Some("=cmd|' /C calc'!A0, \"x\"".into()),
        keyring: None,
        created_at: "2020-01-01T00:00:00Z".into(),
        requested_at: Some("2020-01-01T12:00:00Z".into()),
        ended_at: "2020-01-02T00:00:00Z".into(),
        reason: Some(Reason::Lifetime),
        outcome,
        attempts: 2,
        evidence: Some("200 type=logoutUser".into()),
    }
}

/// So many pages of two, the last of which has these gaps. The second cannot be had if `breaks`.
fn pages(count: usize, gaps: &HistoryView, breaks: bool) -> Home {
    let gaps = gaps.clone();
    Home::answering(move |call| {
        let Call::History(params) = call else { panic!("{call:?}") };
        let page: usize = params.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        if breaks && page == 1 {
            return Some(Err(RpcError::new(ErrorCode::StorageFailed, "cannot read it")));
        }
        let sessions = [2 * page, 2 * page + 1].map(|n| item(n, Outcome::Revoked)).into();
        let view = match page + 1 {
            next if next < count => HistoryView {
                sessions,
                cursor: Some(next.to_string()),
                damaged: 1,
                ..HistoryView::default()
            },
            _ => HistoryView { sessions, ..gaps.clone() },
        };
        Some(Ok(Reply::History(view)))
    })
}

#[test]
fn each_form_has_all_of_all_pages() {
    let home = pages(3, &HistoryView::default(), false);
    let table = home.run(["history"]);
    assert_eq!(table.code, Some(0), "{}", table.err);
    assert_eq!(table.out.matches("OUTCOME").count(), 1);
    let ids: Vec<String> = (0..6).map(|n| format!("{n:016x}")).collect();
    let seen: Vec<_> = table.out.lines().skip(1).map(|line| &line[..16]).collect();
    assert_eq!(seen, ids);
    assert!(table.err.contains("2 lines of the history cannot be read"), "{}", table.err);

    let json: Value = serde_json::from_str(&home.run(["history", "--json"]).out).unwrap();
    let sessions = json["sessions"].as_array().unwrap();
    let seen: Vec<_> = sessions.iter().map(|session| session["id"].as_str().unwrap()).collect();
    assert_eq!(seen, ids);
    assert_eq!(json["damaged"], 2);
    assert_eq!((&json["set_aside"], &json["kept_since"]), (&json!(null), &json!(null)));
    assert!(json.get("open").is_none(), "{json}");

    let csv = home.run(["history", "--csv"]);
    let lines: Vec<_> = csv.out.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 7, "{}", csv.out);
    assert_eq!(
        lines[0],
        r#""id","generation","instance","url","username","keyring","created_at","requested_at","ended_at","reason","outcome","attempts","evidence""#
    );
    assert_eq!(
        lines[6],
        r#""0000000000000005","5","prod","https://h","'=cmd|' /C calc'!A0, ""x""","","2020-01-01T00:00:00Z","2020-01-01T12:00:00Z","2020-01-02T00:00:00Z","lifetime","revoked","2","200 type=logoutUser""#
    );
    assert!(csv.err.contains("2 lines"), "{}", csv.err);
}

#[test]
fn an_empty_history_is_told_in_each_form() {
    let home = Home::replying(Reply::History(HistoryView::default()));
    assert_eq!(home.run(["history"]).out, "no ended sessions\n");
    assert_eq!(
        serde_json::from_str::<Value>(&home.run(["history", "--json"]).out).unwrap(),
        json!({"sessions": [], "damaged": 0, "set_aside": null, "kept_since": null})
    );
    assert_eq!(home.run(["history", "--csv"]).out.lines().count(), 1, "the headings");
}

#[test]
fn half_a_list_is_not_taken_for_the_whole() {
    let home = pages(3, &HistoryView::default(), true);
    for (form, end) in
        [("--csv", "\"THIS LIST IS NOT WHOLE"), ("--no-json", "THIS LIST IS NOT WHOLE\n")]
    {
        let ran = home.run(["history"].into_iter().chain((form != "--no-json").then_some(form)));
        assert_eq!(ran.code, Some(74), "{}", ran.err);
        assert!(ran.out.contains("0000000000000001") && ran.out.ends_with(end), "{}", ran.out);
        assert!(ran.err.contains("cannot read it"), "{}", ran.err);
    }
    let ran = home.run(["history", "--json"]);
    assert_eq!(ran.code, Some(74), "{}", ran.err);
    assert!(serde_json::from_str::<Value>(&ran.out).is_err(), "{}", ran.out);
    assert_eq!(ran.json_error().0, "storage-failed");

    // Where nothing was printed, nothing is.
    let failed = || Some(Err(RpcError::new(ErrorCode::StorageFailed, "cannot read it")));
    let home = Home::answering(move |_| failed());
    assert_eq!(home.run(["history", "--csv"]).out, "");

    // Pages that do not end.
    let endless = HistoryView { cursor: Some("x".into()), ..HistoryView::default() };
    let home = Home::replying(Reply::History(endless));
    let ran = home.run(["history", "--json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(serde_json::from_str::<Value>(&ran.out).is_err(), "{}", ran.out);
}

/// As `securid-ctl history | head -1`.
#[test]
fn a_reader_who_has_enough_is_told_nothing() {
    let home = pages(100_000, &HistoryView::default(), false);
    for form in ["--json", "--csv"] {
        let mut child = home.ctl(["history", form]).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0]).unwrap();
        drop(out);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
    }
}

#[test]
fn what_nobody_can_vouch_for_is_in_the_exit_status() {
    let forgotten = || vec![item(1, Outcome::Forgotten)];
    let sessions = |states: &[SessionState]| -> Vec<_> {
        states.iter().map(|state| session(state.clone())).collect()
    };
    let (revoking, lost) = (SessionState::Revoking, SessionState::Lost);
    let well = HistoryView::default;
    let kept = |time: &str| HistoryView { kept_since: Some(time.into()), ..well() };
    for (list, view, exit, told) in [
        (vec![], well(), 0, ""),
        (sessions(&[SessionState::Active]), well(), 0, ""),
        (
            sessions(&[revoking.clone(), SessionState::Active]),
            well(),
            75,
            "1 more under revocation",
        ),
        (sessions(&[revoking.clone(), lost]), well(), 1, "1 more lost"),
        (vec![], HistoryView { sessions: forgotten(), ..well() }, 1, ""),
        (sessions(&[revoking]), HistoryView { sessions: forgotten(), ..well() }, 1, "1 more"),
        (vec![], HistoryView { damaged: 3, ..well() }, 1, "3 lines"),
        (vec![], HistoryView { set_aside: Some("/aside".into()), ..well() }, 1, "/aside"),
        (vec![], kept("2026-09-30T23:59:59Z"), 0, ""),
        (vec![], kept("2026-10-01T00:00:01Z"), 1, "goes back to 2026-10-01T00:00:01Z"),
    ] {
        let (view, all) = (view.clone(), list.clone());
        let home = Home::answering(move |call| match call {
            Call::List(_) => {
                Some(Ok(Reply::List(ListView { sessions: all.clone(), cursor: None })))
            }
            Call::History(params) if params.unconfirmed => Some(Ok(Reply::History(view.clone()))),
            other => panic!("{other:?}"),
        });
        for form in [None, Some("--csv"), Some("--json")] {
            let words = ["history", "--unconfirmed", "--since", "2026-10-01"];
            let ran = home.run(words.into_iter().chain(form));
            assert_eq!(ran.code, Some(exit), "{list:?} {form:?} {}", ran.err);
            if form == Some("--json") {
                assert_eq!(ran.err, "");
                let told: Value = serde_json::from_str(&ran.out).unwrap();
                let open = list.iter().filter(|one| one.state != SessionState::Active).count();
                assert_eq!(told["open"].as_array().unwrap().len(), open);
            } else {
                assert_eq!(ran.err.is_empty(), told.is_empty(), "{}", ran.err);
                assert!(ran.err.contains(told), "{}", ran.err);
            }
        }
    }
}

/// What is open counts for the time and the instance that is asked for.
#[test]
fn what_was_asked_to_end_later_or_elsewhere_is_another_reports() {
    let mut pending = session(SessionState::Revoking);
    pending.revocation = Some(RevocationView {
        reason: Reason::Idle,
        since: "2026-08-01T00:00:00Z".into(),
        attempts: 3,
        last_error: None,
        next_attempt_at: None,
        durable: true,
    });
    let home = Home::answering(move |call| {
        Some(Ok(match call {
            Call::List(_) => {
                Reply::List(ListView { sessions: vec![pending.clone()], cursor: None })
            }
            Call::Status => {
                let mut status = well();
                status.instances[0].name = "other".into();
                Reply::Status(status)
            }
            _ => Reply::History(HistoryView::default()),
        }))
    });
    for (words, exit) in [
        (vec![], 75),
        (vec!["--instance", "prod"], 75),
        (vec!["--instance", "other"], 0),
        (vec!["--until", "2026-08-01T00:00:01Z"], 75),
        (vec!["--until", "2026-08-01"], 0),
        // It was not confirmed then, and it is not now.
        (vec!["--since", "2026-09-01"], 75),
    ] {
        let ran = home.run(["history", "--unconfirmed"].into_iter().chain(words.clone()));
        assert_eq!(ran.code, Some(exit), "{words:?}: {}", ran.err);
        assert_eq!(ran.out, "nothing has ended without the server's word\n");
    }
}

#[test]
fn wrong_times_and_two_forms_are_usage() {
    let home = Home::answering(|call| panic!("{call:?}"));
    for (words, told) in [
        (vec!["--since", "2026-10-01", "--until", "2026-07-01"], "is not after --since"),
        (vec!["--since", "2026-10-01", "--until", "2026-10-01"], "is not after --since"),
        (vec!["--since", "2026-10-01T00:00:00"], "add Z for UTC"),
        (vec!["--until", "2026-09-31"], "write 2026-11-22T12:00:00Z"),
        (vec!["--csv", "--json"], "two forms"),
    ] {
        let ran = home.run(["history"].into_iter().chain(words.clone()));
        assert_eq!(ran.code, Some(2), "{words:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{words:?}: {}", ran.err);
        assert_eq!(ran.out, "");
    }
    assert!(!home.was_called());
}

/// Else a misspelt name would prove that all is well.
#[test]
fn an_instance_that_nobody_knows_is_an_error() {
    let home = Home::answering(move |call| {
        Some(Ok(match call {
            Call::List(_) => Reply::List(ListView::default()),
            Call::Status => Reply::Status(well()),
            // Its second page has one of an instance that was removed from the config.
            Call::History(params) => Reply::History(match &params.cursor {
                None if params.limit == Some(1) => {
                    HistoryView { cursor: Some("2".into()), ..HistoryView::default() }
                }
                Some(_) if params.instance.as_deref() == Some("removed") => HistoryView {
                    sessions: vec![item(1, Outcome::Revoked)],
                    ..HistoryView::default()
                },
                _ => HistoryView::default(),
            }),
            other => panic!("{other:?}"),
        }))
    });
    for (name, exit) in [("prod", 0), ("removed", 0), ("prdo", 78)] {
        let ran = home.run(["history", "--unconfirmed", "--json", "--instance", name]);
        assert_eq!(ran.code, Some(exit), "{name}: {}", ran.err);
        assert_eq!(ran.out.is_empty(), exit != 0, "{name}: {}", ran.out);
    }
}
