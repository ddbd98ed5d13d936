//! What the daemon's sandbox really bars: a unit's directive that does nothing says so nowhere.
//!
//! The probe is the daemon's own unit with another program in it. All that it tries works outside,
//! for the same user: so each of it can fail.

use std::path::Path;
use std::process::Command;

use securid_tests::process::run;
use securid_tests::{Machine, PATIENCE, Plan, USER, is_installed};

/// What is barred, and the attempt at it as a shell script.
const BARRED: [(&str, &str); 13] = [
    ("writing to the home", "touch $HOME/x"),
    ("writing to the folder of the config", "touch $HOME/.config/securid/x"),
    ("writing beside the records", "touch $HOME/.local/state/x"),
    ("writing to the runtime folder", "touch $XDG_RUNTIME_DIR/x"),
    ("seeing what others have in /tmp", "cat /tmp/of-others"),
    ("seeing devices", "test -e /dev/a-disk"),
    ("writing to control groups", "mkdir $GROUP/x && rmdir $GROUP/x"),
    ("sockets of other families", "/usr/bin/other-socket"),
    ("tracing others", "strace -o /dev/null true"),
    ("namespaces of its own", "unshare -U true"),
    ("another personality", "setarch -R true"),
    ("files that run as their owner", "touch $STATE/x && chmod u+s $STATE/x"),
    ("memory to write and to run", "/usr/bin/write-and-run"),
];

/// What only the system's manager can bar: another may not mount a `/proc`.
const BARRED_TO_SYSTEM_UNITS: (&str, &str) =
    ("seeing the processes of others", "test -e /proc/1/comm");

/// What the daemon needs.
const ALLOWED: [(&str, &str); 5] = [
    ("writing to the state folder", "touch $STATE/x"),
    ("reading the config", "cat $HOME/.config/securid/config.toml"),
    ("sockets of the internet", "exec 3<>/dev/tcp/127.0.0.1/$PORT"),
    ("hearing of the network", "/usr/bin/hear-network"),
    ("reaching the bus", "busctl --user list"),
];

/// Maps a page that may be written and run, which takes the place of no program there is.
const WRITE_AND_RUN: &str = "\
#include <sys/mman.h>
int main(void) {
    int all = PROT_READ | PROT_WRITE | PROT_EXEC;
    return mmap(0, 4096, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
";

/// Makes a socket of any family that the daemon has no use for. Which of them a kernel has differs.
const OTHER_SOCKET: &str = "\
#include <sys/socket.h>
int main(void) {
    int families[] = {AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_CAN, AF_TIPC, AF_APPLETALK};
    for (int i = 0; i < 6; i++)
        for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++)
            if (socket(families[i], type, 0) >= 0) return 0;
    return 1;
}
";

/// Asks to be told of changes of the network. (`ip` gives up capabilities first, which is barred for itself.)
const HEAR_NETWORK: &str = "\
#include <sys/socket.h>
#include <linux/netlink.h>
int main(void) {
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 0x551};
    int news = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    return news < 0 || bind(news, (struct sockaddr *)&to, sizeof to) != 0;
}
";

#[test]
fn of_the_user_unit() {
    let Some(machine) = furnished() else { return };
    let state = format!("/home/{USER}/.local/state/securid");
    put_probe(&machine, "user/securid-sessiond.service", "user/probe.service");
    let inside = probe(&machine, &state, || {
        machine.user_ok("systemctl --user daemon-reload && systemctl --user start probe.service");
    });
    let outside = probe(&machine, &state, || {
        machine.user_ok(&format!("{} bash /etc/probe", environment(&machine, &state)));
    });
    judge(&inside, &outside, &[BARRED_TO_SYSTEM_UNITS.0]);
}

#[test]
fn of_the_system_unit() {
    let Some(machine) = furnished() else { return };
    let state = format!("/var/lib/securid/{}", machine.uid());
    put_probe(&machine, "system/securid-sessiond@.service", "system/probe@.service");
    let inside = probe(&machine, &state, || {
        let uid = machine.uid();
        machine.root_ok(&format!("systemctl daemon-reload && systemctl start probe@{uid}.service"));
    });
    let outside = probe(&machine, &state, || {
        machine.user_ok(&format!("{} bash /etc/probe", environment(&machine, &state)));
    });
    judge(&inside, &outside, &[]);
}

/// systemd warns of some directives that it cannot carry out, and starts the service without them.
#[test]
fn nothing_is_ignored_aloud() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.open_desktop();
    let token = machine.add();
    machine.close_desktop();
    machine.eventually_dead(&token);
    machine.user_ok("systemctl --user stop securid-sessiond.socket securid-sessiond.service");
    machine.root_ok(&format!("systemctl start securid-sessiond@{}.service", machine.uid()));
    let journal = machine.root_ok("journalctl -q --no-pager");
    let ours = journal.lines().filter(|line| line.contains("securid"));
    let ignored: Vec<&str> = ours.filter(|line| line.contains("ignoring")).collect();
    assert!(ignored.is_empty(), "{ignored:#?}");
}

#[test]
fn the_daemon_has_no_privileges() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    let pid = machine.daemon().expect("it runs");
    let status = machine.root_ok(&format!("cat /proc/{pid}/status"));
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    };
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(of(set), "0000000000000000", "{set}");
    }
    assert_eq!((of("NoNewPrivs").as_str(), of("Seccomp").as_str()), ("1", "2"));
    let limits = machine.root_ok(&format!("cat /proc/{pid}/limits"));
    let core = limits.lines().find(|line| line.starts_with("Max core")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"]);
    // The filter lets it lock its memory for secrets, and close the rest to its user's other programs.
    let locked = machine.root_ok(&format!("grep -c '^VmFlags:.* lo .*dd' /proc/{pid}/smaps"));
    assert_eq!(locked.trim(), "1");
    assert_eq!(machine.root_ok(&format!("stat -c %U /proc/{pid}/environ")).trim(), "root");
}

/// Some kernels give users no namespaces. The units fail there, which is told, and with the drop-in for that
/// they work.
#[test]
fn where_users_may_have_no_namespaces() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    let manager = format!("user@{}.service", machine.uid());
    machine.write(
        "/etc/systemd/system/user@.service.d/none.conf",
        "[Service]\nRestrictNamespaces=yes\n",
    );
    machine.root_ok(&format!("systemctl daemon-reload && systemctl restart {manager}"));
    machine.await_user();
    let refused = machine.user("securid-ctl start");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(69), "{told}");
    assert!(told.contains("no user namespaces"), "{told}");
    let refused = machine.user("securid-ctl setup");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("no user namespaces"), "{told}");

    let drop_in = include_str!("../../../systemd/without-namespaces.conf");
    machine.drop_in("securid-sessiond.service", drop_in);
    machine.drop_in("securid-logout.service", drop_in);
    machine.user_ok("systemctl --user reset-failed");
    machine.user_ok("securid-ctl start");
    let token = machine.add();
    machine.user_ok("systemctl --user start securid-logout.service");
    machine.user_ok("systemctl --user stop securid-logout.service");
    machine.eventually_dead(&token);
    assert_eq!(machine.ctl("history")["sessions"][0]["reason"], "request");
}

fn furnished() -> Option<Machine> {
    if !["cc", "strace"].into_iter().all(is_installed) {
        return None;
    }
    let machine = Machine::boot(Plan::default())?;
    for (name, source) in [
        ("write-and-run", WRITE_AND_RUN),
        ("other-socket", OTHER_SOCKET),
        ("hear-network", HEAR_NETWORK),
    ] {
        let program = machine.path(&format!("/usr/bin/{name}"));
        let mut compiler = Command::new("cc");
        compiler.args(["-x", "c", "-o"]).arg(&program).arg("-");
        assert!(run(compiler, source, PATIENCE).status.success(), "a C compiler");
    }
    machine.write("/tmp/of-others", "");
    machine.user_ok("mkdir -p ~/.local/state");
    machine.root_ok("mknod -m 666 /dev/a-disk b 1 0");
    let mut script = String::new();
    for (what, attempt) in all() {
        script +=
            &format!("if ({attempt}) >/dev/null 2>&1; then echo '{what}'; fi >>$STATE/done\n");
    }
    machine.write("/etc/probe", &script);
    Some(machine)
}

/// The daemon's unit, which runs the probe to its end instead.
fn put_probe(machine: &Machine, unit: &str, probe: &str) {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd");
    let text = std::fs::read_to_string(units.join(unit)).unwrap();
    let state = if unit.starts_with("user") { "%h/.local/state/securid" } else { "%S/securid/%i" };
    let run = format!("ExecStart=/usr/bin/env {} bash /etc/probe", environment(machine, state));
    let text = text
        .replace("ExecStart=/usr/bin/securid-sessiond", &run)
        .replace("Type=notify", "Type=oneshot")
        .replace("Restart=on-failure", "")
        .lines()
        .filter(|line| !line.starts_with("Requires=") && !line.starts_with("LoadCredential"))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(text.contains("/etc/probe") && text.contains("oneshot"), "{text}");
    machine.write(&format!("/etc/systemd/{probe}"), &text);
}

/// What the attempts need to know.
fn environment(machine: &Machine, state: &str) -> String {
    let uid = machine.uid();
    let url = machine.simulator.url();
    let port = url.rsplit(':').next().and_then(|end| end.split('/').next()).unwrap();
    let group = format!("/sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/app.slice");
    format!("STATE={state} PORT={port} GROUP={group} XDG_RUNTIME_DIR=/run/user/{uid}")
}

/// What it succeeded in.
fn probe(machine: &Machine, state: &str, run: impl Fn()) -> Vec<String> {
    run();
    let done = format!("{state}/done");
    let lines = machine.root_ok(&format!("cat {done}; rm -f {done} {state}/x"));
    lines.lines().map(str::to_owned).collect()
}

/// All that is tried, in this order.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    BARRED.into_iter().chain([BARRED_TO_SYSTEM_UNITS]).chain(ALLOWED)
}

fn judge(inside: &[String], outside: &[String], not_barred: &[&str]) {
    let names: Vec<&str> = all().map(|(what, _)| what).collect();
    assert_eq!(outside, names, "not all works outside");
    let allowed = ALLOWED.iter().map(|(what, _)| *what);
    let allowed: Vec<&str> = not_barred.iter().copied().chain(allowed).collect();
    assert_eq!(inside, allowed);
}
