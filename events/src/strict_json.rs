//! JSON from a caller, read strictly: what two readers could understand differently is refused, with the field.
//!
//! `serde_json` alone takes the last of two equal keys in silence, and keeps NUL characters that PostgreSQL cannot store.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::rejection::{Rejection, RejectionCode};

/// Levels of nesting that a submission may have; ours need three.
pub const DEEPEST: usize = 8;
/// Characters in one string, a rulebook's text being the longest.
pub const LONGEST_TEXT: usize = 200_000;
/// Entries of one object or array.
pub const MOST_ENTRIES: usize = 1_000;
/// Bytes of one event's JSON.
pub const MOST_BYTES: usize = 256 * 1024;

/// Reads one JSON value.
///
/// # Errors
/// `duplicate_key`, `too_large` or `malformed`, with the field's dotted path.
pub fn parse(text: &[u8]) -> Result<Value, Rejection> {
    let malformed = |detail: String| Rejection::new(RejectionCode::Malformed, "", detail);
    if text.len() > MOST_BYTES {
        return Err(Rejection::new(RejectionCode::TooLarge, "", format!("is longer than {MOST_BYTES} bytes")));
    }
    let text = std::str::from_utf8(text)
        .map_err(|error| malformed(format!("is not UTF-8 after byte {}", error.valid_up_to())))?;
    let trail = RefCell::new(Trail::default());
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Strict { trail: &trail, depth: 0 }.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    value.map_err(|error| {
        let trail = trail.into_inner();
        trail.refusal.unwrap_or_else(|| {
            let (line, column) = (error.line(), error.column());
            let what = if error.to_string().contains("surrogate") { "holds a lone surrogate" } else { "is not JSON" };
            Rejection::new(
                RejectionCode::Malformed,
                trail.path.join("."),
                format!("{what}, line {line} column {column}"),
            )
        })
    })
}

#[derive(Default)]
struct Trail {
    path: Vec<String>,
    refusal: Option<Rejection>,
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    trail: &'a RefCell<Trail>,
    depth: usize,
}

impl Strict<'_> {
    /// Remembers the refusal, because serde's error can carry no more than a text.
    fn refuse<E: Error>(&self, code: RejectionCode, detail: String) -> E {
        let mut trail = self.trail.borrow_mut();
        let field = trail.path.join(".");
        trail.refusal.get_or_insert(Rejection::new(code, field, detail));
        E::custom("refused")
    }

    fn deeper<E: Error>(&self) -> Result<Self, E> {
        if self.depth == DEEPEST {
            return Err(self.refuse(RejectionCode::TooLarge, format!("is nested deeper than {DEEPEST} levels")));
        }
        Ok(Self { trail: self.trail, depth: self.depth + 1 })
    }

    fn text<E: Error>(&self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(self.refuse(RejectionCode::Malformed, "holds a NUL character".to_owned()));
        }
        if text.chars().count() > LONGEST_TEXT {
            return Err(self.refuse(RejectionCode::TooLarge, format!("is longer than {LONGEST_TEXT} characters")));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.text(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        loop {
            self.trail.borrow_mut().path.push(values.len().to_string());
            let Some(value) = seq.next_element_seed(inner)? else { break };
            self.trail.borrow_mut().path.pop();
            values.push(value);
            if values.len() > MOST_ENTRIES {
                return Err(self.refuse(RejectionCode::TooLarge, format!("has more than {MOST_ENTRIES} entries")));
            }
        }
        self.trail.borrow_mut().path.pop();
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            // A key is part of the path only where it is plain, so that no refusal repeats a person's data as a "key".
            let plain =
                key.len() <= 64 && key.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
            self.trail.borrow_mut().path.push(if plain { key.clone() } else { "?".to_owned() });
            self.text(&key)?;
            if map.contains_key(&key) {
                return Err(self.refuse(RejectionCode::DuplicateKey, "stands twice in one object".to_owned()));
            }
            if map.len() == MOST_ENTRIES {
                return Err(self.refuse(RejectionCode::TooLarge, format!("has more than {MOST_ENTRIES} entries")));
            }
            let value = access.next_value_seed(inner)?;
            self.trail.borrow_mut().path.pop();
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(text: &str) -> (RejectionCode, String) {
        let rejection = parse(text.as_bytes()).unwrap_err();
        (rejection.code, rejection.field)
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused_with_its_field() {
        assert_eq!(refusal(r#"{"a":{"b":1,"b":2}}"#), (RejectionCode::DuplicateKey, "a.b".into()));
        assert_eq!(refusal(r#"{"a":["x","y\u0000"]}"#), (RejectionCode::Malformed, "a.1".into()));
        assert_eq!(refusal(r#"{"a":"\ud800"}"#), (RejectionCode::Malformed, "a".into()));
        assert_eq!(refusal(r#"{"a":1} x"#).0, RejectionCode::Malformed);
        assert_eq!(refusal(r#"{"a":"#).0, RejectionCode::Malformed);
        assert_eq!(refusal(&"[".repeat(20)).0, RejectionCode::TooLarge);
        assert_eq!(
            refusal(&format!(r#"{{"a":"{}"}}"#, "x".repeat(LONGEST_TEXT + 1))),
            (RejectionCode::TooLarge, "a".into())
        );
        assert_eq!(refusal(&format!("[{}1]", "1,".repeat(MOST_ENTRIES))).0, RejectionCode::TooLarge);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_value_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
