//! What the daemon tells is found in the journal by its fields, and a journal that is stopped holds
//! nothing up.

use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{Machine, Plan, eventually, is_installed, timed, within};
use serde_json::Value;

/// How often a token is lent while the journal is stopped: more than its queue has room for (512).
const LENT: usize = 800;

/// What "at once" is on a loaded machine, a program's start included.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A journal that is back is noticed within the longest wait between two tries (30 s).
const NOTICED: Duration = Duration::from_secs(40);

/// A machine on whose journal people see what is theirs: it has to be on disk.
fn boot(top: &str) -> Option<Machine> {
    let plan = Plan { keyring: "sealed-file", top: top.to_owned(), ..Plan::default() };
    let machine = Machine::boot(plan)?;
    machine.write("/etc/systemd/journald.conf.d/disk.conf", "[Journal]\nStorage=persistent\n");
    machine.root_ok("systemctl restart systemd-journald && journalctl --flush");
    machine.enable_units();
    Some(machine)
}

/// Entries of the user's own journal, as he asks for them.
fn found(machine: &Machine, query: &str) -> Vec<Value> {
    let text = machine.user_ok(&format!("journalctl --user -q --no-pager -o json {query}"));
    text.lines().map(|line| serde_json::from_str(line).expect("an entry is JSON")).collect()
}

#[test]
fn an_end_is_found_by_its_fields() {
    if !is_installed("jq") {
        return;
    }
    let Some(machine) = boot("audit = \"journal\"") else { return };
    let id = machine.login();
    machine.user_ok("securid-ctl logout");
    let query = format!("SECURID_OUTCOME=revoked SECURID_SESSION={id}");
    let entries = eventually("the end, told and audited", || {
        let entries = found(&machine, &query);
        (entries.len() == 2).then_some(entries)
    });
    for entry in &entries {
        assert_eq!(entry["SYSLOG_IDENTIFIER"], "securid-sessiond", "{entry}");
        assert_eq!(entry["PRIORITY"], "6", "{entry}");
        assert_eq!(entry["SECURID_INSTANCE"], "prod", "{entry}");
        assert_eq!(entry["SECURID_REASON"], "request", "{entry}");
        assert_eq!(entry["_SYSTEMD_USER_UNIT"], "securid-sessiond.service", "{entry}");
    }
    let told = entries.iter().find(|entry| entry.get("SECURID_AUDIT").is_none()).expect("a line");
    assert!(told["MESSAGE"].as_str().expect("it is text").starts_with("dead session="), "{told}");

    let roots = format!("journalctl -q -o cat _UID={} SECURID_OUTCOME=revoked", machine.uid());
    assert_eq!(machine.root_ok(&roots).lines().count(), 2);

    // As docs/operations.md asks for a life, and for sessions without an end.
    let audit = |query: &str, filter: &str| {
        machine.user_ok(&format!("journalctl --user -q -o cat {query} | {filter}"))
    };
    let life = format!("SECURID_SESSION={id}");
    let events = audit(&life, "jq -Rr 'fromjson? | .event'");
    assert_eq!(events, "created\nrevocation-asked\nattempt\nconfirmed\n");
    let pending = machine.login();
    machine.simulator.set_fault(Some(Fault::Status(503)));
    let _ = machine.user("securid-ctl logout --no-wait");
    let open = "jq -cR 'fromjson? | select(.session)' | jq -rs 'group_by(.session)[] | last |
        select(.event | IN(\"confirmed\", \"forgotten\", \"dropped\") | not) | .session'";
    assert_eq!(audit("-t securid-sessiond", open), format!("{pending}\n"));
    eventually("a failed attempt", || {
        let failed = audit("SECURID_AUDIT=attempt", "jq -r 'select(.error) | .session'");
        failed.contains(&pending).then_some(())
    });
    machine.simulator.set_fault(None);

    // What the daemon says to whoever starts it stands there too.
    machine.change_config("[revocation]", "surprise = 1\n[revocation]");
    let restarted = machine.user("systemctl --user restart securid-sessiond");
    assert!(!restarted.status.success(), "{restarted:?}");
    eventually("the fault of the config", || {
        let errors = found(&machine, "-p err -t securid-sessiond");
        errors.iter().any(|entry| entry["MESSAGE"].to_string().contains("surprise")).then_some(())
    });
}

#[test]
fn a_journal_that_is_stopped() {
    let Some(machine) = boot("audit = \"journal\"") else { return };
    let id = machine.login();
    machine.root_ok("systemctl kill -s STOP systemd-journald");
    let lend =
        format!("for i in $(seq {LENT}); do securid-ctl token {id} >/dev/null || exit 1; done");
    machine.user_ok(&lend);
    let (_, took) = timed(|| machine.user_ok("securid-ctl logout"));
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    let status = eventually("a word about it", || {
        let status = machine.ctl("status")["problems"].to_string();
        status.contains("cannot be written to the journal").then_some(status)
    });
    assert!(status.contains("lines that wait"), "{status}");

    machine.root_ok("systemctl kill -s CONT systemd-journald");
    within(NOTICED, "all of the audit", || {
        let confirmed = found(&machine, "SECURID_AUDIT=confirmed").len();
        let lent = found(&machine, "SECURID_AUDIT=lent").len();
        assert!(lent <= LENT);
        (confirmed == 1 && lent == LENT).then_some(())
    });
    eventually("a status without problems", || {
        let status = machine.ctl("status")["problems"].to_string();
        (!status.contains("journal")).then_some(())
    });
}
