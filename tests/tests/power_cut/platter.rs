//! What a power cut leaves of a disk.
//!
//! The model is a journaling file system at its worst. What was synced is there. Of what was not:
//!
//! - bytes added to a file may be there, missing, cut short anywhere, or there in length and zero;
//! - of the changes to a folder's names (made, renamed, removed) any may be there and any not, though
//!   those that are keep their order: a rename in one folder is one change, a rename between two is one
//!   in each. A name may thus be there and its bytes not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use serde_json::Value;

/// What was found below the root: files with their bytes, and folders (`None`).
pub(crate) type Image = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// What becomes of that which was not synced.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// All of it is gone.
    Nothing,
    /// The names are there, the bytes are not.
    NamesAlone,
    /// All of it is there.
    Everything,
    /// Anything, as the dice fall.
    Chance(Rng),
}

/// The disk: what is on the platter, and what is not there yet.
#[derive(Debug, Clone)]
pub(crate) struct Platter {
    folders: BTreeMap<PathBuf, Folder>,
    files: Vec<File>,
}

#[derive(Debug, Clone, Default)]
struct Folder {
    /// As processes see it.
    names: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    /// Its place in `files`.
    File(usize),
    Folder,
}

/// Of a folder's names.
#[derive(Debug, Clone)]
struct Change {
    gone: Option<PathBuf>,
    there: Option<(PathBuf, Node)>,
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Data>,
}

#[derive(Debug, Clone)]
enum Data {
    Added(Vec<u8>),
    CutTo(usize),
}

impl Platter {
    /// An empty disk; `root` is a folder that outlives everything.
    pub(crate) fn new(root: &Path) -> Self {
        let folders = BTreeMap::from([(root.to_owned(), Folder::default())]);
        Self { folders, files: Vec::new() }
    }

    /// Does what a line of a trace says; lines without an operation do nothing.
    ///
    /// # Panics
    /// If that cannot have been: the trace has a hole.
    pub(crate) fn apply(&mut self, line: &Value) {
        let path = |key: &str| PathBuf::from(line[key].as_str().expect("it has a path"));
        match line["op"].as_str() {
            None => {}
            Some("make-folder") => {
                self.folders.insert(path("path"), Folder::default());
                self.change(None, Some((path("path"), Node::Folder)));
            }
            Some("create") => {
                self.files.push(File::default());
                self.change(None, Some((path("path"), Node::File(self.files.len() - 1))));
            }
            Some("append") => {
                let bytes = line["bytes"].as_array().expect("it has bytes").iter();
                let bytes = bytes.map(|b| u8::try_from(b.as_u64().unwrap()).unwrap()).collect();
                self.file(&path("path")).pending.push(Data::Added(bytes));
            }
            Some("cut") => {
                let len = usize::try_from(line["len"].as_u64().unwrap()).unwrap();
                self.file(&path("path")).pending.push(Data::CutTo(len));
            }
            Some("sync") => {
                let file = self.file(&path("path"));
                file.durable = file.left(&mut Fate::Everything);
                file.pending.clear();
            }
            Some("rename") => {
                let node = Node::File(self.inode(&path("from")));
                self.change(Some(path("from")), Some((path("to"), node)));
            }
            Some("remove") => self.change(Some(path("path")), None),
            Some("sync-folder") => {
                // Those above the root are not ours.
                if let Some(folder) = self.folders.get_mut(&path("path")) {
                    folder.durable = folder.names.clone();
                    folder.pending.clear();
                }
            }
            Some(other) => panic!("what is {other}?"),
        }
    }

    /// What is found after a power cut.
    pub(crate) fn left(&self, fate: &mut Fate) -> Image {
        let mut image = Image::new();
        // A folder comes before what is in it.
        for (path, folder) in &self.folders {
            let is_root = path.parent().is_none_or(|above| !self.folders.contains_key(above));
            if !is_root && image.get(path) != Some(&None) {
                continue;
            }
            for (name, node) in folder.left(fate) {
                let found = match node {
                    Node::Folder => None,
                    Node::File(inode) => Some(self.files[inode].left(fate)),
                };
                image.insert(name, found);
            }
        }
        image
    }

    fn change(&mut self, gone: Option<PathBuf>, there: Option<(PathBuf, Node)>) {
        let above = |path: &PathBuf| path.parent().expect("it is in a folder").to_owned();
        let (from, to) = (gone.as_ref().map(above), there.as_ref().map(|(path, _)| above(path)));
        if from == to {
            self.folder(from).change(Change { gone, there });
        } else {
            if there.is_some() {
                self.folder(to).change(Change { gone: None, there });
            }
            if gone.is_some() {
                self.folder(from).change(Change { gone, there: None });
            }
        }
    }

    fn folder(&mut self, path: Option<PathBuf>) -> &mut Folder {
        let path = path.expect("there is one");
        self.folders.get_mut(&path).unwrap_or_else(|| panic!("nobody made {}", path.display()))
    }

    fn inode(&mut self, path: &Path) -> usize {
        let folder = self.folder(path.parent().map(Path::to_owned));
        match folder.names.get(path) {
            Some(Node::File(inode)) => *inode,
            _ => panic!("nobody made {}", path.display()),
        }
    }

    fn file(&mut self, path: &Path) -> &mut File {
        let inode = self.inode(path);
        &mut self.files[inode]
    }
}

impl Folder {
    fn change(&mut self, change: Change) {
        change.carry_out(&mut self.names);
        self.pending.push(change);
    }

    fn left(&self, fate: &mut Fate) -> BTreeMap<PathBuf, Node> {
        let mut names = self.durable.clone();
        for change in &self.pending {
            let there = match fate {
                Fate::Nothing => false,
                Fate::NamesAlone | Fate::Everything => true,
                Fate::Chance(dice) => dice.bool(),
            };
            if there {
                change.carry_out(&mut names);
            }
        }
        names
    }
}

impl Change {
    fn carry_out(&self, names: &mut BTreeMap<PathBuf, Node>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((name, node)) = self.there.clone() {
            names.insert(name, node);
        }
    }
}

impl File {
    fn left(&self, fate: &mut Fate) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for data in &self.pending {
            let whole = match fate {
                Fate::Nothing | Fate::NamesAlone => false,
                Fate::Everything => true,
                Fate::Chance(dice) => dice.bool(),
            };
            match (data, &mut *fate) {
                (Data::CutTo(len), _) if whole => bytes.truncate(*len),
                (Data::Added(added), _) if whole => bytes.extend(added),
                (Data::Added(added), Fate::Chance(dice)) => {
                    let reached = dice.usize(..=added.len());
                    bytes.extend(&added[..reached]);
                    if dice.bool() {
                        // The length was on the platter before the bytes.
                        bytes.resize(bytes.len() + added.len() - reached, 0);
                    }
                    return bytes;
                }
                // What comes after what is missing is missing, too.
                _ => return bytes,
            }
        }
        bytes
    }
}
