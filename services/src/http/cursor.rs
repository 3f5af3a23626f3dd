//! Where a page ended, as an opaque text. Later pages are pinned to the position of the first, so that a reader who pages
//! while others write sees one state of the ledger and no row twice.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollbook_events::Position;
use rollbook_projections::Cell;
use serde::{Deserialize, Serialize};

/// Characters a cursor may have; ours have some two hundred.
const LONGEST: usize = 2_048;

/// Where the last page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The value that rows are sorted by before their key.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    order: Option<i64>,
    /// The last row's key.
    #[serde(rename = "k")]
    key: String,
    /// The position of the first page.
    #[serde(rename = "p")]
    pub position: Position,
    /// Which question the page answers.
    #[serde(rename = "q")]
    question: String,
}

/// Not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `next` of an answer, unchanged")]
pub struct BadCursor;

impl Cursor {
    /// The cursor after a row.
    pub fn after(order: Option<&Cell>, key: &str, position: Position, question: &str) -> Self {
        let order = order.and_then(|cell| if let Cell::Integer(number) = cell { Some(*number) } else { None });
        Self { order, key: key.to_owned(), position, question: question.to_owned() }
    }

    /// Whether it came from an answer to this question.
    pub fn answers(&self, question: &str) -> bool {
        self.question == question
    }

    /// What the store goes on after.
    pub fn place(self) -> (Option<Cell>, String) {
        (self.order.map(Cell::Integer), self.key)
    }

    /// As a caller is given it.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        if text.len() > LONGEST {
            return Err(BadCursor);
        }
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let cursor: Self = serde_json::from_slice(&json).map_err(|_| BadCursor)?;
        // PostgreSQL takes no NUL and no position past 2^63, and would say so in words of its own.
        let storable = !cursor.key.contains('\0') && i64::try_from(cursor.position.0).is_ok();
        if storable { Ok(cursor) } else { Err(BadCursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_knows_its_question() {
        let cursor = Cursor::after(Some(&Cell::Integer(7)), "a|ecm|1", Position(42), "q1");
        let read: Cursor = cursor.encode().parse().unwrap();
        assert_eq!(read, cursor);
        assert!(read.answers("q1") && !read.answers("q2"));
        assert_eq!(read.place(), (Some(Cell::Integer(7)), "a|ecm|1".to_owned()));
    }

    #[test]
    fn what_is_none_is_refused() {
        let encoded = |json: &str| URL_SAFE_NO_PAD.encode(json);
        for text in [
            "",
            "x",
            "!!",
            &encoded("{}"),
            &encoded(r#"{"k":"a\u0000","p":1,"q":""}"#),
            &encoded(r#"{"k":"a","p":9223372036854775808,"q":""}"#),
            &encoded(r#"{"k":"a","p":1,"q":"","x":1}"#),
            &"A".repeat(LONGEST + 1),
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(BadCursor), "{text}");
        }
    }
}
