//! The tools of the chaos suite do what they say: a fault that does not strike would pass every test.

use std::io::Write;
use std::time::Duration;

use harness::chaos::tools::ballast::{Ballast, SmallDisk};
use harness::chaos::tools::loop_fs::{Kind, LoopFs};
use harness::chaos::tools::nats::{Nats, Sync};
use harness::chaos::tools::store_files::{Wound, list};
use harness::chaos::tools::strace::{Flush, Strace};
use harness::chaos::tools::streams;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[test]
fn heavy_after_a_power_cut_what_was_flushed_is_there_and_what_was_not_is_not() {
    if let Err(reason) = LoopFs::possible() {
        return eprintln!("skipped: {reason}");
    }
    for kind in [Kind::Ext4, Kind::Xfs] {
        let folder = tempfile::tempdir().unwrap();
        // XFS wants 300 MB; the image is sparse.
        let mut disk = LoopFs::make(folder.path(), 320, kind).unwrap();
        let mut kept = std::fs::File::create(disk.path().join("kept")).unwrap();
        kept.write_all(b"flushed").unwrap();
        kept.sync_all().unwrap();
        std::fs::File::open(disk.path()).unwrap().sync_all().unwrap();
        std::fs::write(disk.path().join("lost"), b"not flushed").unwrap();
        drop(kept);
        disk.cut_power().unwrap();
        disk.back().unwrap();
        assert_eq!(std::fs::read(disk.path().join("kept")).unwrap(), b"flushed", "{kind:?}");
        assert!(!disk.path().join("lost").exists(), "{kind:?}");
    }
}

#[test]
fn a_ballast_takes_the_room_and_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let Ok(disk) = SmallDisk::mount(&folder.path().join("disk"), 8) else {
        return eprintln!("skipped: no file system in memory can be mounted here");
    };
    let before = disk.free().unwrap();
    let ballast = Ballast::leaving(disk.path(), 64 * 1_024).unwrap();
    assert!(disk.free().unwrap() <= 64 * 1_024);
    assert!(std::fs::write(disk.path().join("more"), vec![1; 1_024 * 1_024]).is_err());
    drop(ballast);
    std::fs::remove_file(disk.path().join("more")).unwrap();
    assert_eq!(disk.free().unwrap(), before);
}

#[test]
fn the_same_seed_wounds_alike_and_only_what_the_promises_rest_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("nats/store");
    std::fs::create_dir_all(&store).unwrap();
    std::fs::write(folder.path().join("ledger.key"), "not to be touched").unwrap();
    let whole: Vec<u8> = (0..10_000_u32).map(|byte| (byte % 251) as u8 | 1).collect();
    for seed in 0..200 {
        std::fs::write(store.join("1.blk"), &whole).unwrap();
        let places = list(folder.path()).unwrap();
        assert_eq!(places.len(), 1);
        let draw = || Wound::draw(&mut ChaCha8Rng::seed_from_u64(seed), &places).unwrap();
        assert_eq!(draw(), draw());
        draw().inflict(folder.path()).unwrap();
        assert_ne!(std::fs::read(store.join("1.blk")).ok().as_ref(), Some(&whole), "{}", draw());
    }
}

/// Publishes to a server of our own on a disk of our own while its flushes end as told, cuts the power, and gives how many
/// messages were acknowledged and how many are there afterwards.
async fn acknowledged_and_kept(flush: Option<Flush>, sync: Sync) -> Option<(usize, usize)> {
    if let Err(reason) = LoopFs::possible().and_then(|()| Strace::possible()) {
        eprintln!("skipped: {reason}");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut disk = LoopFs::make(folder.path(), 64, Kind::Ext4).unwrap();
    let mut nats = Nats::start(&disk.path().join("store"), &folder.path().join("server"), sync).unwrap();
    let client = streams::connect(&nats.url(), None).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config {
        name: "ENROLLMENT".into(),
        subjects: vec!["enrollment.*".into()],
        ..Default::default()
    };
    context.create_stream(config).await.unwrap();
    let mut acknowledged = 0;
    // Some before the fault, so that there is a file to be flushed.
    for n in 0..20 {
        let publishing = context.publish("enrollment.a", format!("{n}").into()).await.unwrap();
        acknowledged += usize::from(publishing.await.is_ok());
    }
    let strace = flush.map(|flush| Strace::attach(nats.pid(), flush).unwrap());
    for n in 0..20 {
        let publishing = context.publish("enrollment.a", format!("later {n}").into()).await.unwrap();
        let answered = tokio::time::timeout(Duration::from_millis(500), publishing).await;
        acknowledged += usize::from(matches!(answered, Ok(Ok(_))));
    }
    if let Some(strace) = &strace {
        strace.wait_for_one(Duration::from_secs(5)).unwrap();
    }
    disk.cut_power().unwrap();
    drop(strace);
    nats.kill();
    disk.back().unwrap();
    nats.again().unwrap();
    let client = streams::connect(&nats.url(), None).await.unwrap();
    let kept = streams::read_one(&client, "ENROLLMENT").await.unwrap().map_or(0, |stream| stream.lines.len());
    drop(nats);
    Some((acknowledged, kept))
}

#[tokio::test]
async fn heavy_a_server_that_flushes_keeps_what_it_acknowledged_and_a_disk_that_lies_loses_it() {
    let Some((acknowledged, kept)) = acknowledged_and_kept(None, Sync::Always).await else { return };
    assert_eq!((acknowledged, kept), (40, 40), "flushed before each answer");
    let (acknowledged, kept) = acknowledged_and_kept(None, Sync::Lazy).await.unwrap();
    assert!(acknowledged == 40 && kept < 40, "flushed every two minutes: {kept} of {acknowledged} kept");
    let (acknowledged, kept) = acknowledged_and_kept(Some(Flush::Lies), Sync::Always).await.unwrap();
    assert!(acknowledged > kept, "a disk that lies: {kept} of {acknowledged} kept");
    let (acknowledged, kept) = acknowledged_and_kept(Some(Flush::Fails), Sync::Always).await.unwrap();
    eprintln!("a disk that refuses: {kept} of {acknowledged} kept");
}
