//! Every statement that the store can make, so that each is prepared on both databases.

use rollbook_events::Position;
use rollbook_projections::store::Db;
use rollbook_projections::store::read::{Filter, Grant, Page, Sight};

use super::{ALL, id, member};

/// Every statement that the store can make, with every kind of condition, within every kind of sight.
pub async fn every_question(db: &Db) -> Vec<String> {
    let day = "2024-06-15".parse().unwrap();
    let org = |org: &str| org.to_owned();
    let sights = [
        ALL,
        Sight::of(Vec::new()),
        Sight::of(vec![Grant::Record(org("la-care"))]),
        Sight::of(vec![Grant::Record(org("molina")), Grant::Served(org("1558598797"))]),
        Sight::of(vec![Grant::Assigned { provider: org("1234567893"), on: day }]),
    ];
    let mut answers = Vec::new();
    for sight in &sights {
        answers.extend(questions(db, sight).await);
    }
    answers
}

async fn questions(db: &Db, sight: &Sight) -> Vec<String> {
    use rollbook_projections::Cell;
    use rollbook_projections::store::read::{Sum, SumBy};
    use rollbook_projections::views::find;
    let day: chrono::NaiveDate = "2024-06-15".parse().unwrap();
    let who: rollbook_events::MemberId = member(3).parse().unwrap();
    let (history, enrollments) = (find("event_history").unwrap().table(), find("current_enrollment").unwrap().table());
    let (conflicts, outreach) =
        (find("duplication_conflict").unwrap().table(), find("outreach_conversion").unwrap().table());
    let base = Filter { known_at: Some(Position(300)), ..Filter::default() };
    let text = |text: &str| Cell::Text(text.to_owned());
    let questions = [
        (
            enrollments,
            Filter {
                holds: Some(day),
                equal: vec![("program", vec![text("ecm"), text("housing_navigation")])],
                ..base.clone()
            },
        ),
        (enrollments, Filter { members: Some(vec![who]), ..Filter::default() }),
        (
            enrollments,
            Filter { less_than: vec![("from_on", Cell::Day(day))], present: vec![("until_on", true)], ..base.clone() },
        ),
        (
            conflicts,
            Filter {
                unequal: vec![("outcome", vec![text("allow_coordinated")])],
                present: vec![("resolution", false)],
                ..base.clone()
            },
        ),
        (outreach, Filter { at_least: vec![("attempts", Cell::Integer(1))], ..base.clone() }),
        (
            conflicts,
            Filter {
                either: vec![(["program_a", "program_b"], vec![text("ecm"), text("pace")])],
                equal: vec![("rule", vec![text("x"), text("y")])],
                present: vec![("resolution", true)],
                ..Filter::default()
            },
        ),
        (conflicts, Filter { members: Some(vec![who]), ..Filter::default() }),
        (history, Filter { equal: vec![("voided_by", vec![Cell::Uuid(id(1).parse().unwrap())])], ..base.clone() }),
        (history, Filter { at_least: vec![("position", Cell::Integer(50))], ..Filter::default() }),
    ];
    let mut answers = Vec::new();
    for (table, filter) in questions {
        let order = (table.name == "event_history").then_some("position");
        let page = Page { order, after: None, most: 5 };
        let first = db.page(sight, table, &filter, &page).await.unwrap();
        if let Some(last) = first.last() {
            let value = order.map(|_| last.row.cells[0].clone());
            let after = Some((value, last.row.key.clone()));
            answers
                .push(format!("{:?}", db.page(sight, table, &filter, &Page { order, after, most: 5 }).await.unwrap()));
        }
        answers.push(format!("{first:?}"));
    }
    let sums = vec![
        ("rows", Sum::Rows),
        ("filled", Sum::Filled("enrolled_on")),
        ("some", Sum::AboveZero("attempts")),
        ("all", Sum::Total("attempts")),
    ];
    answers.push(format!(
        "{:?}",
        db.sum(sight, outreach, &base, &SumBy { by: vec!["plan", "month"], sums }).await.unwrap()
    ));
    answers.push(format!("{:?}", db.links(Position(300)).await.unwrap().pairs()));
    answers
        .push(format!("{:?}", db.members_after(sight, rollbook_events::MemberId(uuid::Uuid::nil()), 5).await.unwrap()));
    let some = db.events_by_id(sight, &[id(1).parse().unwrap(), id(2).parse().unwrap()]).await.unwrap();
    let mut places: Vec<Position> = some.iter().map(|recorded| recorded.position).collect();
    places.sort();
    answers.push(format!("{places:?}"));
    let mine = db.events_of(sight, &[who].into()).await.unwrap();
    answers.push(format!("{:?}", mine.iter().map(|recorded| recorded.position).collect::<Vec<_>>()));
    answers.push(format!("{:?}", db.seen(sight, &[who, member(4).parse().unwrap()].into()).await.unwrap()));
    let ids = [id(1), id(2), id(3)].iter().map(|id| id.parse().unwrap()).collect();
    answers.push(format!("{:?}", db.seen_events(sight, &ids).await.unwrap()));
    answers.push(format!("{:?}", db.row_count(history).await.unwrap()));
    let at = db.events_of(&ALL, &[who].into()).await.unwrap().last().unwrap().envelope.recorded_at;
    answers.push(format!(
        "{:?} {:?}",
        db.position_at(at).await.unwrap() > Position(0),
        db.stuck().await.unwrap().len()
    ));
    answers.push(format!("{:?}", db.checkpoint().await.unwrap().position));
    answers
}
