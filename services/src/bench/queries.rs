//! Questions to a ledger at rest, one client that waits for each answer.

use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use rollbook_events::MemberId;

use super::figure::{Figure, Latencies};
use super::service::Service;

/// Who is asked about, and of when.
#[derive(Debug)]
pub struct Asked {
    members: Vec<MemberId>,
    head: u64,
    seed: u64,
}

impl Asked {
    /// These members in an order of chance, and a log that ends here.
    pub fn about(mut members: Vec<MemberId>, head: u64, seed: u64) -> Self {
        members.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        Self { members, head, seed }
    }

    /// The paths of a question, without end.
    fn paths(&self, name: &str) -> Option<impl Iterator<Item = String>> {
        const LIST: &str = "/v1/enrollments?program=ecm&limit=100";
        let path: fn(MemberId, u64) -> String = match name {
            "query_point" => |member, _| format!("/v1/members/{member}/enrollments"),
            "query_point_known_at" => |member, at| format!("/v1/members/{member}/enrollments?known_at={at}"),
            "query_list" => |_, _| LIST.to_owned(),
            "query_known_at" => |_, at| format!("{LIST}&known_at={at}"),
            "query_conversion" => |_, _| "/v1/outreach/conversion?by=plan,program".to_owned(),
            _ => return None,
        };
        // As the ledger knew it at about half of what it knows now, never twice at the very same place.
        let (mut chance, head) = (ChaCha8Rng::seed_from_u64(self.seed), self.head);
        let members = self.members.clone().into_iter().cycle();
        Some(members.map(move |member| path(member, chance.random_range(head / 2 - head / 8..=head / 2 + head / 8))))
    }

    /// Asks again and again, at most so often and so long.
    ///
    /// # Errors
    /// Where an answer is none.
    pub async fn ask(
        &self,
        name: &'static str,
        query: &Service,
        most: u64,
        time: Duration,
        members: u32,
    ) -> anyhow::Result<Figure> {
        let Some(mut paths) = self.paths(name) else { anyhow::bail!("{name} is no question") };
        let (mut latencies, watched) = (Latencies::new()?, query.watched());
        let (mut begun, mut warm) = (Instant::now(), false);
        while latencies.len() < most && begun.elapsed() < time {
            let Some(path) = paths.next() else { break };
            let one = Instant::now();
            let answer = query.request(Method::GET, &path).send().await?;
            let status = answer.status();
            let bytes = answer.bytes().await?.len();
            ensure!(status.is_success() && bytes > 0, "{path} was answered {status}");
            if !warm {
                // The first makes the connection and prepares the statement.
                (begun, warm) = (Instant::now(), true);
                continue;
            }
            latencies.record(one.elapsed());
        }
        let figure = Figure::times(name, members, latencies.len(), begun.elapsed());
        Ok(figure.with(&latencies).cost(watched.cost()))
    }
}
