//! What of a released contract no longer holds: one comparison for OpenAPI, AsyncAPI and JSON Schemas, over their trees.

use std::collections::BTreeSet;

use serde_json::Value;

/// Who sends what a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    /// Callers, to the program.
    In,
    /// The program, to callers.
    Out,
    /// Either: events are both submitted and read.
    Both,
}

/// Words that change no meaning.
const WORDS: [&str; 7] = ["description", "summary", "title", "example", "examples", "version", "tags"];

/// Bounds of values: to add or change one breaks who kept the old ones.
const BOUNDS: [&str; 14] = [
    "type",
    "format",
    "pattern",
    "const",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "additionalProperties",
    "address",
    "action",
];

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    found: Vec<String>,
    /// Pairs of references that are being compared, or have been.
    seen: BTreeSet<(String, String, Sent)>,
}

/// Everything of a released document that is not so in a new one.
pub fn broken(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison { old, new, found: Vec::new(), seen: BTreeSet::new() };
    comparison.compare("", old, new, Sent::Both);
    comparison.found.sort();
    comparison.found.dedup();
    comparison.found
}

fn led<'a>(root: &'a Value, value: &'a Value) -> (&'a Value, Option<&'a str>) {
    let to = value.get("$ref").and_then(Value::as_str);
    match to.and_then(|to| to.strip_prefix('#')).and_then(|pointer| root.pointer(pointer)) {
        Some(found) => (found, to),
        None => (value, None),
    }
}

impl<'a> Comparison<'a> {
    fn says(&mut self, path: &str, what: &str) {
        self.found.push(format!("{}: {what}", if path.is_empty() { "/" } else { path }));
    }

    fn compare(&mut self, path: &str, old: &'a Value, new: &'a Value, sent: Sent) {
        let ((old, old_to), (new, new_to)) = (led(self.old, old), led(self.new, new));
        if let (Some(old_to), Some(new_to)) = (old_to, new_to)
            && !self.seen.insert((old_to.to_owned(), new_to.to_owned(), sent))
        {
            return;
        }
        match (old, new) {
            (Value::Object(_), Value::Object(_)) => self.objects(path, old, new, sent),
            (Value::Array(_), Value::Array(_)) => {}
            (old, new) if old != new => self.says(path, &format!("was {old} and is {new}")),
            _ => {}
        }
    }

    fn objects(&mut self, path: &str, old: &'a Value, new: &'a Value, sent: Sent) {
        for bound in BOUNDS {
            let (was, is) = (old.get(bound), new.get(bound));
            // A field of this name, and no bound.
            if was.or(is).is_some_and(|value| value.is_object() && bound != "additionalProperties") || was == is {
                continue;
            }
            let loosened = is.is_none() && sent == Sent::In;
            if !loosened {
                let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
                self.says(path, &format!("{bound} was {} and is {}", text(was), text(is)));
            }
        }
        self.required(path, old, new, sent);
        self.lists(path, old, new, sent);
        for (name, was) in old.as_object().into_iter().flatten() {
            let listed =
                ["required", "enum", "oneOf", "anyOf", "allOf", "parameters", "$defs"].contains(&name.as_str());
            if WORDS.contains(&name.as_str()) && !was.is_object() || BOUNDS.contains(&name.as_str()) && !was.is_object()
            {
                continue;
            }
            if listed && !(name == "parameters" && was.is_object()) {
                continue;
            }
            let sent = match name.as_str() {
                "requestBody" | "parameters" => Sent::In,
                "responses" => Sent::Out,
                _ => sent,
            };
            let under = format!("{path}/{name}");
            match new.get(name) {
                // Components are compared where they are used, as what they are used for.
                _ if name == "components" => {}
                Some(is) => self.compare(&under, was, is, sent),
                None => self.says(&under, "is gone"),
            }
        }
    }

    fn required(&mut self, path: &str, old: &'a Value, new: &'a Value, sent: Sent) {
        let names = |value: &Value| -> BTreeSet<String> {
            let list = value.get("required").and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (was, is) = (names(old), names(new));
        for name in is.difference(&was).filter(|_| sent != Sent::Out) {
            self.says(path, &format!("{name} is required now"));
        }
        for name in was.difference(&is).filter(|_| sent != Sent::In) {
            self.says(path, &format!("{name} is promised no more"));
        }
    }

    fn lists(&mut self, path: &str, old: &'a Value, new: &'a Value, sent: Sent) {
        let list = |value: &'a Value, name: &str| value.get(name).and_then(Value::as_array);
        match (list(old, "enum"), list(new, "enum")) {
            (Some(was), Some(is)) => {
                for value in was.iter().filter(|value| !is.contains(value)) {
                    self.says(path, &format!("the value {value} is gone"));
                }
            }
            (None, Some(_)) => self.says(path, "was open and is a list of values"),
            (Some(_) | None, None) => {}
        }
        for name in ["oneOf", "anyOf", "allOf"] {
            let Some(was) = list(old, name) else { continue };
            let is = list(new, name).map(Vec::as_slice).unwrap_or_default();
            for (index, choice) in was.iter().enumerate() {
                let (old_root, new_root) = (self.old, self.new);
                let kept = |other: &'a Value| {
                    let seen = self.seen.clone();
                    let mut inner = Comparison { old: old_root, new: new_root, found: Vec::new(), seen };
                    inner.compare("", choice, other, sent);
                    inner.found.is_empty()
                };
                if !is.iter().any(kept) {
                    self.says(&format!("{path}/{name}/{index}"), "is gone");
                }
            }
        }
        self.parameters(path, old, new);
    }

    fn parameters(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (Some(was), is) = (old.get("parameters").and_then(Value::as_array), new.get("parameters")) else { return };
        let is = is.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let same = |a: &Value, b: &Value| a.get("name") == b.get("name") && a.get("in") == b.get("in");
        for parameter in was {
            let under = format!("{path}/parameters/{}", parameter["name"].as_str().unwrap_or_default());
            match is.iter().find(|other| same(other, parameter)) {
                Some(other) => self.compare(&under, parameter, other, Sent::In),
                None => self.says(&under, "is gone"),
            }
        }
        let added = is.iter().filter(|parameter| !was.iter().any(|other| same(other, parameter)));
        for parameter in added.filter(|parameter| parameter["required"] == true) {
            let under = format!("{path}/parameters/{}", parameter["name"].as_str().unwrap_or_default());
            self.says(&under, "is required now");
        }
    }
}
