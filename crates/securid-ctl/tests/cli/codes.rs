//! The names of errors in `--json`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use securid_ipc::messages::ErrorCode;

/// Programs go by the codes of errors.
#[test]
fn every_code_of_an_error_is_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let page = fs::read_to_string(root.join("docs/contract.md")).unwrap();
    let (_, list) = page.split_once("The codes of `securid-ctl` itself:").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let listed: BTreeSet<_> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();

    let mut used = BTreeSet::from(["usage".to_owned()]);
    for file in sources_of(&root.join("crates/securid-ctl/src")) {
        let text: String = fs::read_to_string(file).unwrap().split_whitespace().collect();
        let begins = ["Failure::new(\"", "Self::new(\""];
        let codes = begins.iter().flat_map(|begin| text.split(begin).skip(1));
        used.extend(codes.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    // What the connection itself meets with.
    for file in ["client/error.rs", "endpoint/connect_error.rs"] {
        let errors = fs::read_to_string(root.join("crates/securid-ipc/src").join(file)).unwrap();
        for names in errors.split("fn name(&self)").skip(1) {
            let names = names.split("\n    }").next().unwrap();
            used.extend(names.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    let of_the_daemon: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    used.retain(|code| !of_the_daemon.contains(&&**code));
    assert_eq!(listed, used);
}

fn sources_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources_of(&path) } else { vec![path] }).collect()
}
