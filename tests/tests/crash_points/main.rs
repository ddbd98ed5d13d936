//! A daemon that dies at any point between two effects, and again while it recovers, forgets
//! nothing; nor does one that is killed while the server carries its request out.
//!
//! - `cell`: one death, or two, and what follows
//! - `matrix`: all of them, or a sample
//! - `points`: the points in the source
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cell;
mod matrix;
mod points;

use std::collections::BTreeSet;

use matrix::{Extent, Matrix};
use securid_tests::lives::{self, Life};

#[test]
fn every_point_of_the_source_is_passed_by_some_life() {
    let mut lives = matrix::traced(lives::ALL, "test");
    lives.extend(matrix::traced(&some(&["logout"]), "sealed-file"));
    let mut passed: BTreeSet<String> =
        lives.iter().flat_map(|(_, passes)| passes).map(|pass| pass.point.clone()).collect();
    passed.extend(points::of_making_a_key());
    let named = points::of_the_source();
    let missed: Vec<_> = named.difference(&passed).collect();
    assert!(missed.is_empty(), "no life passes {missed:?}");
    let unnamed: Vec<_> = passed.difference(&named).collect();
    assert!(unnamed.is_empty(), "the source does not seem to name {unnamed:?}");
}

#[test]
fn every_point_stands_in_the_documentation() {
    let listed = points::of_the_documentation();
    let named = points::of_the_source();
    assert_eq!(listed, named, "docs/reliability.md, \"Crash points\"");
}

#[test]
fn nothing_is_forgotten_wherever_it_dies() {
    Matrix::new(lives::ALL, "test", Extent::wanted()).play();
}

#[test]
fn nor_with_the_kernels_keyring() {
    if !securid_tests::patience::is_installed("keyctl") {
        return;
    }
    Matrix::new(&some(&["logout", "restart"]), "keyutils", Extent::Confirmed).play();
}

#[test]
fn nor_with_a_sealed_file() {
    let lives = some(&["login", "logout", "restart", "half-added", "orphan"]);
    Matrix::new(&lives, "sealed-file", Extent::Confirmed).play();
}

fn some(names: &[&str]) -> Vec<Life> {
    lives::ALL.iter().copied().filter(|life| names.contains(&life.name)).collect()
}
