//! Why a submission is refused: a code, the field, and what to do about it; never the value, which may be a person's.

use crate::string_type::codes;

codes! {
    /// What is wrong with a submission.
    RejectionCode {
        /// A value that is not in the list of its field.
        UnknownCode = "unknown_code",
        /// A required field is absent.
        MissingField = "missing_field",
        /// A field that this kind does not have.
        UnknownField = "unknown_field",
        /// The same key twice in one object.
        DuplicateKey = "duplicate_key",
        /// Not a civil date or an instant with its zone.
        BadDate = "bad_date",
        /// An end that does not lie after its beginning.
        BadSpan = "bad_span",
        /// An identifier that cannot be one (CIN, NPI, UUID, plan code).
        BadIdentifier = "bad_identifier",
        /// A reference to an event that this member does not have.
        UnknownEvent = "unknown_event",
        /// Something that happened later than now.
        FutureDate = "future_date",
        /// An event id that already names another event.
        IdReused = "id_reused",
        /// Not JSON, or a value of the wrong JSON type, or text no event may hold.
        Malformed = "malformed",
        /// Deeper, longer or more than the ledger accepts.
        TooLarge = "too_large",
        /// An event that only the ledger itself may write.
        NotSubmittable = "not_submittable",
    }
}

/// A refusal: which field (a path such as `data.from`), the code, and a sentence that never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{field}: {detail}")]
pub struct Rejection {
    /// What is wrong.
    pub code: RejectionCode,
    /// Where: a dotted path in the submission; empty for the submission itself.
    pub field: String,
    /// What is expected, in words.
    pub detail: String,
}

impl Rejection {
    /// A refusal of `field`.
    pub fn new(code: RejectionCode, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, field: field.into(), detail: detail.into() }
    }

    /// The same refusal, seen from one level further out.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.field = match (prefix.is_empty(), self.field.is_empty()) {
            (true, _) => self.field,
            (false, true) => prefix.to_owned(),
            (false, false) => format!("{prefix}.{}", self.field),
        };
        self
    }

    /// Turns a deserializer's message into a refusal that repeats no input.
    ///
    /// serde's messages quote the offending value, which may be a name or a CIN, so only what was *expected* is kept.
    pub(crate) fn from_serde(path: &str, message: &str) -> Self {
        let message = message.split(" at line ").next().unwrap_or(message);
        let path = path.trim_start_matches('.');
        // The path of an unknown field already ends with it, the path of a missing one with the object around it.
        let at = |name: &str| match path {
            "" | "." => name.to_owned(),
            path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
            path => format!("{path}.{name}"),
        };
        if let Some(name) = quoted(message, "missing field `") {
            return Self::new(RejectionCode::MissingField, at(name), "is required");
        }
        if let Some(name) = quoted(message, "unknown field `") {
            return Self::new(RejectionCode::UnknownField, at(name), "is not a field of this kind");
        }
        let expected = message.split_once("expected ").map_or("another value", |(_, rest)| rest);
        if message.starts_with("unknown variant") {
            return Self::new(RejectionCode::UnknownCode, path, format!("expected {expected}"));
        }
        if let Some((code, detail)) = message.split_once(": ")
            && let Ok(code) = code.parse::<RejectionCode>()
        {
            return Self::new(code, path, detail);
        }
        Self::new(RejectionCode::Malformed, path, format!("expected {expected}"))
    }
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message.strip_prefix(before)?.split('`').next()
}

/// A text that is not in a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a code of {expected}")]
pub struct NotACode {
    /// The list's name.
    pub expected: &'static str,
}

/// An end that does not lie after its beginning.
pub(crate) fn bad_span(field: &str) -> Rejection {
    Rejection::new(RejectionCode::BadSpan, field, "is the first day no longer covered and lies after the beginning")
}
