//! An error with its sources in one line, for the one place where it is handled and logged.

/// The error and what it came from, from the outside in.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        text = format!("{text}: {next}");
        source = next.source();
    }
    text
}
