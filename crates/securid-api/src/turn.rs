//! Which exchange on its connection one is, and the form of reply that it asks for.

use crate::Format;

/// The place of an exchange among those of one connection.
///
/// HTTP/1.1 does not say which request an answer belongs to. On a connection that is used again, one that
/// is sent twice would be read as the answer to the next request, and confirm the death of a token that the
/// server has never been told of. So the two forms of a reply take turns, as the bit does of the alternating
/// bit protocol: whatever is sent twice comes in the wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn(usize);

impl Turn {
    /// The first exchange of a connection.
    pub(crate) const FIRST: Self = Self(0);

    /// The one after it.
    pub(crate) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The form that is asked for, if the first exchange asks for `first`.
    pub(crate) fn format(self, first: Format) -> Format {
        match first {
            _ if self.0.is_multiple_of(2) => first,
            Format::Json => Format::Properties,
            Format::Properties => Format::Json,
        }
    }
}
