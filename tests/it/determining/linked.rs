//! Linked pseudonyms are one person, and so they are decided for.

use super::*;

const OTHER: &str = "0c0c0c0c-0c0c-8c0c-8c0c-0c0c0c0c0c0c";

fn of(member: &str, n: u64, kind: &str, at: &str, data: Value) -> Value {
    json!({ "id": id(n), "kind": kind, "member": member, "plan": "la-care", "county": "los-angeles", "occurred_at": at, "data": data })
}

fn asked(n: u64) -> Value {
    let data = json!({ "referral": id(910), "program": "ecm", "pathway": "self", "requested_by": "member" });
    of(MEMBER, n, "referral_received", "2024-03-01", data)
}

/// A denial under the other pseudonym of what was asked for; each is a decision of its own.
fn denied(n: u64) -> Value {
    let data = json!({ "authorization": id(n + 500), "program": "ecm", "outcome": "denied", "referral": id(910),
                       "decided_at": "2024-03-05T09:00:00-08:00", "reasons": ["no_population_of_focus"] });
    of(OTHER, n, "authorization_decided", "2024-03-05T09:00:00-08:00", data)
}

fn linked(n: u64) -> Value {
    of(MEMBER, n, "member_linked", "2024-04-02", json!({ "other": OTHER, "reason": "cin_merged" }))
}

fn unlinked(n: u64) -> Value {
    of(OTHER, n, "member_unlinked", "2024-06-03", json!({ "other": MEMBER, "reason": "in error" }))
}

impl Desk {
    /// Another recorder on the same log, which knows nothing but what log and views say.
    fn anew(&mut self) {
        let (recorder, queue) = Recorder::new();
        let committer =
            Committer::new(self.log.clone(), Histories::new(self.log.clone(), self.db.clone()), Health::default());
        tokio::spawn(committer.run(queue, CancellationToken::new()));
        self.recorder = recorder;
    }

    async fn stored_of(&self, member: &str) -> Vec<rollbook_projections::Recorded> {
        let stored = self.log.read(&format!("enrollment.{member}")).await.unwrap();
        stored.iter().map(|stored| recorded(stored).unwrap()).collect()
    }

    /// What the other pseudonym's determinations say, and up to which position it was known.
    async fn determined(&self) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        let mut previous = None;
        for stored in self.stored_of(OTHER).await {
            assert_eq!(stored.envelope.previous, previous, "the chain of the pseudonym holds");
            previous = Some(stored.hash);
            if let Event::Notice(Notice::NoticeDetermined(told)) = &stored.envelope.event {
                all.push((told.outcome.as_str().to_owned(), told.known_at.0));
            }
        }
        all
    }
}

fn outcomes(determined: &[(String, u64)]) -> Vec<&str> {
    determined.iter().map(|(outcome, _)| outcome.as_str()).collect()
}

#[tokio::test]
async fn a_link_and_its_end_are_decided_for_the_person_before_and_after() {
    let mut desk = Desk::new().await;
    desk.record(&[asked(10)]).await.unwrap();
    desk.record(&[denied(11)]).await.unwrap();
    // The recorder reads both dossiers anew, from the views.
    desk.project().await;
    desk.anew();
    let recording = desk.record(&[linked(12)]).await.unwrap();
    let members: Vec<String> = recording.determined.iter().map(|one| one.member.unwrap().to_string()).collect();
    assert_eq!((members, recording.determined[0].position.0), (vec![OTHER.to_owned()], 6));
    desk.record(&[unlinked(13)]).await.unwrap();
    // Of the other alone, then of the person, then of the other alone again.
    let expected = [("review", 0), ("required", 4), ("review", 6)].map(|(outcome, at)| (outcome.to_owned(), at));
    assert_eq!(desk.determined().await, expected);
    assert_eq!(desk.kinds().await, ["referral_received", "member_linked"], "nothing was decided there");
}

#[tokio::test]
async fn a_link_that_only_the_other_names_is_known_to_a_recorder_begun_anew() {
    let mut desk = Desk::new().await;
    desk.record(&[asked(10), linked(12)]).await.unwrap();
    desk.project().await;
    desk.anew();
    desk.record(&[denied(11)]).await.unwrap();
    assert_eq!(desk.determined().await, [("required".to_owned(), 3)]);
}

#[tokio::test]
async fn a_link_that_the_views_do_not_know_yet_is_known_to_a_recorder_begun_anew() {
    let mut desk = Desk::new().await;
    desk.record(&[asked(10), linked(12)]).await.unwrap();
    desk.anew();
    desk.record(&[denied(11)]).await.unwrap();
    assert_eq!(desk.determined().await, [("required".to_owned(), 3)]);
}

#[tokio::test]
async fn a_refused_link_leaves_no_determination_behind() {
    let desk = Desk::new().await;
    desk.record(&[asked(10)]).await.unwrap();
    desk.record(&[denied(11)]).await.unwrap();
    let mut many = vec![linked(12)];
    let looked_up = |n| submission(n, "member_looked_up", "2024-03-01", json!({ "system": "hmis" }));
    many.extend((2_001..2_000 + u64::try_from(MOST_EVENTS).unwrap()).map(looked_up));
    let refused = desk.record(&many).await;
    assert!(matches!(refused, Err(RecordError::TooMany)), "the determination is one too many: {refused:?}");
    desk.record(&[linked(12)]).await.unwrap();
    assert_eq!(outcomes(&desk.determined().await), ["review", "required"]);
}

#[tokio::test]
async fn a_link_that_another_recorder_wrote_first_is_known_once_it_was() {
    let mut desk = Desk::new().await;
    desk.record(&[asked(10)]).await.unwrap();
    desk.record(&[denied(11)]).await.unwrap();
    let first = desk.recorder.clone();
    desk.anew();
    desk.record(&[linked(12)]).await.unwrap();
    desk.recorder = first;
    desk.record(&[unlinked(13)]).await.unwrap();
    assert_eq!(outcomes(&desk.determined().await), ["review", "required", "review"]);
}
