//! What layers come to: `layering` who wins, `enforcing` what nobody wins over, `faults` what people are told.

#![allow(clippy::unwrap_used)]

mod enforcing;
mod faults;
mod layering;

use std::path::Path;

use super::Config;
use super::layer::{Assignment, Layer, Whose};
use super::merge::merge;
use super::said::{Counting, Said};

/// How a path begins that is a whole one.
pub(super) const ROOT: &str = if cfg!(windows) { "C:/" } else { "/" };

/// A whole one.
pub(super) const SOME_FILE: &str = if cfg!(windows) { "C:/some/file" } else { "/some/file" };

const PROD: &str = "[instances.prod]\nurl = \"https://h:8443/aveksa\"\n";

/// Users' files, the later winning.
fn merged(texts: &[&str]) -> Result<Config, Vec<String>> {
    let users = |text: &&str| Layer::of_file(Path::new("/c.toml"), text, Whose::Users);
    of_layers(texts.iter().map(users).collect())
}

fn of_layers(layers: Vec<Layer>) -> Result<Config, Vec<String>> {
    let (mut said, mut faults) = (Said::default(), Vec::new());
    for mut layer in layers {
        faults.append(&mut layer.faults);
        faults.append(&mut layer.unknown);
        said.add(layer, Counting::All);
    }
    let config = merge(&said, &mut faults);
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(faults.iter().map(ToString::to_string).collect())
    }
}

/// What a person reads about this file.
fn complaint(text: &str) -> String {
    merged(&[text]).unwrap_err().join("; ")
}

fn environment(variables: &[(&str, &str)]) -> Layer {
    Layer::of_environment(|name| {
        let of_the_name = variables.iter().find(|(known, _)| *known == name);
        of_the_name.map(|(_, value)| value.into())
    })
}

fn flags(flags: &[&str]) -> Layer {
    let flags: Vec<Assignment> =
        flags.iter().map(|flag| Assignment::from((*flag).to_owned())).collect();
    Layer::of_flags(&flags)
}

fn machines(text: &str) -> Layer {
    Layer::of_file(Path::new("/m.toml"), text, Whose::Machines)
}

fn users(text: &str) -> Layer {
    Layer::of_file(Path::new("/u.toml"), text, Whose::Users)
}
