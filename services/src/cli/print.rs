//! `rollbook schema`, `openapi` and `asyncapi`: what this program knows, printed.

use anyhow::Context;
use rollbook_events::{Kind, schemas};

use super::exit::{Exit, Stop};
use super::output::Output;

const SCHEMA_EXAMPLES: &str = "\
Examples:
  rollbook schema
  rollbook schema enrolled

Without a kind it names them all, with their versions.";

/// Prints the JSON Schema of a kind of event, every version of it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub struct Schema {
    /// The kind of event, as in enrolled, or one version of it, as in enrolled.v1
    kind: Option<String>,
}

/// Prints the OpenAPI document.
///
/// # Errors
/// Where the output fails.
pub fn openapi(output: &mut Output) -> anyhow::Result<Exit> {
    output.line(crate::http::openapi().to_pretty_json().context("could not write the document")?)?;
    output.flush()?;
    Ok(Exit::Done)
}

/// Prints the AsyncAPI document.
///
/// # Errors
/// Where the output fails.
pub fn asyncapi(output: &mut Output) -> anyhow::Result<Exit> {
    output.line(serde_json::to_string_pretty(&crate::feed::asyncapi::document())?)?;
    output.flush()?;
    Ok(Exit::Done)
}

/// Prints schemas, one after the other, or their names.
///
/// # Errors
/// Where there is no such kind, or the output fails.
pub fn schema(schema: &Schema, output: &mut Output) -> anyhow::Result<Exit> {
    let Some(wanted) = &schema.kind else {
        for kind in Kind::all() {
            output.line(format_args!("{}.v{}", kind.name(), kind.version()))?;
        }
        output.flush()?;
        return Ok(Exit::Done);
    };
    let named = |name: &str| name == format!("{wanted}.json") || name.split('.').next() == Some(wanted);
    let found: Vec<_> = schemas::all().into_iter().filter(|(name, _)| named(name)).collect();
    if found.is_empty() {
        let stop = Stop::usage(format!("there is no kind of event named {wanted}"));
        return Err(stop.next("`rollbook schema` names them all").into());
    }
    for (_, schema) in found {
        output.line(serde_json::to_string_pretty(&schema)?)?;
    }
    output.flush()?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(kind: &str) -> Exit {
        let wanted = Schema { kind: Some(kind.to_owned()) };
        schema(&wanted, &mut Output::to(std::io::sink())).unwrap_or_else(|error| Exit::of(&error))
    }

    #[test]
    fn a_schema_is_found_by_kind_and_by_version() {
        assert_eq!([exit("enrolled"), exit("enrolled.v1"), exit("no-such")], [Exit::Done, Exit::Done, Exit::Usage]);
    }
}
