//! What a message says, if it is of the form that was agreed.
//!
//! libdbus has checked that a message is one; of which form is looked at here, as a whole and before
//! anything is read. The readers of the crate `dbus` go by one value at a time: a list whose elements are of
//! another type is for them an empty one, and "nothing found" may never be a misunderstanding.

use std::collections::HashMap;

use dbus::Message;
use dbus::arg::{Arg, ArgType, Dict, Get, Iter, ReadAll, Variant};

use crate::error::Error;

/// A value of any type, still in its message.
pub type Any<'a> = Variant<Iter<'a>>;

/// What can be read as a whole: a tuple of values.
pub trait Tuple: ReadAll + Arg {}
impl<T: ReadAll + Arg> Tuple for T {}

/// A value that holds nothing of the message that it was read from.
pub trait Value: Arg + for<'a> Get<'a> {}
impl<T: Arg + for<'a> Get<'a>> Value for T {}

/// Everything that a message says.
///
/// # Errors
/// [`Error::Form`].
pub fn all<T: Tuple>(message: &Message) -> Result<T, Error> {
    let form = T::signature();
    // A tuple is a struct there, which a message's arguments are not.
    let agreed = &form[1..form.len() - 1];
    if signature(message) != agreed {
        return Err(Error::Form(agreed.to_owned()));
    }
    T::read(&mut message.iter_init()).map_err(|_| Error::Form(agreed.to_owned()))
}

/// The one value that a message says, of whatever type it is there.
///
/// # Errors
/// [`Error::Form`].
pub fn property<T: Value>(message: &Message) -> Result<T, Error> {
    let form = || Error::Form(format!("v({})", T::signature()));
    let value = (signature(message) == "v").then(|| message.iter_init().get()).flatten();
    value.and_then(|value: Any<'_>| of(value)).ok_or_else(form)
}

/// The table that stands in a message after `before`, which are types of a letter each.
///
/// # Errors
/// [`Error::Form`].
pub fn table<'a>(message: &'a Message, before: &str) -> Result<HashMap<&'a str, Any<'a>>, Error> {
    let form = format!("{before}a{{sv}}");
    if !signature(message).starts_with(&form) {
        return Err(Error::Form(form));
    }
    let mut said = message.iter_init();
    for _ in before.chars() {
        said.next();
    }
    let table: Dict<'_, &str, Any<'_>, _> = said.get().ok_or(Error::Form(form))?;
    Ok(table.collect())
}

/// A value, if it is of this type.
pub fn of<'a, T: Arg + Get<'a>>(Variant(mut value): Any<'a>) -> Option<T> {
    (value.arg_type() != ArgType::Invalid && value.signature() == T::signature())
        .then(|| value.get())
        .flatten()
}

fn signature(message: &Message) -> String {
    let (mut said, mut signature) = (message.iter_init(), String::new());
    while said.arg_type() != ArgType::Invalid {
        signature.push_str(&said.signature());
        said.next();
    }
    signature
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use dbus::Path;
    use dbus::arg::PropMap;

    use super::*;

    fn message() -> Message {
        Message::new_signal("/", "a.b", "C").unwrap()
    }

    #[test]
    fn what_is_of_the_form_is_read() {
        let paths = vec![Path::from("/a"), Path::from("/b")];
        let said = message().append2(&paths, 7_u32);
        let read: (Vec<Path<'static>>, u32) = all(&said).unwrap();
        assert_eq!(read, (paths, 7));
        assert_eq!(
            all::<(Vec<(u32, bool)>,)>(&message().append1(vec![(1_u32, true)])).unwrap().0,
            [(1, true)]
        );
        assert_eq!(property::<bool>(&message().append1(Variant(true))), Ok(true));
    }

    /// Above all: a list of something else is not an empty list.
    #[test]
    fn what_is_of_another_form_is_an_error_and_nothing_else() {
        type Paths = Vec<Path<'static>>;
        for said in [
            message(),
            message().append1(vec!["/a"]),
            message().append1(Path::from("/a")),
            message().append2(vec![Path::from("/a")], 1_u32),
            message().append1(Variant(vec![Path::from("/a")])),
        ] {
            assert_eq!(all::<(Paths,)>(&said), Err(Error::Form("ao".to_owned())));
        }
        for said in [message(), message().append1(true), message().append1(Variant(vec!["/a"]))] {
            assert_eq!(property::<Paths>(&said), Err(Error::Form("v(ao)".to_owned())));
        }
    }

    #[test]
    fn a_table_is_read_by_its_names() {
        let mut rows = PropMap::new();
        rows.insert("Locked".to_owned(), Variant(Box::new(true)));
        rows.insert("User".to_owned(), Variant(Box::new((7_u32, Path::from("/u")))));
        let said = message().append2("of", rows).append1(vec!["more"]);
        let mut table = table(&said, "s").unwrap();
        assert_eq!(table.remove("Locked").and_then(of::<bool>), Some(true));
        let user = table.remove("User").unwrap();
        assert_eq!(of::<(u32, Path<'_>)>(user), Some((7, Path::from("/u"))));
        for bad in [message(), message().append1("of"), message().append2("of", vec!["more"])] {
            assert!(super::table(&bad, "s").is_err());
        }
    }
}
