//! Every version of every kind has a golden file, for ever: it decodes, and the current one encodes to the same bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot read its files has failed")]

use std::path::PathBuf;

use cloudevents::{AttributesReader, Event as CloudEvent};
use rollbook_events::codec::{decode, encode};
use rollbook_events::{Kind, schemas};

fn path(folder: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)
}

fn versions() -> impl Iterator<Item = (Kind, u16)> {
    Kind::all().flat_map(|kind| (1..=kind.version()).map(move |version| (kind, version)))
}

fn golden(kind: Kind, version: u16) -> String {
    let path = path("golden", &format!("{}.v{version}.json", kind.name()));
    let text = std::fs::read_to_string(&path);
    text.unwrap_or_else(|error| panic!("golden file {} is missing: {error}", path.display())).trim_end().to_owned()
}

#[test]
fn every_version_decodes_and_the_current_one_keeps_its_bytes() {
    for (kind, version) in versions() {
        let text = golden(kind, version);
        let envelope = decode(text.as_bytes()).unwrap_or_else(|error| panic!("{kind:?} v{version}: {error}"));
        assert_eq!(envelope.event.name(), kind.name());
        assert!(envelope.unknown.is_empty(), "{kind:?} v{version}: {:?}", envelope.unknown.keys());
        let again = String::from_utf8(encode(&envelope).unwrap()).unwrap();
        if version == kind.version() {
            assert_eq!(again, text, "{kind:?} v{version}");
        } else {
            assert_eq!(
                decode(again.as_bytes()).unwrap(),
                envelope,
                "{kind:?} v{version}, written as the current version"
            );
        }
    }
}

#[test]
fn the_cloudevents_sdk_reads_what_we_write() {
    for (kind, version) in versions() {
        let event: CloudEvent = serde_json::from_str(&golden(kind, version)).unwrap();
        let envelope = decode(golden(kind, version).as_bytes()).unwrap();
        assert_eq!(event.id(), envelope.id.to_string());
        assert_eq!(event.ty(), format!("rollbook.{}.v{version}", kind.name()));
        assert_eq!(event.subject(), Some(envelope.subject.to_string().as_str()));
        assert_eq!(event.time().unwrap().timestamp_micros(), envelope.occurred_at.earliest().utc().timestamp_micros());
        let schema = event.dataschema().unwrap().to_string();
        assert!(schema.ends_with(&format!("/schemas/{}.v{version}.json", kind.name())), "{schema}");
        for (name, _) in event.iter_extensions() {
            assert!(name.len() <= 20 && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{name}");
        }
    }
}

#[test]
fn committed_schemas_are_the_generated_ones_and_every_golden_file_fits_its_own() {
    let update = std::env::args().any(|arg| arg == "--update") || option_env!("ROLLBOOK_UPDATE").is_some();
    for (name, schema) in schemas::all() {
        let path = path("schemas", &name);
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if update {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text, "{name} is not the generated schema; run with ROLLBOOK_UPDATE=1 and read the diff");
        let golden: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(self::path("golden", &name)).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&golden["data"]), "{name}: {:?}", validator.validate(&golden["data"]).err());
    }
    let committed = std::fs::read_dir(path("schemas", "")).unwrap().count();
    assert_eq!(committed, schemas::all().len(), "a committed schema belongs to no kind");
}

#[test]
fn names_are_unique_and_there_is_one_golden_file_a_version() {
    let names: std::collections::BTreeSet<_> = Kind::all().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), Kind::all().count());
    assert_eq!(std::fs::read_dir(path("golden", "")).unwrap().count(), versions().count());
}

#[test]
fn what_a_newer_program_wrote_is_kept() {
    let kind = Kind::parse("enrolled").unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&golden(kind, 1)).unwrap();
    value["traceparent"] = "00-ab".into();
    value["data"]["mood"] = serde_json::json!({ "today": "good" });
    let envelope = decode(&serde_json::to_vec(&value).unwrap()).unwrap();
    let again: serde_json::Value = serde_json::from_slice(&encode(&envelope).unwrap()).unwrap();
    assert_eq!(again["traceparent"], "00-ab");
    assert_eq!(again["data"]["mood"]["today"], "good");
}

#[test]
fn what_is_damaged_is_an_error_that_names_the_place_and_no_value() {
    let text = golden(Kind::parse("enrolled").unwrap(), 1);
    for (from, to, expected) in [
        ("\"1.0\"", "\"2.0\"", "attribute specversion is not 1.0"),
        ("rollbook.enrolled.v1", "rollbook.enrolled.v9", "type is not a kind and version this program knows"),
        ("\"opt_in\"", "\"Jane\"", "data does not fit enrolled"),
        ("\"recordedtime\"", "\"recordetime\"", "attribute recordedtime is missing"),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from}");
        let error = decode(damaged.as_bytes()).unwrap_err();
        assert_eq!(error.to_string().split(':').next().unwrap(), expected);
        assert!(!error.to_string().contains("Jane"), "{error}");
    }
}
