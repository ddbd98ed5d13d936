//! The two forms that the server gives its replies in.

/// The form of reply that is asked for. Whatever is asked for, both are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// A JSON object.
    #[default]
    Json,
    /// `key=value` lines: the server's own default.
    Properties,
}

impl Format {
    /// The name in the `format` parameter, and in a config.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Properties => "properties",
        }
    }

    /// The format of that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Json, Self::Properties].into_iter().find(|format| format.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for format in [Format::Json, Format::Properties] {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
        assert_eq!(Format::from_name("JSON"), None);
        assert_eq!(Format::from_name(""), None);
    }
}
