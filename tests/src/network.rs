//! A network of one's own: a laptop, on which the daemon runs, and a site behind a link, on which the server
//! is. What leads there can be taken away and given back.
//!
//! Both are network namespaces, joined by a pair of virtual links; nothing of them is seen from outside. The
//! laptop has files of its own as well, so that its names can be told apart from the machine's.

use std::fs::{self, File};
use std::net::Ipv6Addr;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use securid_simulator::{NAME, Options, Simulator};

use crate::house::House;
use crate::machine::Machine;
use crate::patience::{PATIENCE, is_installed, is_root, skipped};
use crate::process::{Process, run, told};

/// The addresses of the site (those of RFC 5737 and RFC 3849, which are nobody's).
pub const SITE: [&str; 2] = ["203.0.113.7", "2001:db8:7::7"];

/// Addresses at which nobody answers: what is sent there is lost at the site.
pub const DEAD: [&str; 2] = ["203.0.113.66", "2001:db8:7::66"];

/// What leads to all of them.
const ROUTES: [&str; 2] = ["203.0.113.0/24 via 198.51.100.2", "2001:db8:7::/64 via 2001:db8:1::2"];

/// A network. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Network {
    /// The process whose namespaces are the laptop.
    laptop: u32,
    /// That process, unless it is a machine's.
    place: Option<Process>,
    site: Process,
}

impl Network {
    /// A network with the link up and no route to the site yet. None, and said so, if there can be none here.
    ///
    /// # Panics
    /// If it cannot be built.
    #[must_use]
    pub fn lay() -> Option<Self> {
        if !is_root() {
            skipped("only root can lay a network");
            return None;
        }
        if !["ip", "unshare", "nsenter"].into_iter().all(is_installed) {
            return None;
        }
        let place = place();
        let mut network = Self::before(place.pid());
        network.run("mount --make-rprivate /");
        network.place = Some(place);
        Some(network)
    }

    /// The same for a machine, which is the laptop then, over all its boots.
    ///
    /// # Panics
    /// If it cannot be built.
    #[must_use]
    pub fn of(machine: &Machine) -> Self {
        Self::before(machine.ground())
    }

    fn before(laptop: u32) -> Self {
        let network = Self { laptop, place: None, site: place() };
        // What is not of the site is lost there, as at a firewall that says nothing.
        let site = "ip link set lo up
            for address in 203.0.113.7/32 2001:db8:7::7/128; do ip addr add $address dev lo; done
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            ip route add blackhole 203.0.113.66/32
            ip route add blackhole 2001:db8:7::66/128";
        run_in(network.site.pid(), site);
        // Addresses that the kernel makes by itself would be changes, at a moment of its own.
        network.run(&format!(
            "sysctl -qw net.ipv6.conf.default.addr_gen_mode=1 net.ipv6.conf.default.accept_dad=0
            ip link set lo up
            ip link add vpn type veth peer name laptop netns {}",
            network.site.pid()
        ));
        run_in(
            network.site.pid(),
            "ip addr add 198.51.100.2/24 dev laptop
            ip addr add 2001:db8:1::2/64 dev laptop nodad
            ip link set laptop up",
        );
        network.link(true);
        network
    }

    /// Runs a shell script on the laptop.
    ///
    /// # Panics
    /// If it fails.
    pub fn run(&self, script: &str) {
        run_in(self.laptop, script);
    }

    /// Plugs the link in, with its addresses, or pulls it out. (The kernel tells that it is up a moment later
    /// than it is.)
    pub fn link(&self, up: bool) {
        self.run(if up {
            "ip addr replace 198.51.100.1/24 dev vpn
            ip addr replace 2001:db8:1::1/64 dev vpn nodad
            ip link set vpn up
            for _ in $(seq 200); do
                ! ip link show vpn | grep -q 'state UP' || exit 0
                sleep 0.02
            done
            exit 1"
        } else {
            "ip link set vpn down"
        });
    }

    /// Gives the laptop the routes to the site, or takes them away.
    pub fn route(&self, there: bool) {
        for route in ROUTES {
            self.run(&format!("ip route {} {route}", if there { "replace" } else { "del" }));
        }
    }

    /// The laptop takes these addresses for the server's at the site, in this order.
    pub fn resolve(&self, house: &House, addresses: &[&str]) {
        let hosts: String = addresses.iter().map(|at| format!("{at} {NAME}\n")).collect();
        let hosts = format!("127.0.0.1 localhost\n{hosts}");
        fs::write(house.path("hosts"), hosts).expect("the folder is ours");
    }

    /// Puts another server, at the site, in the place of the house's own. The laptop knows its name.
    ///
    /// # Panics
    /// If it does not start.
    pub fn move_server(&self, house: &mut House) {
        let simulator = self.start_server();
        let named = simulator.url().replace("localhost", NAME);
        house.change_config(house.simulator.url(), &named);
        fs::write(house.path("ca.pem"), simulator.ca_pem()).expect("the folder is ours");
        house.simulator = simulator;
        self.resolve(house, &SITE);
        self.run(&format!("mount --bind {} /etc/hosts", house.path("hosts").display()));
    }

    /// A server at the site.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_server(&self) -> Simulator {
        let network = File::open(format!("/proc/{}/ns/net", self.site.pid())).expect("it has one");
        let simulator = thread::spawn(move || {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            let address = Ipv6Addr::UNSPECIFIED.into();
            Simulator::start(Options { address, ..Options::default() })
        });
        simulator.join().expect("it does not panic").expect("there is a network")
    }

    /// The same command, run on the laptop.
    #[must_use]
    pub fn on_laptop(&self, command: &Command) -> Command {
        let mut inside = enter(self.laptop);
        inside.arg(command.get_program()).args(command.get_args()).env_clear();
        inside.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        inside
    }
}

/// A namespace of files and network, as long as the process lives.
fn place() -> Process {
    let mut command = Command::new("unshare");
    command.args(["-m", "-n", "--propagation", "private", "sh", "-c", "echo; exec sleep 3600"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut place = Process::start(command);
    place.await_word();
    place
}

fn enter(place: u32) -> Command {
    let mut command = Command::new("nsenter");
    command.arg("-t").arg(place.to_string()).args(["-m", "-n", "--"]);
    command
}

fn run_in(place: u32, script: &str) {
    let mut command = enter(place);
    command.args(["sh", "-ec", script]);
    let output = run(command, "", PATIENCE);
    assert!(output.status.success(), "{script}: {}", told(&output));
}
