//! What a subscriber of one plan is let to do on the servers: read that plan's subjects through durable consumers of its own
//! names, and nothing else. Printed for server.conf, and tried against a real server.
//!
//! A consumer is made at a subject that names it and its filter, and the server refuses one whose settings say otherwise; so a
//! permission for that subject is one for that filter. It is asked for messages by its name, so names are given out too: a
//! wildcard there would let every plan read every other's. `STREAM.INFO` is left out, because it tells which subjects there are.
//! Subscribers have an account of their own: whoever asks for messages names where they are to go, and in the ledger's account that
//! could be a subject of the log.

use rollbook_events::PlanCode;

use crate::log::StreamSpec;

/// What subscribers ask JetStream under: `$JS.API` is each account's own.
pub const PREFIX: &str = "FEED.API";

/// Consumers that one subscriber may be let to make.
pub const MOST_CONSUMERS: u8 = 9;

/// The names of a plan's consumers: the plan's own, then with a number.
pub fn consumers(plan: &PlanCode, many: u8) -> Vec<String> {
    let name = |number| if number == 1 { plan.to_string() } else { format!("{plan}_{number}") };
    // A plan's code has no underscore: no plan's name is another's with a number.
    (1..=many.min(MOST_CONSUMERS)).map(name).collect()
}

/// The prefix of the subjects that a subscriber's answers come to.
pub fn inbox(plan: &PlanCode) -> String {
    format!("_INBOX_feed_{plan}")
}

/// A user of the account FEED as server.conf takes it.
pub fn block(plan: &PlanCode, key: &str, many: u8) -> String {
    let stream = StreamSpec::FEED.name;
    let mut publish = Vec::new();
    for name in consumers(plan, many) {
        publish.push(format!("\"{PREFIX}.CONSUMER.CREATE.{stream}.{name}.feed.{plan}.>\""));
        publish
            .push(format!("\"{PREFIX}.CONSUMER.INFO.{stream}.{name}\", \"{PREFIX}.CONSUMER.DELETE.{stream}.{name}\""));
        publish.push(format!("\"{PREFIX}.CONSUMER.MSG.NEXT.{stream}.{name}\", \"$JS.ACK.{stream}.{name}.>\""));
    }
    let publish = publish.join("\n                    ");
    let inbox = inbox(plan);
    format!(
        "            # Reads the feed of {plan}, through durable consumers of these names alone.
            {{ nkey: {key}, permissions: {{
                publish: [
                    {publish}
                ]
                subscribe: [\"{inbox}.>\"]
            }} }}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_plans_consumer_bears_the_name_of_another_plans() {
        let names = |plan: &str| consumers(&plan.parse().unwrap(), MOST_CONSUMERS);
        assert_eq!(names("la-care")[..2], ["la-care", "la-care_2"]);
        assert!("la-care_2".parse::<PlanCode>().is_err());
        assert!(names("la-care").iter().all(|name| !names("la-care-2").contains(name)));
    }

    #[test]
    fn the_shipped_configuration_has_the_example_as_it_is_printed() {
        let config = include_str!("../../../deploy/nats/server.conf");
        let block = block(&"la-care".parse().unwrap(), "$subscriber_key", 1);
        assert!(config.contains(&block), "put this into deploy/nats/server.conf:\n{block}");
    }
}
