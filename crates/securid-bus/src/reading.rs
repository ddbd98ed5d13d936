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
    let form = || Error::Form(format!("{before}a{{sv}}"));
    let mut said = message.iter_init();
    for letter in before.chars() {
        if *said.signature() != *letter.to_string() || !said.next() {
            return Err(form());
        }
    }
    if said.arg_type() == ArgType::Invalid || said.signature() != "a{sv}" {
        return Err(form());
    }
    let table: Dict<'_, &str, Any<'_>, _> = said.get().ok_or_else(form)?;
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
