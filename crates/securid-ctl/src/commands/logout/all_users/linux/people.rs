//! Who has sessions on this machine, or may have.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::{
    PATH,
    side_by_side::side_by_side,
    sight::{Sight, look},
};
use crate::{
    failure::{FAILED, Failure},
    program,
};

/// A user's state folder, below his home.
const IN_HOME: &str = ".local/state/securid";

/// How many folders are looked at at once: those of a network file system that is down each keep a thread, and
/// thousands that are mounted on being looked at want to be done in time.
const LOOKS_AT_ONCE: usize = 64;

/// The folders of users' managers, and those that system units of ours have by their users' numbers.
const RUNTIME: &str = "/run/user";
const SYSTEM_SOCKETS: &str = "/run/securid";
const SYSTEM_STATES: &str = "/var/lib/securid";

/// Where homes are in which the directory does not list their users, as with a large one on the network.
const HOMES: &str = "/home";

/// `getent`'s exit status where there is no such user.
const NOBODY: i32 = 2;

/// A user, as the directory knows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) home: PathBuf,
}

/// Somebody to be visited.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// None: the directory knows nobody of this number.
    pub(super) account: Option<Account>,
    /// Whether root has seen records of his; whether there is a place of his that root cannot see.
    pub(super) recorded: bool,
    pub(super) unclear: bool,
    /// The homes in which he may have records: not always the one that the directory has now, as after a move.
    pub(super) homes: BTreeSet<PathBuf>,
    /// Whether a socket of his own daemon is there.
    pub(super) socket: bool,
    /// Whether there is a system unit for him; whether there are records of it.
    pub(super) unit: bool,
    pub(super) unit_recorded: bool,
    /// What did not answer in time: folders of his, or the directory.
    pub(super) silent: Vec<String>,
    /// Where something of his was seen.
    pub(super) seen: Vec<PathBuf>,
}

/// Everybody who was found, by number.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) people: BTreeMap<u32, Person>,
    /// What kept others from being found.
    pub(super) troubles: Vec<String>,
}

/// A place to look at.
#[derive(Debug, Clone)]
enum Place {
    /// Whose home it is, the directory says, else the folder does.
    Home(PathBuf, Option<u32>),
    Runtime(PathBuf, u32),
    Unit(PathBuf, u32),
}

/// Looks for everybody, within that time.
pub(super) fn find(within: Duration) -> Found {
    let until = Instant::now() + within;
    let mut found = Found::default();
    // One on the network that is down leaves time for the homes that are here.
    let accounts = accounts(None, within / 2).unwrap_or_else(|failure| {
        found.troubles.push(format!("the directory lists nobody: {}", failure.message()));
        Vec::new()
    });
    let homes = side_by_side(vec![HOMES], 1, Some(until), |homes| subfolders(homes).collect());
    let homes: Vec<PathBuf> = homes.into_iter().flatten().next().unwrap_or_else(|| {
        found.troubles.push(format!("{HOMES} does not answer"));
        Vec::new()
    });
    let places = places(&accounts, homes);
    let sights = side_by_side(places.clone(), LOOKS_AT_ONCE, Some(until), |place| place.look());
    for (place, sight) in places.into_iter().zip(sights) {
        found.note(place, sight);
    }
    for number in subfolders(SYSTEM_SOCKETS).filter_map(|path| number(&path)) {
        found.people.entry(number).or_default().unit = true;
    }
    found.identify(&accounts, within / 2);
    // A folder that a unit has left behind is nobody's business.
    found.people.retain(|_, person| {
        let is_somebodys = person.recorded || person.unclear || !person.silent.is_empty();
        person.account.is_some() || is_somebodys
    });
    found
}

impl Found {
    /// Asks the directory who those are whom it does not list.
    fn identify(&mut self, listed: &[Account], within: Duration) {
        let mut unlisted = Vec::new();
        for (uid, person) in &mut self.people {
            person.account = listed.iter().find(|account| account.uid == *uid).cloned();
            unlisted.extend(person.account.is_none().then_some(*uid));
        }
        let until = Instant::now() + within;
        let asked = side_by_side(unlisted.clone(), LOOKS_AT_ONCE, Some(until), move |uid| {
            let accounts = accounts(Some(uid), within)?;
            Ok::<_, Failure>(accounts.into_iter().find(|account| account.uid == uid))
        });
        for (uid, answer) in unlisted.into_iter().zip(asked) {
            let person = self.people.entry(uid).or_default();
            match answer {
                Some(Ok(account)) => person.account = account,
                _ => person.silent.push("the directory of users".to_owned()),
            }
        }
    }

    fn note(&mut self, place: Place, sight: Option<(u32, Sight)>) {
        let path = place.path().to_owned();
        let Some((uid, sight)) = sight else {
            match place.uid() {
                Some(uid) => {
                    let silent = &mut self.people.entry(uid).or_default().silent;
                    silent.push(path.display().to_string());
                }
                None => self.troubles.push(format!("{} does not answer", path.display())),
            }
            return;
        };
        let (uid, is_recorded) = match sight {
            Sight::Nothing => return,
            // What is in a home may be another's: that one is visited.
            Sight::Folder { owner, recorded } if matches!(place, Place::Home(..)) => {
                (owner, recorded)
            }
            Sight::Folder { recorded, .. } => (uid, recorded),
            Sight::Unclear => (uid, false),
        };
        let person = self.people.entry(uid).or_default();
        person.recorded |= is_recorded;
        person.unclear |= sight == Sight::Unclear;
        match place {
            Place::Home(home, _) => drop(person.homes.insert(home)),
            Place::Runtime(..) => person.socket = true,
            Place::Unit(..) => {
                person.unit = true;
                person.unit_recorded |= is_recorded;
            }
        }
        person.seen.push(path);
    }
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Home(path, _) | Self::Runtime(path, _) | Self::Unit(path, _) => path,
        }
    }

    fn uid(&self) -> Option<u32> {
        match self {
            Self::Home(_, uid) => *uid,
            Self::Runtime(_, uid) | Self::Unit(_, uid) => Some(*uid),
        }
    }

    /// Whose it is, and what is in it.
    fn look(self) -> (u32, Sight) {
        match self {
            Self::Home(path, Some(uid)) => (uid, look(&path, IN_HOME)),
            Self::Home(path, None) => {
                let Ok(about) = path.symlink_metadata() else { return (0, Sight::Nothing) };
                (about.uid(), look(&path, IN_HOME))
            }
            Self::Runtime(path, uid) => (uid, look(&path, "securid")),
            Self::Unit(path, uid) => (uid, look(&path, ".")),
        }
    }
}

fn places(accounts: &[Account], homes: Vec<PathBuf>) -> Vec<Place> {
    let listed: BTreeSet<&Path> = accounts.iter().map(|account| &*account.home).collect();
    let unlisted = homes.into_iter().filter(|home| !listed.contains(&**home));
    let mut places: Vec<_> = unlisted.map(|home| Place::Home(home, None)).collect();
    places.extend(
        accounts.iter().map(|account| Place::Home(account.home.clone(), Some(account.uid))),
    );
    let numbered = |folder| subfolders(folder).filter_map(|path| Some((number(&path)?, path)));
    places.extend(numbered(RUNTIME).map(|(uid, path)| Place::Runtime(path, uid)));
    places.extend(numbered(SYSTEM_STATES).map(|(uid, path)| Place::Unit(path, uid)));
    places
}

fn subfolders(folder: &str) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // Asking what a link leads to could hang.
    entries.filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir())).map(|it| it.path())
}

fn number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.parse().ok()
}

/// Those whom the directory lists, or the one with this number, if there is one.
fn accounts(uid: Option<u32>, within: Duration) -> Result<Vec<Account>, Failure> {
    let mut command = Command::new("getent");
    command.env("PATH", PATH).arg("passwd").args(uid.map(|uid| uid.to_string()));
    let ended = program::run(command, within)?;
    if ended.status.success() || ended.status.code() == Some(NOBODY) {
        return Ok(ended.out.lines().filter_map(account).collect());
    }
    Err(Failure::new("directory", ended.complaint(), FAILED))
}

/// A line of passwd(5).
fn account(line: &str) -> Option<Account> {
    let fields: Vec<_> = line.split(':').collect();
    let [name, _, uid, _, _, home, _] = fields[..] else { return None };
    let home = PathBuf::from(home);
    let uid = uid.parse().ok().filter(|_| !name.is_empty() && home.is_absolute())?;
    Some(Account { name: name.to_owned(), uid, home })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_directory() {
        let line = "ann:x:1001:1001:Ann, \u{e9}cole:/home/ann:/bin/bash";
        let ann = Account { name: "ann".into(), uid: 1001, home: "/home/ann".into() };
        assert_eq!(account(line), Some(ann));
        for odd in [
            "",
            "ann:x:1001",
            ":x:1:1::/:/bin/sh",
            "a:x:1:1:::/bin/sh",
            "ann:x:-1:1::/home/ann:/bin/sh",
        ] {
            assert_eq!(account(odd), None, "{odd}");
        }
    }
}
