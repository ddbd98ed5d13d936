//! Who may say what in the config: files of the machine and of the user, variables, flags; what the machine
//! enforces, and what people are shown of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Output;
use std::thread::sleep;
use std::time::Duration;

use securid_tests::stranger::as_user;
use securid_tests::{EtcSecurid, House, Plan, Signal, eventually};
use serde_json::{Value, json};

/// A house whose config is the user's own, in his home, and an empty `/etc/securid`.
fn furnished(plan: Plan) -> Option<(House, EtcSecurid)> {
    let etc = EtcSecurid::new()?;
    let house = House::build(Plan { user: Some(EtcSecurid::USER), ..plan });
    let folder = house.path("home/.config/securid");
    fs::create_dir_all(&folder).unwrap();
    fs::rename(house.config(), folder.join("config.toml")).unwrap();
    for folder in ["home/.config", "home/.config/securid"] {
        chown(house.path(folder), Some(EtcSecurid::USER), None).unwrap();
    }
    Some((house, etc))
}

/// What only the daemon's own user may ask for.
fn ask<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    as_user(EtcSecurid::USER, work)
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

/// What `config show --json` says of a key.
fn shown(house: &House, etc: &EtcSecurid, variables: &[(&str, &str)], key: &str) -> Value {
    let output = etc.ctl(house, &["config", "show", "--json"], variables);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let view: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut rows = view["keys"].as_array().unwrap().iter();
    rows.find(|row| row["key"] == key).unwrap_or_else(|| panic!("no {key}: {view}")).clone()
}

/// From its last use to its end by the idle timeout.
fn seconds_to_idle(session: &Value) -> i64 {
    let at = |time: &str| session[time].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    at("idle_deadline").as_second() - at("last_used_at").as_second()
}

fn log_says(house: &House, text: &str) -> usize {
    house.log().matches(text).count()
}

/// Each thing that a user can do to have his sessions live longer; the server tells what came of it.
#[test]
fn what_the_machine_enforces_no_user_can_loosen() {
    let loose = "idle_timeout = \"1h\"\n";
    let plan = Plan { top: loose.to_owned(), instance: loose.to_owned(), ..Plan::default() };
    let Some((mut house, etc)) = furnished(plan) else { return };
    let user_file = house.path("home/.config/securid/config.toml");
    let alone = house.path("alone.toml");
    fs::copy(&user_file, &alone).unwrap();
    chown(&alone, Some(EtcSecurid::USER), None).unwrap();
    let alone = alone.to_string_lossy().into_owned();
    let flags = ["--set", "idle_timeout=1h", "--set", "instances.prod.idle_timeout=1h"];
    let enforced = "max_lifetime = \"8h\"\n[enforced]\nidle_timeout = \"1s\"\n";

    // Without it every way works, else this would show nothing.
    for (enforced, reason) in [("", None), (enforced, Some("idle"))] {
        etc.write("config.toml", enforced);
        for way in ["file", "environment", "flags", "--config", "SECURID_CONFIG"] {
            let mut command = etc.daemon(&house);
            match way {
                "environment" => drop(command.env("SECURID_IDLE_TIMEOUT", "1h")),
                "flags" => drop(command.args(flags)),
                "--config" => drop(command.args(["--config", &alone])),
                "SECURID_CONFIG" => drop(command.env("SECURID_CONFIG", &alone)),
                _ => {}
            }
            house.start_with(command);
            let (id, token) = ask(|| house.add_one());
            if let Some(reason) = reason {
                assert_eq!(ask(|| house.eventually_ended(&id))["reason"], reason, "{way}");
                assert!(!house.fate(&token).alive, "{way}");
            } else {
                let session = ask(|| house.session(&id)).unwrap();
                assert!(seconds_to_idle(&session) > 3000, "{way}: {session}");
                assert!(house.fate(&token).alive, "{way}");
            }
            assert!(house.terminate().success(), "{way}");
        }
    }
    // Once a start, for the top and for the instance.
    assert_eq!(log_says(&house, "does not count, for /etc/securid/config.toml:3 enforces"), 10);
    assert!(log_says(&house, "idle_timeout: what --set says does not count") > 0);
}

#[test]
fn a_reload_has_another_enforced_value_count() {
    let plan = Plan { instance: "idle_timeout = \"2h\"\n".to_owned(), ..Plan::default() };
    let Some((mut house, etc)) = furnished(plan) else { return };
    etc.write("config.d/50.toml", "[enforced]\nidle_timeout = \"1h\"\n");
    house.start_with(etc.daemon(&house));
    let (id, token) = ask(|| house.add_one());
    etc.write("config.d/60.toml", "[enforced.instances.prod]\nidle_timeout = \"1s\"\n");
    let view = ask(|| house.call("daemon.reload", json!({})));
    assert_eq!(view["limited"], json!([id]));
    assert_eq!(ask(|| house.eventually_ended(&id))["reason"], "idle");
    assert!(!house.fate(&token).alive);

    // One that is bad changes nothing, whoever wrote it.
    etc.write("config.d/60.toml", "[enforced]\nidle_timeout = \"soon\"\n");
    house.signal(Signal::HUP);
    eventually("the log", || (log_says(&house, "was not read anew") == 1).then_some(()));
    assert!(log_says(&house, "/etc/securid/config.d/60.toml:2: enforced.idle_timeout: ") == 1);
    let (id, _) = ask(|| house.add_one());
    sleep(Duration::from_millis(1200));
    assert_eq!(ask(|| house.eventually_ended(&id))["reason"], "idle");
}

#[test]
fn later_layers_win_and_everybody_can_see_which() {
    let Some((house, etc)) = furnished(Plan::default()) else { return };
    let user_file = house.path("home/.config/securid/config.toml");
    let user_text = fs::read_to_string(&user_file).unwrap();
    let key = |variables: &[(&str, &str)]| {
        let row = shown(&house, &etc, variables, "idle_timeout");
        (row["value"].clone(), row["from"].as_str().unwrap().to_owned())
    };
    let is = |value: &str, from: &str| (json!(value), from.to_owned());
    assert_eq!(key(&[]), is("15m", "built-in"));

    etc.write("config.toml", "\nidle_timeout = \"1m\"\n");
    assert_eq!(key(&[]), is("1m", "/etc/securid/config.toml:2"));

    // Byte by byte: digits before letters, great letters before small ones.
    for (name, value) in [("9.toml", 2), ("10.toml", 3), ("Z.toml", 4), ("a.toml", 5)] {
        etc.write(&format!("config.d/{name}"), &format!("idle_timeout = \"{value}m\"\n"));
    }
    for name in [".z.toml", "z.toml~", "z.toml.dpkg-new", "z"] {
        etc.write(&format!("config.d/{name}"), "idle_timeout = \"99m\"\n");
    }
    for (name, value) in [("a.toml", "5m"), ("Z.toml", "4m"), ("9.toml", "2m"), ("10.toml", "3m")] {
        assert_eq!(key(&[]), is(value, &format!("/etc/securid/config.d/{name}:1")));
        fs::remove_file(etc.path(&format!("config.d/{name}"))).unwrap();
    }

    fs::write(&user_file, format!("idle_timeout = \"7m\"\n{user_text}")).unwrap();
    assert_eq!(key(&[]), is("7m", &format!("{}:1", user_file.display())));
    assert_eq!(
        key(&[("SECURID_IDLE_TIMEOUT", "")]),
        is("7m", &format!("{}:1", user_file.display()))
    );
    let from = "SECURID_IDLE_TIMEOUT (environment)";
    assert_eq!(key(&[("SECURID_IDLE_TIMEOUT", "8m")]), is("8m", from));
    let output = etc.run_daemon(&house, &["--show-config", "--set", "idle_timeout=9m"]);
    let view: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = view["keys"].as_array().unwrap().iter().find(|row| row["key"] == "idle_timeout");
    let expected = json!({
        "key": "idle_timeout", "value": "9m", "from": "--set", "enforced": false, "instead_of": null,
    });
    assert_eq!(row, Some(&expected));
}

#[test]
fn calling_an_instance_something_else_frees_its_sessions_of_nothing() {
    let Some((mut house, etc)) = furnished(Plan::default()) else { return };
    house.start_with(etc.daemon(&house));
    let (id, token) = ask(|| house.add_one());
    let user_file = house.path("home/.config/securid/config.toml");
    let text = fs::read_to_string(&user_file).unwrap();
    fs::write(&user_file, text.replace("[instances.prod]", "[instances.other]")).unwrap();
    assert_eq!(ask(|| house.call("daemon.reload", json!({})))["limited"], json!([]));
    etc.write("config.toml", "[enforced]\nidle_timeout = \"1s\"\n");
    assert_eq!(ask(|| house.call("daemon.reload", json!({})))["limited"], json!([id]));
    assert_eq!(ask(|| house.eventually_ended(&id))["reason"], "idle");
    assert!(!house.fate(&token).alive);
}

#[test]
fn config_show_tells_what_is_enforced_and_what_does_not_count_for_it() {
    let plan = Plan { instance: "idle_timeout = \"2h\"\n".to_owned(), ..Plan::default() };
    let Some((house, etc)) = furnished(plan) else { return };
    etc.write("config.toml", "colour = 1\n[enforced]\nidle_timeout = \"5m\"\nnotify = true\n");
    let user_file = house.path("home/.config/securid/config.toml");
    let text = fs::read_to_string(&user_file).unwrap();
    let line = 1 + text.lines().position(|line| line.starts_with("idle_timeout")).unwrap();
    assert_eq!(
        shown(&house, &etc, &[], "instances.prod.idle_timeout"),
        json!({
            "key": "instances.prod.idle_timeout", "value": "5m",
            "from": "/etc/securid/config.toml:3", "enforced": true,
            "instead_of": {"value": "2h", "from": format!("{}:{line}", user_file.display())},
        })
    );
    let output = etc.ctl(&house, &["config", "show"], &[]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |key: &str| {
        let mut rows =
            told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        rows.find(|row| row.split(' ').next() == Some(key)).unwrap_or_else(|| panic!("{told}"))
    };
    assert_eq!(
        row("instances.prod.idle_timeout"),
        format!(
            "instances.prod.idle_timeout 5m /etc/securid/config.toml:3, enforced; not 2h of {}:{line}",
            user_file.display()
        )
    );
    assert_eq!(row("notify"), "notify true /etc/securid/config.toml:4, enforced");
    assert_eq!(row("max_lifetime"), "max_lifetime 8h built-in");
    // What this version does not know is a warning in the machine's file.
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(warned.contains("/etc/securid/config.toml:1: colour: this version"), "{warned}");

    fs::write(&user_file, format!("colour = 1\n{text}")).unwrap();
    let output = etc.ctl(&house, &["config", "show", "--json"], &[("SECURID_NOTIFY", "maybe")]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(78), &b""[..]));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("{}:1: colour: ", user_file.display())), "{message}");
    assert!(message.contains("SECURID_NOTIFY (environment): notify: \"maybe\""), "{message}");
}

/// In whatever way somebody but root could have written them.
#[test]
fn machines_files_that_are_not_roots_alone_are_errors_and_never_skipped() {
    let Some((house, etc)) = furnished(Plan::default()) else { return };
    etc.write("config.toml", "notify = true\n");
    etc.write("config.d/50.toml", "notify = false\n");
    let alone = house.path("home/.config/securid/config.toml").to_string_lossy().into_owned();
    let check = |named: &str, owner: Option<u32>, mode: u32| {
        let path = etc.path(named);
        let usual = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        chown(&path, owner, None).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        for words in [&["--check-config"][..], &[], &["--config", &alone]] {
            let output = etc.run_daemon(&house, words);
            assert_eq!(output.status.code(), Some(78), "{named} {words:?}: {}", said(&output));
            let told = format!("/etc/securid/{named}");
            assert!(
                said(&output).contains(told.trim_end_matches('/')),
                "{words:?}: {}",
                said(&output)
            );
        }
        chown(&path, Some(0), None).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(usual)).unwrap();
    };
    let good = |house: &House| etc.run_daemon(house, &["--check-config"]).status.code() == Some(0);
    assert!(good(&house));
    for owner in [Some(EtcSecurid::USER), Some(54_321)] {
        for (name, mode) in
            [("config.toml", 0o644), ("config.d/50.toml", 0o644), ("config.d", 0o755), ("", 0o755)]
        {
            check(name, owner, mode);
        }
    }
    // A group that root lets write decides as well; but for his own.
    let folder = etc.path("");
    chown(&folder, None, Some(54_321)).unwrap();
    check("", None, 0o775);
    chown(&folder, None, Some(0)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o775)).unwrap();
    assert!(good(&house));
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    for (name, mode) in [
        ("config.toml", 0o664),
        ("config.d/50.toml", 0o646),
        ("config.d", 0o777),
        ("config.d", 0o775),
        ("", 0o757),
    ] {
        check(name, None, mode);
    }
    // Not readable either.
    check("config.d/50.toml", None, 0o600);
    check("config.d", None, 0o700);
    assert!(good(&house));
    // A link is as good as where it leads, and whose it is.
    let link = etc.path("config.d/60.toml");
    std::os::unix::fs::symlink("../config.toml", &link).unwrap();
    assert!(good(&house));
    std::os::unix::fs::lchown(&link, Some(EtcSecurid::USER), None).unwrap();
    let output = etc.run_daemon(&house, &["--check-config"]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    // Where it leads nowhere, nobody is free of what is said there.
    fs::remove_file(&link).unwrap();
    for named in ["config.toml", "config.d/50.toml", "config.d", ""] {
        // Without a slash at the end.
        let path: PathBuf = etc.path(named).components().collect();
        let away = etc.path("").components().collect::<PathBuf>().with_file_name("away");
        fs::rename(&path, &away).unwrap();
        std::os::unix::fs::symlink("/not/mounted", &path).unwrap();
        for words in [&["--check-config"][..], &["--config", &alone]] {
            let output = etc.run_daemon(&house, words);
            assert_eq!(output.status.code(), Some(78), "{named} {words:?}: {}", said(&output));
        }
        fs::remove_file(&path).unwrap();
        fs::rename(&away, &path).unwrap();
    }
    assert!(good(&house));
}

#[test]
fn only_the_machine_enforces_and_an_admin_can_try_it_before() {
    let Some((house, etc)) = furnished(Plan::default()) else { return };
    let user_file = house.path("home/.config/securid/config.toml");
    let text = fs::read_to_string(&user_file).unwrap();
    let draft = house.path("draft.toml");
    let write_draft = |text: &str| {
        fs::write(&draft, text).unwrap();
        chown(&draft, Some(EtcSecurid::USER), None).unwrap();
    };
    let draft = draft.to_str().unwrap();
    let check = |words: &[&str]| {
        let output = etc.run_daemon(&house, words);
        (output.status.code().unwrap(), said(&output))
    };

    // A user's file, or one that is named.
    write_draft(&format!("{text}\n[enforced]\nidle_timeout = \"1m\"\n"));
    let line =
        format!("{draft}:{}: enforced: only the machine's own files", text.lines().count() + 2);
    let (code, told) = check(&["--check-config", "--config", draft]);
    assert!(code == 78 && told.contains(&line), "{told}");
    assert!(told.contains("--check-config FILE"), "{told}");
    fs::copy(draft, &user_file).unwrap();
    let (code, told) = check(&[]);
    assert!(code == 78 && told.contains(": enforced: only the machine's"), "{told}");

    // As a draft of the machine's it is good, whatever the user's own says.
    let (code, told) = check(&["--check-config", draft]);
    assert!(code == 0 && told.contains("the config is good"), "{told}");
    write_draft("colour = 1\n[enforced.instances.prod]\nidle_timeout = \"1m\"\n");
    let (code, told) = check(&["--check-config", draft]);
    assert!(code == 0 && told.contains(&format!("{draft}:1: colour: this version")), "{told}");
    write_draft("[enforced.revocation]\nretry_max = \"never\"\n");
    let (code, told) = check(&["--check-config", draft]);
    assert!(
        code == 78 && told.contains(&format!("{draft}:2: enforced.revocation.retry_max: ")),
        "{told}"
    );
    // It goes with what is there already.
    write_draft("default_instance = \"corp\"\n");
    let (code, told) = check(&["--check-config", draft]);
    assert!(code == 78 && told.contains(&format!("{draft}:1: default_instance: ")), "{told}");
    etc.write("config.d/10.toml", "[instances.corp]\nurl = \"https://corp.example/aveksa\"\n");
    let (code, told) = check(&["--check-config", draft]);
    assert!(code == 0, "{told}");
    let (code, told) = check(&["--check-config", "/no/such/draft.toml"]);
    assert!(code == 78 && told.contains("/no/such/draft.toml: there is no such file"), "{told}");
}

/// `securid-ctl start` hands the variables on, and a bad one is told by its name.
#[test]
fn a_daemon_that_is_started_has_the_variables_of_its_shell() {
    let Some((house, etc)) = furnished(Plan::default()) else { return };
    let bad = etc.ctl(&house, &["start"], &[("SECURID_IDLE_TIMEOUT", "soon")]);
    assert_eq!(bad.status.code(), Some(78), "{}", said(&bad));
    assert!(
        said(&bad).contains("SECURID_IDLE_TIMEOUT (environment): idle_timeout: \"soon\" is not")
    );
    for command in ["start", "restart"] {
        let up = etc.ctl(&house, &[command], &[("SECURID_IDLE_TIMEOUT", "1s")]);
        assert_eq!(up.status.code(), Some(0), "{command}: {}", said(&up));
        let (id, token) = ask(|| house.add_one());
        assert_eq!(ask(|| house.eventually_ended(&id))["reason"], "idle", "{command}");
        assert!(!house.fate(&token).alive);
    }
    let stopped = etc.ctl(&house, &["stop"], &[]);
    assert_eq!(stopped.status.code(), Some(0), "{}", said(&stopped));
}
