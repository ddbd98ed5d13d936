//! Many sessions that come in a burst, on each store. Each is on disk before it is acknowledged: beside it stands what
//! the disk takes for as many small files, each synced with its folder, one after the other.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use securid_tests::{House, SecretService, timed};

use crate::arguments::Arguments;
use crate::findings::{Findings, OURS};
use crate::ours::{AT_ONCE, add, has_room, plan};

const PART: &str = "adding";

/// Whose the disk's own time is.
const DISK: &str = "the disk alone";

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    let sessions = arguments.effort.sessions;
    for store in ["sealed-file", "keyutils", "secret-service"] {
        if !has_room(store, sessions) {
            continue;
        }
        for (how, clients) in [("one after the other", 1), ("32 at once", AT_ONCE)] {
            let Some(house) = house(store) else { continue };
            let (_, took) = timed(|| add(&house, sessions, clients));
            let figure = format!("{store}, {how}");
            found.put_times(PART, &figure, OURS, &[took]);
            found.put_times(PART, &figure, DISK, &[disk(&house.path(""), sessions)]);
        }
    }
}

fn house(store: &'static str) -> Option<House> {
    let mut house = House::build(plan(store));
    if store == "secret-service" {
        let mut secret_service = SecretService::bus(&house.path("home"))?;
        secret_service.start();
        house.secret_service = Some(secret_service);
    }
    house.start();
    Some(house)
}

fn disk(folder: &Path, files: usize) -> Duration {
    let folder = folder.join("files");
    std::fs::create_dir(&folder).expect("the folder is ours");
    let ((), took) = timed(|| {
        for nth in 0..files {
            let mut file = File::create(folder.join(nth.to_string())).expect("the folder is ours");
            // A record's length.
            file.write_all(&[b'x'; 400]).and_then(|()| file.sync_all()).expect("there is room");
            File::open(&folder).and_then(|folder| folder.sync_all()).expect("it can be synced");
        }
    });
    took
}
