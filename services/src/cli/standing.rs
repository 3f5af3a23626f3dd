//! What `/v1/status` says of where the ledger stands.

use serde_json::Value;

use super::client::{Client, Parameter};

/// Where a ledger stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The whole answer.
    pub answer: Value,
    /// The last event the views hold.
    pub position: u64,
    /// The last event of the log.
    pub head: u64,
}

impl Standing {
    /// Asks for it.
    ///
    /// # Errors
    /// Where the ledger cannot answer.
    pub async fn of(client: &Client) -> anyhow::Result<Self> {
        Self::with(client, &[]).await
    }

    /// Asks for it and for more.
    ///
    /// # Errors
    /// Where the ledger cannot answer.
    pub async fn with(client: &Client, more: &[Parameter]) -> anyhow::Result<Self> {
        Ok(Self::read(client.json(client.get(&["v1", "status"], more)).await?))
    }

    fn read(answer: Value) -> Self {
        let number = |name: &str| {
            let inner = answer.get("data").and_then(|data| data.get(name));
            inner.or_else(|| answer.get(name)).and_then(Value::as_u64)
        };
        let position = number("position").unwrap_or(0);
        let head = number("head").unwrap_or(position);
        Self { answer, position, head }
    }

    /// Events the views have still to read.
    pub fn gap(&self) -> u64 {
        self.head.saturating_sub(self.position)
    }

    /// Its fields one under the other, those of objects within it with a dot.
    pub fn fields(&self) -> Vec<(String, Value)> {
        let mut fields = Vec::new();
        flatten("", self.data(), &mut fields);
        fields
    }

    /// What was asked for, without what stands around it.
    pub fn data(&self) -> &Value {
        self.answer.get("data").unwrap_or(&self.answer)
    }
}

fn flatten(under: &str, value: &Value, fields: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let name = if under.is_empty() { name.clone() } else { format!("{under}.{name}") };
                flatten(&name, value, fields);
            }
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            for (index, value) in values.iter().enumerate() {
                flatten(&format!("{under}.{index}"), value, fields);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            fields.push((under.to_owned(), value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_standing_is_read_from_the_answer() {
        let standing = Standing::read(json!({ "data": { "head": 9, "log": { "ok": true } }, "position": 7 }));
        assert_eq!((standing.position, standing.head, standing.gap()), (7, 9, 2));
        assert_eq!(standing.fields(), [("head".to_owned(), json!(9)), ("log.ok".to_owned(), json!(true))]);
    }
}
