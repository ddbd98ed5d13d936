//! The packager: brings it to the desktops of a company with a package and the company's config in another, keeps
//! everybody's sessions over an upgrade, and takes it away again.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use securid_tests::{Machine, PASSWORD, Packages, Plan, USER, eventually, is_installed};

use super::steps::{id, json, other, root, user};

/// Whose desktops they are; each with a manager and a keyring of his own.
const EVERYBODY: [&str; 3] = [USER, "ann", "bob"];

const COMPANY: &str = r#"
[instances.prod]
url = "URL"
username = "alice"
ca_file = "/etc/securid/ca.pem"
[enforced]
idle_timeout = "10m"
[enforced.revocation]
shutdown_grace = "5s"
"#;

/// A package that has the company's config and nothing else.
const CONTROL: &str = "\
Package: company-securid
Version: VERSION
Architecture: all
Maintainer: The company <it@example.com>
Depends: securid-sessiond
Description: The company's config of securid-sessiond
";

#[test]
fn the_packager() {
    if !["cargo-deb", "strip", "dpkg-deb"].into_iter().all(is_installed) {
        return;
    }
    let Some(machine) = Machine::boot(Plan { keyring: "secret-service", ..Plan::default() }) else {
        return;
    };
    let gone = "rm -r /usr/bin/securid-* /usr/lib/systemd/*/securid-* /etc/systemd/*/securid-*";
    machine.root_ok(&format!("{gone} /home/{USER}/.config && systemctl daemon-reload"));
    let packages = Packages::pack();
    put(&machine, &packages.first);
    put(&machine, &packages.second);
    what_shells_and_readers_find(&machine);

    the_pipeline(&machine);
    the_rollout(&machine);
    let sessions = the_people(&machine);
    the_upgrade(&machine, &sessions);
    the_other_rule(&machine);
    the_removal(&machine);
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

/// Each shell's completions, each manual page as Debian has them, and what the README shows.
fn what_shells_and_readers_find(machine: &Machine) {
    let packed = machine.root_ok("dpkg-deb -c /root/1.0-1.deb");
    let mut wanted = vec![
        "bash-completion/completions/securid-ctl".to_owned(),
        "zsh/vendor-completions/_securid-ctl".to_owned(),
        "fish/vendor_completions.d/securid-ctl.fish".to_owned(),
        "doc/securid-sessiond/docs/life.svg".to_owned(),
        "doc/securid-sessiond/docs/protocol.schema.json".to_owned(),
        "doc/securid-sessiond/docs/performance/ratios.svg".to_owned(),
        "doc/securid-sessiond/docs/windows.md".to_owned(),
        "doc/securid-sessiond/docs/macos.md".to_owned(),
        "doc/securid-sessiond/docs/examples/securid.py".to_owned(),
    ];
    let pages = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/man")).unwrap();
    wanted.extend(pages.map(|page| {
        let name = page.unwrap().file_name().into_string().unwrap();
        let (_, section) = name.rsplit_once('.').unwrap();
        format!("man/man{section}/{name}.gz")
    }));
    for file in wanted {
        let path = format!(" ./usr/share/{file}");
        assert!(packed.lines().any(|line| line.ends_with(&path)), "{file}: {packed}");
    }
}

/// Where the packages are made: a config that is bad does not get out of there.
fn the_pipeline(machine: &Machine) {
    root(machine, "dpkg -i /root/1.0-1.deb", 0, &[]);
    let place = "/root/company/etc/securid/config.d/50-company.toml";
    let company = COMPANY.replace("URL", machine.simulator.url());
    machine.write(place, &company.replace("[enforced]", "[enforce]"));
    // A key of a newer version is no error, and a slip is told in the same words: the pipeline wants none at all.
    root(
        machine,
        &format!("test -z \"$(securid-sessiond --check-config {place} 2>&1 >/dev/null)\""),
        1,
        &[],
    );
    root(
        machine,
        &format!("securid-sessiond --check-config {place}"),
        0,
        &["WARN", ":6: enforce: "],
    );
    machine.write(place, &company.replace("\"10m\"", "10"));
    root(
        machine,
        &format!("securid-sessiond --check-config {place}"),
        78,
        &["50-company.toml:7: enforced.idle_timeout"],
    );
    for (version, config) in [("1", &company), ("2", &company.replace("10m", "5m"))] {
        machine.write(place, config);
        let check = format!("securid-sessiond --check-config {place}");
        root(machine, &check, 0, &["the config is good"]);
        machine.write("/root/company/DEBIAN/control", &CONTROL.replace("VERSION", version));
        let pack =
            format!("cd /root && dpkg-deb --root-owner-group -b company company-{version}.deb");
        root(machine, &pack, 0, &[]);
    }
    root(machine, "dpkg -r securid-sessiond && rm -r /root/company", 0, &[]);
}

fn the_rollout(machine: &Machine) {
    root(machine, "dpkg -i /root/1.0-1.deb /root/company-1.deb", 0, &[]);
    root(machine, "securid-sessiond --check-config", 0, &["the config is good"]);
    root(machine, "securid-ctl setup --global", 0, &["users have it from their next login on"]);
    // He was logged in already.
    user(machine, "securid-ctl status", 69, &["Start it with securid-ctl start"]);
    user(machine, "securid-ctl start", 0, &[]);
    for name in &EVERYBODY[1..] {
        root(machine, &format!("useradd -m {name} && loginctl enable-linger {name}"), 0, &[]);
    }
    for name in EVERYBODY {
        let bus = machine.root_ok(&format!("echo /run/user/$(id -u {name})/bus"));
        eventually("a bus", || machine.path(bus.trim()).exists().then_some(()));
    }
}

/// Nobody has written a line of config.
fn the_people(machine: &Machine) -> Vec<String> {
    EVERYBODY
        .iter()
        .map(|name| {
            let login =
                format!("printf %s \"{PASSWORD}\" | securid-ctl login --password-stdin --json");
            let session = other(machine, name, &login, 0, &["secret-service"]);
            other(machine, name, "securid-ctl config show", 0, &["50-company.toml:7, enforced"]);
            id(&session)
        })
        .collect()
}

fn the_upgrade(machine: &Machine, sessions: &[String]) {
    let daemons = || machine.root_ok("pgrep -x securid-session");
    let before = daemons();
    let alive = || machine.simulator.truth().alive().join(" ");
    let tokens = alive();
    let said = root(machine, "dpkg -i /root/1.0-2.deb", 0, &[]);
    assert!(!said.contains("could not"), "{said}");
    assert_eq!((daemons().lines().count(), alive()), (3, tokens));
    assert!(before.lines().all(|pid| daemons().lines().all(|new| new != pid)));
    for (name, session) in EVERYBODY.iter().zip(sessions) {
        let list = json(&other(machine, name, "securid-ctl list --json", 0, &[]));
        let [only] = &list["sessions"].as_array().unwrap()[..] else { panic!("{list}") };
        assert_eq!((&only["id"], &only["state"]), (&session.as_str().into(), &"active".into()));
    }
}

/// It counts for the sessions that there are.
fn the_other_rule(machine: &Machine) {
    root(machine, "dpkg -i /root/company-2.deb && pkill -HUP -x securid-session", 0, &[]);
    for name in EVERYBODY {
        eventually("his sessions to be bound by it", || {
            let list = json(&other(machine, name, "securid-ctl list --json", 0, &[]));
            let time = |key: &str| list["sessions"][0][key].as_str()?.parse::<Timestamp>().ok();
            let idle = time("idle_deadline")?.duration_since(time("last_used_at")?);
            (idle.as_mins() <= 5).then_some(())
        });
    }
}

fn the_removal(machine: &Machine) {
    let said = root(machine, "dpkg -r company-securid securid-sessiond", 0, &[]);
    assert!(!said.contains("WARNING"), "{said}");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    root(machine, "pgrep -x securid-session", 1, &[]);
    root(machine, "dpkg -P company-securid securid-sessiond", 0, &[]);
    root(
        machine,
        "ls /usr/bin/securid-* /usr/lib/systemd/*/securid-* /etc/systemd/*/*.wants/securid-*",
        2,
        &[],
    );
    for name in EVERYBODY {
        // What became of his sessions stays his.
        let history = format!("/home/{name}/.local/state/securid/history.jsonl");
        root(machine, &format!("grep -c '\"outcome\":\"revoked\"' {history}"), 0, &["1"]);
    }
}

fn put(machine: &Machine, package: &Path) {
    let name = package.file_name().unwrap().to_string_lossy();
    fs::copy(package, machine.path(&format!("/root/{name}"))).unwrap();
}
