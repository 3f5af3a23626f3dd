use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const STREAM: &str = "ENROLLMENT";

fn record() -> impl Strategy<Value = Record> {
    let header = ("[A-Za-z][A-Za-z0-9-]{0,12}", "[ -~]{0,20}");
    ("enrollment\\.[a-z0-9-]{1,36}", any::<i64>(), "[!-~]{0,40}", vec(header, 0..3), vec(any::<u8>(), 0..300)).prop_map(
        |(subject, stored_at, id, headers, body)| Record {
            position: Position(0),
            subject,
            stored_at,
            id,
            headers,
            body: body.into(),
        },
    )
}

fn run(mut records: Vec<Record>, after: u64) -> Vec<Record> {
    for (record, position) in records.iter_mut().zip(after + 1..) {
        record.position = Position(position);
    }
    records
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(records in vec(record(), 1..40), after in 0_u64..1_000_000) {
        let link = Link { last: Position(after), ..Link::beginning(STREAM) };
        let records = run(records, after);
        let (file, next) = write(STREAM, &link, &records).unwrap();
        prop_assert_eq!(write(STREAM, &link, &records).unwrap().0, file.clone(), "the same bytes each time");
        let segment = read(STREAM, &file).unwrap();
        prop_assert_eq!(&segment.records, &records);
        prop_assert_eq!(segment.link, next);
        prop_assert_eq!(follows(&link, &segment.header), Ok(()));
    }

    #[test]
    fn a_changed_byte_or_a_missing_end_is_found(
        records in vec(record(), 1..10),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let (file, _) = write(STREAM, &Link::beginning(STREAM), &run(records, 0)).unwrap();
        let mut flipped = file.to_vec();
        flipped[place.index(file.len())] ^= 1 << bit;
        prop_assert!(read(STREAM, &flipped).is_err());
        prop_assert!(read(STREAM, &file[..place.index(file.len())]).is_err());
        let mut longer = file.to_vec();
        longer.push(0);
        prop_assert!(read(STREAM, &longer).is_err());
    }

    #[test]
    fn no_bytes_whatever_bring_the_reader_down(bytes in vec(any::<u8>(), 0..400), with_magic in any::<bool>()) {
        let mut file = if with_magic { MAGIC.to_vec() } else { Vec::new() };
        file.extend(bytes);
        file.extend(Hash::of(&file).bytes());
        prop_assert!(read(STREAM, &file).is_err());
    }
}

fn one(position: u64, body: &'static str) -> Record {
    Record {
        position: Position(position),
        subject: "enrollment.a".to_owned(),
        stored_at: 7,
        id: format!("id-{position}"),
        headers: vec![("Rollbook-Kind".to_owned(), "enrolled".to_owned())],
        body: Bytes::from_static(body.as_bytes()),
    }
}

/// The format stands: an archive is read as long as anybody keeps it.
#[test]
fn a_segment_of_the_first_format_is_read_for_ever() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/src/archive/segment/golden.segment")).unwrap();
    let segment = read(STREAM, &bytes).unwrap();
    assert_eq!(segment.records, [one(1, "{}"), one(2, "{\"n\":2}")]);
    assert_eq!(
        segment.link.chain.hash().to_string(),
        "2f8a7bb0ed8e92664940a41e2e96d773d0970994389c985890bd7c6fe1a0248d"
    );
}

#[test]
fn a_segment_follows_on_the_one_before_it_alone() {
    let beginning = Link::beginning(STREAM);
    let (first, after_first) = write(STREAM, &beginning, &[one(1, "a")]).unwrap();
    let (_, after_other) = write(STREAM, &beginning, &[one(1, "b")]).unwrap();
    let (second, _) = write(STREAM, &after_first, &[one(2, "c")]).unwrap();
    let header = |file: &Bytes| read(STREAM, file).unwrap().header;
    assert_eq!(follows(&after_first, &header(&second)), Ok(()));
    assert_eq!(follows(&beginning, &header(&second)), Err(SegmentError::Breaks { what: "number" }));
    let other = follows(&after_other, &header(&second));
    assert_eq!(other, Err(SegmentError::Breaks { what: "SHA-256 of the segment before" }));
    assert_eq!(follows(&after_first, &header(&first)), Err(SegmentError::Breaks { what: "number" }));
    assert!(read("IDENTITY", &first).is_err(), "it is of another stream");
}

#[test]
fn only_a_run_that_follows_on_is_written() {
    let beginning = Link::beginning(STREAM);
    let refused = Err(SegmentError::NotARun { from: Position(1) });
    assert_eq!(write(STREAM, &beginning, &[]), refused);
    assert_eq!(write(STREAM, &beginning, &[one(2, "a")]), refused);
    assert_eq!(write(STREAM, &beginning, &[one(1, "a"), one(3, "b")]), refused);
}

#[test]
fn a_header_that_asks_for_all_memory_is_refused() {
    let (file, _) = write(STREAM, &Link::beginning(STREAM), &[one(1, "a")]).unwrap();
    let mut segment = read(STREAM, &file).unwrap();
    segment.header.bytes = u64::MAX;
    let mut forged = MAGIC.to_vec();
    forged.extend(serde_json::to_vec(&segment.header).unwrap());
    forged.push(b'\n');
    let seal = Hash::of(&forged).bytes();
    forged.extend(seal);
    assert!(matches!(read(STREAM, &forged), Err(SegmentError::Differs { what: "number of bytes" })));
}
