//! What a client asked for, as far as it can be understood.

use std::collections::HashMap;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

use crate::reply::Format;
use crate::truth::BodyTruth;

/// No command of the documentation needs more, and a client gone wild fills no memory.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// A request without its body.
pub(crate) struct Call {
    pub(crate) head: Parts,
    parameters: HashMap<String, String>,
}

impl Call {
    pub(crate) fn new(head: Parts) -> Self {
        let query = head.uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { head, parameters }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The command's name, if there is one.
    pub(crate) fn command(&self) -> Option<&str> {
        self.parameter("cmd").filter(|command| !command.is_empty())
    }

    /// The format asked for; `None` if it is none that the server knows.
    pub(crate) fn format(&self) -> Option<Format> {
        match self.parameter("format") {
            None | Some("properties") => Some(Format::Properties),
            Some("json") => Some(Format::Json),
            Some(_) => None,
        }
    }

    /// The token of the `Authorization: Bearer` header.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(AUTHORIZATION)?.split_once(' ')?;
        Some(token.trim()).filter(|t| scheme.eq_ignore_ascii_case("Bearer") && !t.is_empty())
    }

    /// The token of the header, or of the URL as older clients send it.
    pub(crate) fn token(&self) -> Option<&str> {
        self.bearer().or_else(|| self.parameter("token"))
    }

    /// The content type without its parameters, in lower case.
    pub(crate) fn content_type(&self) -> Option<String> {
        let value = self.header(CONTENT_TYPE)?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// Whether the request says how long it is.
    pub(crate) fn has_length(&self) -> bool {
        [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| self.head.headers.contains_key(name))
    }

    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }
}

/// How long a body is, and its SHA-256; `None` if the client went away before its end.
pub(crate) async fn digest_body(mut body: Incoming) -> Option<BodyTruth> {
    let (mut bytes, mut sha256) = (0, Sha256::new());
    while let Some(frame) = body.frame().await {
        let data = frame.ok()?.into_data().unwrap_or_default();
        bytes += data.len() as u64;
        sha256.update(&data);
    }
    let sha256 = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(BodyTruth { bytes, sha256 })
}

/// The whole body; `None` if the client went away before its end, or it is too long.
pub(crate) async fn read_body(body: Incoming) -> Option<Bytes> {
    Some(Limited::new(body, BODY_LIMIT).collect().await.ok()?.to_bytes())
}
