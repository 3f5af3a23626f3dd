//! Where in a text a key stands, so that every refusal can name its line.

use std::borrow::Cow;

use serde_path_to_error::{Path, Segment};
use toml::de::{DeTable, DeValue};

/// One step from a table or list to what is in it.
#[derive(Debug, Clone)]
pub(super) enum Step<'a> {
    /// The value of a key.
    Key(Cow<'a, str>),
    /// An entry of a list, from 0.
    Entry(usize),
}

/// The steps of a path that a reader failed at.
pub(super) fn steps(path: &Path) -> Vec<Step<'_>> {
    let step = |segment| match segment {
        &Segment::Seq { index } => Some(Step::Entry(index)),
        Segment::Map { key } => Some(Step::Key(Cow::Borrowed(key.as_str()))),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().map_while(step).collect()
}

/// The place of what the steps lead to, as an offset in the text; of the last thing on the way where they lead nowhere.
pub(super) fn offset_of(text: &str, steps: &[Step<'_>]) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 0 };
    let mut here = table.span().start;
    let root = DeValue::Table(table.into_inner());
    let mut value = &root;
    for step in steps {
        let next = match (step, value) {
            (Step::Key(key), DeValue::Table(table)) => {
                let found = table.iter().find(|(name, _)| name.get_ref().as_ref() == key.as_ref());
                found.map(|(name, value)| (name.span(), value))
            }
            (Step::Entry(index), DeValue::Array(array)) => array.get(*index).map(|value| (value.span(), value)),
            _ => None,
        };
        let Some((span, found)) = next else { return here };
        here = span.start;
        value = found.get_ref();
    }
    here
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Step<'_> {
        Step::Key(key.into())
    }

    #[test]
    fn a_key_is_found_in_its_table_and_list() {
        let text = "a = 1\n[b.c]\nd = 2\n[[e]]\nf = 3\n[[e]]\nf = 4\n";
        let line = |steps: &[Step<'_>]| text[..offset_of(text, steps)].matches('\n').count() + 1;
        assert_eq!(line(&[key("a")]), 1);
        assert_eq!(line(&[key("b"), key("c"), key("d")]), 3);
        assert_eq!(line(&[key("e"), Step::Entry(1), key("f")]), 7);
        assert_eq!(line(&[key("e"), Step::Entry(1), key("g")]), 6, "what is not there: the last thing on the way");
    }
}
