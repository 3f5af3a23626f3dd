//! Where in a text a key stands, so that every refusal can name its line.

use toml::de::{DeTable, DeValue};

/// The place of the value at a path as `outreach.closing.attempts` or `offered[2].from`; of its nearest table where the
/// path leads nowhere.
pub(super) fn offset_of(text: &str, path: &serde_path_to_error::Path) -> usize {
    use serde_path_to_error::Segment;
    let Ok(table) = DeTable::parse(text) else { return 0 };
    let mut here = table.span().start;
    let root = DeValue::Table(table.into_inner());
    let mut value = &root;
    for segment in path {
        let next = match (segment, value) {
            (Segment::Map { key }, DeValue::Table(table)) => {
                table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(name, value)| (name.span(), value))
            }
            (Segment::Seq { index }, DeValue::Array(array)) => array.get(*index).map(|value| (value.span(), value)),
            _ => None,
        };
        let Some((span, found)) = next else { return here };
        here = span.start;
        value = found.get_ref();
    }
    here
}
