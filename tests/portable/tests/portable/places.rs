//! Config, records and endpoint are where the contract's table of files says.

use std::path::PathBuf;
use std::process::Command;

use securid_portable_tests::system::places;
use securid_portable_tests::{House, PATIENCE, code, json_of, run};
use serde_json::Value;

fn paths(value: &Value) -> Vec<PathBuf> {
    value.as_array().unwrap().iter().map(|path| path.as_str().unwrap().into()).collect()
}

#[test]
fn of_a_user_who_says_nothing() {
    let house = House::build("");
    let mut command = Command::new(house.ctl_command().get_program());
    house.furnish(&mut command);
    command.args(["paths", "--json"]);
    let told = run(command, "", PATIENCE);
    assert_eq!(code(&told), 0, "{told:?}");
    let (told, wanted) = (json_of(&told), places(house.folder()));
    assert_eq!(paths(&told["config"]), wanted.config);
    assert_eq!(PathBuf::from(told["state_dir"].as_str().unwrap()), wanted.state_dir);
    assert_eq!(paths(&told["sockets"])[0], wanted.endpoint);
}

#[test]
fn of_one_who_says_where() {
    let house = House::build("");
    let told = json_of(&house.ctl(&["paths", "--json"]));
    assert_eq!(paths(&told["config"]).last(), Some(&house.config()));
    assert_eq!(PathBuf::from(told["state_dir"].as_str().unwrap()), house.state_dir());
    assert_eq!(paths(&told["sockets"])[0], house.endpoint());
}
