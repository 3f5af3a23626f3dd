//! Where a page ended, as a sealed text. Later pages are pinned to the position of the first, so that a reader who pages
//! while others write sees one state of the ledger and no row twice.
//!
//! A row's key is made of what the row is made of, of which its reader may not see all; and a place that a caller could make
//! up could feel for rows. So a cursor is encrypted, and opens for the question and the scope alone that it was given for.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use rollbook_events::Position;
use rollbook_projections::Cell;
use serde::{Deserialize, Serialize};

use crate::ledger_key::LedgerKey;

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
}

/// Not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `next` of an answer, unchanged")]
pub struct BadCursor;

/// A cursor as a caller sends it, still sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl FromStr for Sealed {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        if text.len() > LONGEST {
            return Err(BadCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        if bytes.len() < NONCE_LEN + AES_256_GCM.tag_len() { Err(BadCursor) } else { Ok(Self(bytes)) }
    }
}

impl Cursor {
    /// The cursor after a row.
    pub fn after(order: Option<&Cell>, key: &str, position: Position) -> Self {
        let order = order.and_then(|cell| if let Cell::Integer(number) = cell { Some(*number) } else { None });
        Self { order, key: key.to_owned(), position }
    }

    /// What the store goes on after.
    pub fn place(self) -> (Option<Cell>, String) {
        (self.order.map(Cell::Integer), self.key)
    }
}

/// What seals cursors: keys that are made of the ledger's, so that every program over one ledger opens the others'.
pub struct Seal {
    /// None where the library does not take the key, which has the length that it asks for.
    key: Option<LessSafeKey>,
    nonces: hmac::Key,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Seal {
    /// The seal of a ledger.
    pub fn of(key: &LedgerKey) -> Self {
        let sealing = UnboundKey::new(&AES_256_GCM, &key.derived("cursor")).ok().map(LessSafeKey::new);
        Self { key: sealing, nonces: hmac::Key::new(hmac::HMAC_SHA256, &key.derived("cursor nonce")) }
    }

    /// A cursor as a caller is given it, for one question in one scope. The same cursor is always the same text, for an answer
    /// with the same tag is the same bytes: the nonce is made of what is sealed.
    pub fn close(&self, cursor: &Cursor, bound_to: &str) -> Option<String> {
        let mut text = serde_json::to_vec(cursor).ok()?;
        let made_of = hmac::sign(&self.nonces, &[bound_to.as_bytes(), b"\0", &text].concat());
        let nonce: [u8; NONCE_LEN] = made_of.as_ref().get(..NONCE_LEN)?.try_into().ok()?;
        let aad = Aad::from(bound_to.as_bytes());
        self.key.as_ref()?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text).ok()?;
        Some(URL_SAFE_NO_PAD.encode([&nonce[..], &text].concat()))
    }

    /// The cursor, where it was given for this question in this scope.
    pub fn open(&self, sealed: &Sealed, bound_to: &str) -> Option<Cursor> {
        let (nonce, text) = sealed.0.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let text = self.key.as_ref()?.open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut text).ok()?;
        serde_json::from_slice(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(byte: u8) -> Seal {
        Seal::of(&LedgerKey::new([byte; 32]))
    }

    #[test]
    fn it_opens_for_its_question_scope_and_ledger_alone() {
        let cursor = Cursor::after(Some(&Cell::Integer(7)), "a|ecm|1", Position(42));
        let text = seal(1).close(&cursor, "q1 s1").unwrap();
        assert_eq!(seal(1).close(&cursor, "q1 s1").unwrap(), text, "the same answer is the same bytes");
        assert!(
            !text.contains("ecm") && !String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(&text).unwrap()).contains("ecm")
        );
        let sealed: Sealed = text.parse().unwrap();
        assert_eq!(seal(1).open(&sealed, "q1 s1"), Some(cursor.clone()));
        assert_eq!(cursor.place(), (Some(Cell::Integer(7)), "a|ecm|1".to_owned()));
        for (byte, bound_to) in [(1, "q2 s1"), (1, "q1 s2"), (2, "q1 s1")] {
            assert_eq!(seal(byte).open(&sealed, bound_to), None);
        }
        let mut forged = sealed.clone();
        forged.0[20] ^= 1;
        assert_eq!(seal(1).open(&forged, "q1 s1"), None);
    }

    #[test]
    fn what_is_none_is_refused() {
        let short = URL_SAFE_NO_PAD.encode([0; 27]);
        for text in ["", "x", "!!", &short, &"A".repeat(LONGEST + 1)] {
            assert_eq!(text.parse::<Sealed>(), Err(BadCursor), "{text}");
        }
    }
}
