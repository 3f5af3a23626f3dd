//! TOML, read key by key with the line of each: what is not asked for is an error.

use chrono::NaiveDate;
use rollbook_events::Occurred;
use rollbook_events::time::Day;
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong in a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Byte offset.
    pub(super) at: usize,
    /// What, naming the key.
    pub(super) problem: String,
}

/// A value with its place and its name for error messages.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) name: String,
    pub(super) at: usize,
    value: &'a DeValue<'a>,
}

/// A table whose keys are taken one by one; what is left over is misspelt.
#[derive(Debug)]
pub(super) struct Table<'a> {
    name: String,
    pub(super) at: usize,
    entries: Vec<(String, Entry<'a>)>,
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The table of a whole text.
    pub(super) fn of(whole: &'a Spanned<DeTable<'a>>) -> Self {
        Self::new(String::new(), whole.span().start, whole.get_ref())
    }

    fn new(name: String, at: usize, table: &'a DeTable<'a>) -> Self {
        let entry = |key: &str, at, value| {
            let name = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
            (key.to_owned(), Entry { name, at, value })
        };
        let mut entries: Vec<_> =
            table.iter().map(|(key, value)| entry(key.get_ref(), key.span().start, value.get_ref())).collect();
        entries.sort_by_key(|(_, entry)| entry.at);
        Self { name, at, entries, asked: Vec::new() }
    }

    /// Takes a key, where it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.asked.push(key);
        let index = self.entries.iter().position(|(name, _)| name == key)?;
        Some(self.entries.remove(index).1)
    }

    /// Refuses what was not taken.
    pub(super) fn finish(&self) -> Result<(), Wrong> {
        let Some((key, entry)) = self.entries.first() else { return Ok(()) };
        let within = if self.name.is_empty() { "a scenario".to_owned() } else { self.name.clone() };
        let problem = match likely(key, &self.asked) {
            Some(meant) => format!("`{key}` is no key of {within}; did you mean `{meant}`?"),
            None => format!("`{key}` is no key of {within}; it has {}", self.asked.join(", ")),
        };
        Err(Wrong { at: entry.at, problem })
    }

    /// What a missing key comes to.
    pub(super) fn missing(&self, key: &str) -> Wrong {
        let within = if self.name.is_empty() { "a scenario".to_owned() } else { self.name.clone() };
        Wrong { at: self.at, problem: format!("{within} needs `{key}`") }
    }
}

/// The key that was most likely meant: one letter too many, too few, or other.
fn likely<'k>(key: &str, keys: &[&'k str]) -> Option<&'k str> {
    let near = |other: &str| {
        let (a, b): (Vec<char>, Vec<char>) = (key.chars().collect(), other.chars().collect());
        let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
        let rest = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
        a.len().max(b.len()) > 2 && same + rest + 2 >= a.len().max(b.len()) && a.len().abs_diff(b.len()) <= 1
    };
    keys.iter().copied().find(|other| near(other))
}

impl<'a> Entry<'a> {
    pub(super) fn wrong(&self, expected: &str) -> Wrong {
        Wrong { at: self.at, problem: format!("`{}`: expected {expected}", self.name) }
    }

    /// A table.
    pub(super) fn table(&self) -> Result<Table<'a>, Wrong> {
        let table = self.value.as_table().ok_or_else(|| self.wrong("a table"))?;
        Ok(Table::new(self.name.clone(), self.at, table))
    }

    /// A table, or an array of tables.
    pub(super) fn tables(&self) -> Result<Vec<Table<'a>>, Wrong> {
        let Some(array) = self.value.as_array() else { return Ok(vec![self.table()?]) };
        let of = |value: &'a Spanned<DeValue<'a>>| {
            // An array of tables is spanned from its header on.
            Entry { name: self.name.clone(), at: value.span().start, value: value.get_ref() }.table()
        };
        array.iter().map(of).collect()
    }

    /// A text.
    pub(super) fn text(&self) -> Result<String, Wrong> {
        match self.value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => Err(self.wrong("a text")),
        }
    }

    /// A text, or a number or date that was written without its quotes.
    pub(super) fn word(&self) -> Result<String, Wrong> {
        match self.value {
            DeValue::Integer(number) => Ok(number.as_str().to_owned()),
            DeValue::Datetime(when) => Ok(when.to_string()),
            DeValue::String(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => {
                self.text()
            }
        }
    }

    /// Texts, or one.
    pub(super) fn texts(&self) -> Result<Vec<String>, Wrong> {
        let Some(array) = self.value.as_array() else { return Ok(vec![self.word()?]) };
        let of = |value: &'a Spanned<DeValue<'a>>| {
            Entry { name: self.name.clone(), at: value.span().start, value: value.get_ref() }.text()
        };
        array.iter().map(of).collect()
    }

    /// Yes or no.
    pub(super) fn yes(&self) -> Result<bool, Wrong> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    /// A whole number.
    pub(super) fn number(&self) -> Result<i64, Wrong> {
        let number = self.value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        number.ok_or_else(|| self.wrong("a whole number"))
    }

    /// A civil day, or an instant.
    pub(super) fn when(&self) -> Result<Occurred, Wrong> {
        let expected = "a date as in 2022-03-04, or an instant with its zone";
        self.word()?.parse().map_err(|_| self.wrong(expected))
    }

    /// A civil day.
    pub(super) fn day(&self) -> Result<NaiveDate, Wrong> {
        self.word()?.parse().map(|day: Day| day.0).map_err(|_| self.wrong("a date as in 2022-03-04"))
    }

    /// The value as JSON, dates and instants as texts.
    pub(super) fn json(&self) -> Result<Value, Wrong> {
        json(self.value).ok_or_else(|| self.wrong("what JSON can hold"))
    }
}

fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.into(),
        DeValue::Float(number) => Value::Number(Number::from_f64(number.as_str().parse().ok()?)?),
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(when) => Value::String(when.to_string()),
        DeValue::Array(values) => values.iter().map(|value| json(value.get_ref())).collect::<Option<_>>()?,
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(key, value)| Some((key.get_ref().to_string(), json(value.get_ref())?)));
            Value::Object(pairs.collect::<Option<Map<_, _>>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_was_meant_is_one_letter_away() {
        let keys = ["program", "outcome", "at", "until"];
        assert_eq!(likely("progam", &keys), Some("program"));
        assert_eq!(likely("outcomes", &keys), Some("outcome"));
        assert_eq!(likely("untli", &keys), Some("until"));
        assert_eq!(likely("colour", &keys), None);
    }

    #[test]
    fn dates_come_bare_or_quoted_and_are_text_in_json() {
        let text =
            "a = 2022-03-04\nb = \"2022-03-04\"\nc = 2022-03-04T10:00:00-08:00\nd = { e = 0x10, f = [1.5, true] }";
        let whole = DeTable::parse(text).unwrap();
        let mut table = Table::of(&whole);
        let (a, b, c) = (table.take("a").unwrap(), table.take("b").unwrap(), table.take("c").unwrap());
        assert_eq!(a.day(), b.day());
        assert_eq!(c.when().unwrap().to_string(), "2022-03-04T10:00:00-08:00");
        assert_eq!((a.at, c.at), (0, 32));
        let d = table.take("d").unwrap().json().unwrap();
        assert_eq!(d, serde_json::json!({ "e": 16, "f": [1.5, true] }));
        assert_eq!(a.json().unwrap(), "2022-03-04");
        table.finish().unwrap();
    }
}
