//! What a disk, a crash or a hand may do to the files, and that it is never taken for the truth.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clets_journal::{Error, Report, verify_on};

use crate::disk::{MemoryDisk, splitmix};
use crate::script::{batch, count, dir, expected, open, options, settle, unsigned, written};

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn segment(number: u64) -> PathBuf {
    dir().join(format!("{number:020}.segment"))
}

fn verify(files: &Files) -> Result<Report, Error> {
    verify_on(MemoryDisk::with_files(files).storage(), dir(), None)
}

fn reopen(files: &Files) -> Result<u64, Error> {
    open(MemoryDisk::with_files(files).storage(), options()).map(|journal| journal.next_number())
}

/// Offset behind the last record of a segment.
fn end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// A journal of these batches as a crash leaves it: no checkpoint has been signed.
fn crashed(batches: &[u64]) -> Files {
    let disk = MemoryDisk::new(3);
    let mut journal = open(disk.storage(), unsigned()).unwrap();
    for records in batches {
        batch(&mut journal, *records).unwrap();
        settle(&journal).unwrap();
    }
    let files = disk.durable_only().files();
    drop(journal);
    files
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_to_the_batch_before() {
    let before = crashed(&[2, 3]);
    let whole = crashed(&[2, 3, 2]);
    let path = segment(0);
    let (from, to) = (end(&before[&path]).next_multiple_of(8), end(&whole[&path]));
    assert!(to - from > 60);
    for cut in from..to {
        let mut files = whole.clone();
        files.get_mut(&path).unwrap()[cut..].fill(0);
        let report = verify(&files).unwrap();
        assert_eq!((report.records, report.torn_tail), (5, cut > from), "cut at {cut}");
        assert_eq!(count(MemoryDisk::with_files(&files).storage()).unwrap(), 5);
        let disk = MemoryDisk::with_files(&files);
        let mut journal = open(disk.storage(), options()).unwrap();
        assert_eq!(journal.next_number(), 5);
        batch(&mut journal, 2).unwrap();
        journal.close().unwrap();
        let report = verify_on(disk.storage(), dir(), None).unwrap();
        assert_eq!((report.records, report.torn_tail), (7, false));
    }
}

#[test]
fn a_batch_of_which_only_the_end_arrived_is_torn_too() {
    // Sectors of one write may arrive in any order: sound records behind a hole are no damage as
    // long as they are of that same write.
    let before = crashed(&[2]);
    let mut files = crashed(&[2, 9]);
    let bytes = files.get_mut(&segment(0)).unwrap();
    let from = end(&before[&segment(0)]).next_multiple_of(8);
    bytes[from..from + 200].fill(0);
    let report = verify(&files).unwrap();
    assert_eq!((report.records, report.torn_tail), (2, true));
    assert_eq!(reopen(&files).unwrap(), 2);
}

#[test]
fn a_hole_before_a_later_batch_is_refused() {
    let before = crashed(&[2]);
    let mut files = crashed(&[2, 9, 1]);
    let from = end(&before[&segment(0)]).next_multiple_of(8);
    files.get_mut(&segment(0)).unwrap()[from..from + 200].fill(0);
    assert_eq!(verify(&files).unwrap_err().code(), 602);
    assert_eq!(reopen(&files).unwrap_err().code(), 602);
}

#[test]
fn any_flipped_bit_of_a_closed_journal_is_found() {
    let files = written(&[2, 1, 3, 12, 15], options()).files();
    let report = verify(&files).unwrap();
    assert_eq!((report.records, report.signed, report.segments), (33, 33, 2), "{report:?}");
    assert!(report.checkpoints >= 1);
    for (path, bytes) in &files {
        if path.ends_with("checkpoint.key") || path.ends_with("lock") {
            continue;
        }
        // Every byte but in long runs of zeros, of which one in 61.
        let blank = |at: usize| bytes[at.saturating_sub(16)..at].iter().all(|byte| *byte == 0);
        let places = (0..bytes.len()).filter(|at| bytes[*at] != 0 || !blank(*at) || at % 61 == 0);
        for at in places {
            let mut damaged = files.clone();
            damaged.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
            match verify(&damaged) {
                Err(error) => assert!(matches!(error.code(), 602 | 603), "{error}"),
                // In the blank rest it looks like a write that never ended; no record is missing.
                Ok(found) => {
                    assert!(found.torn_tail, "byte {at} of {}", path.display());
                    assert_eq!((found.records, found.root), (report.records, report.root));
                }
            }
        }
    }
}

#[test]
fn any_flipped_bit_after_a_crash_is_found_or_in_the_last_batch() {
    let files = crashed(&[2, 1, 3]);
    let last = end(&crashed(&[2, 1])[&segment(0)]).next_multiple_of(8);
    let bytes = &files[&segment(0)];
    for at in 0..bytes.len() {
        let mut damaged = files.clone();
        damaged.get_mut(&segment(0)).unwrap()[at] ^= 1 << (at % 8);
        match verify(&damaged) {
            Err(error) => assert_eq!(error.code(), 602, "byte {at}: {error}"),
            Ok(report) => {
                assert!(at >= last && report.torn_tail, "byte {at}");
                assert!(report.records == 3 || at >= end(bytes), "byte {at}");
            }
        }
        assert_eq!(verify(&damaged).is_ok(), reopen(&damaged).is_ok(), "byte {at}");
    }
}

#[test]
fn opening_refuses_what_a_checkpoint_covers_and_is_gone() {
    let files = written(&[2, 1, 3], options()).files();
    let last = end(&crashed(&[2, 1])[&segment(0)]).next_multiple_of(8);
    let mut cut = files;
    cut.get_mut(&segment(0)).unwrap()[last..].fill(0);
    assert_eq!(reopen(&cut).unwrap_err().code(), 602);
    assert_eq!(verify(&cut).unwrap_err().code(), 602);
    // It refuses before it changes anything.
    let disk = MemoryDisk::with_files(&cut);
    assert!(open(disk.storage(), options()).is_err());
    assert_eq!(disk.files()[&segment(0)], cut[&segment(0)]);
}

#[test]
fn damage_in_an_older_segment_ends_the_journal_before_the_first_append() {
    let mut damaged = written(&[10; 20], options()).files();
    damaged.get_mut(&segment(1)).unwrap()[5000] ^= 1;
    let disk = MemoryDisk::with_files(&damaged);
    let (mut journal, recovery) =
        clets_journal::Journal::open_on(disk.storage(), dir(), options(), Box::new(|| {})).unwrap();
    let results: Vec<_> = recovery.collect();
    assert_eq!(results.last().unwrap().as_ref().unwrap_err().code(), 602);
    assert_eq!(journal.append(0, 0, b"").unwrap_err().code(), 602);
    assert_eq!(journal.failure().unwrap().code(), 602);
    assert_eq!(journal.close().unwrap_err().code(), 602);
    assert_eq!(verify(&damaged).unwrap_err().code(), 602);
}

#[test]
fn lost_exchanged_and_shortened_segments_are_found() {
    let files = written(&[10; 20], options()).files();
    let segments: Vec<_> = files.keys().filter(|path| path.ends_with_segment()).cloned().collect();
    let last = segments.len() - 1;
    assert!(last > 3);
    let refused = |files: &Files, what: &str| {
        assert_eq!(verify(files).unwrap_err().code(), 602, "{what}");
        assert_eq!(reopen(files).unwrap_err().code(), 602, "{what}");
    };
    for (at, path) in segments.iter().enumerate() {
        let mut lost = files.clone();
        lost.remove(path);
        // Without the first, records are missing at the front, as after a removal on purpose: the
        // report says so. Without the last, nothing is missing: it is prepared and unused.
        if at == 0 {
            assert!(verify(&lost).unwrap().first_number > 0);
        } else if at < last {
            refused(&lost, "lost");
        }
        let mut shorter = files.clone();
        shorter.get_mut(path).unwrap().truncate(6000);
        if at < last {
            refused(&shorter, "shortened");
        }
        if at + 1 < last {
            let mut exchanged = files.clone();
            let next = files[&segments[at + 1]].clone();
            let this = exchanged.insert(path.clone(), next).unwrap();
            exchanged.insert(segments[at + 1].clone(), this);
            refused(&exchanged, "exchanged");
        }
    }
}

trait SegmentName {
    fn ends_with_segment(&self) -> bool;
}

impl SegmentName for PathBuf {
    fn ends_with_segment(&self) -> bool {
        self.extension().is_some_and(|extension| extension == "segment")
    }
}

#[test]
fn segments_removed_from_the_front_leave_a_journal_that_verifies_and_goes_on() {
    let whole = written(&[10; 20], options()).files();
    let mut pruned = whole.clone();
    pruned.remove(&segment(0));
    pruned.remove(&segment(1));
    let (before, after) = (verify(&whole).unwrap(), verify(&pruned).unwrap());
    assert_eq!((before.root, before.signed), (after.root, after.signed));
    assert_eq!(after.first_number + after.records, before.records);
    let disk = MemoryDisk::with_files(&pruned);
    let (mut journal, recovery) =
        clets_journal::Journal::open_on(disk.storage(), dir(), options(), Box::new(|| {})).unwrap();
    let records: Vec<_> = recovery.map(Result::unwrap).collect();
    assert_eq!(records[0], expected(after.first_number));
    assert_eq!(records.len() as u64, after.records);
    batch(&mut journal, 1).unwrap();
    journal.close().unwrap();
    assert_eq!(verify(&disk.files()).unwrap().records, after.records + 1);
}

#[test]
fn checkpoint_files_that_do_not_belong_together_are_refused() {
    let files = written(&[2, 2, 2], options()).files();
    let text = |name: &str| String::from_utf8(files[&dir().join(name)].clone()).unwrap();
    let with = |name: &str, text: Option<String>| {
        let mut files = files.clone();
        match text {
            Some(text) => files.insert(dir().join(name), text.into_bytes()),
            None => files.remove(&dir().join(name)),
        };
        files
    };
    let refused = |files: &Files| {
        assert_eq!(verify(files).unwrap_err().code(), 603);
        assert_eq!(reopen(files).unwrap_err().code(), 603);
    };
    refused(&with("checkpoint.history", None));
    refused(&with("checkpoint", Some(text("checkpoint").replace("\n6\n", "\n5\n"))));
    refused(&with("checkpoint", Some(String::new())));
    let history = text("checkpoint.history");
    refused(&with("checkpoint.history", Some(history.replacen("\n6\n", "\n7\n", 1))));
    refused(&with("checkpoint.history", Some(format!("{history}{history}x")[1..].to_owned())));
    // The key of another journal of the same name.
    let other = MemoryDisk::new(77);
    open(other.storage(), options()).unwrap().close().unwrap();
    let vkey = other.files()[&dir().join("checkpoint.vkey")].clone();
    refused(&with("checkpoint.vkey", Some(String::from_utf8(vkey).unwrap())));
    // A private key that was lost is not quietly replaced.
    assert_eq!(reopen(&with("checkpoint.key", None)).unwrap_err().code(), 603);
    // What a crash leaves: no checkpoint yet, or half a note behind the whole ones.
    assert_eq!(reopen(&with("checkpoint", None)).unwrap(), 6);
    let note = &history[..history.find("\n\n").unwrap() + 100];
    for piece in [
        note[..70].to_owned(),
        format!("{}{}", "\0".repeat(40), &note[40..]),
        format!("{}\n\n", &note[40..]),
    ] {
        let torn = with("checkpoint.history", Some(format!("{history}{piece}")));
        assert_eq!(reopen(&torn).unwrap(), 6);
        verify(&torn).unwrap();
        let disk = MemoryDisk::with_files(&torn);
        let mut journal = open(disk.storage(), options()).unwrap();
        batch(&mut journal, 1).unwrap();
        journal.close().unwrap();
        assert_eq!(verify(&disk.files()).unwrap().signed, 7);
    }
}

/// What became of a damage.
#[derive(Debug, Default)]
struct Tally {
    found: usize,
    /// As if a write had never ended: at most the last, unsigned batch is missing.
    torn: usize,
    /// Where nothing stands: every record is there.
    harmless: usize,
}

/// One sound journal, and what must be left of it at least.
struct Sound {
    files: Files,
    records: u64,
    /// Records without the last batch, where no checkpoint covers that.
    least: u64,
}

impl Sound {
    fn new(seed: u64) -> Self {
        let batches: Vec<u64> = (0..12).map(|at| 1 + splitmix(seed * 100 + at) % 15).collect();
        let records = batches.iter().sum();
        let signed = seed.is_multiple_of(2);
        let files = if signed { written(&batches, options()).files() } else { crashed(&batches) };
        let least = if signed { records } else { records - batches[11] };
        Self { files, records, least }
    }

    fn segments(&self) -> Vec<PathBuf> {
        self.files.keys().filter(|path| path.ends_with_segment()).cloned().collect()
    }

    /// Each record that a damaged journal still gives is the one that was written (`reopen` looks),
    /// and none is missing but with a word.
    fn judge(&self, damaged: &Files, tally: &mut Tally, what: &str) {
        let (report, reopened) = (verify(damaged), reopen(damaged));
        if let (Ok(report), Ok(left)) = (&report, &reopened) {
            let (least, records) = (self.least, self.records);
            assert!((least..=records).contains(left), "{what}: {left} of {least} to {records}");
            assert_eq!(report.records, *left, "{what}");
            let torn = *left < self.records;
            assert!(!torn || report.torn_tail, "{what}: a loss without a word");
            *(if torn { &mut tally.torn } else { &mut tally.harmless }) += 1;
        } else {
            for code in [report.err(), reopened.err()].into_iter().flatten().map(|it| it.code()) {
                assert!((602..=604).contains(&code), "{what}: E{code}");
            }
            tally.found += 1;
        }
    }
}

#[test]
fn ten_thousand_flips_two_thousand_cuts_and_five_hundred_lost_or_swapped_segments() {
    const JOURNALS: u64 = 20;
    let [mut flips, mut cuts, mut lost] = [Tally::default(), Tally::default(), Tally::default()];
    for seed in 0..JOURNALS {
        let sound = Sound::new(seed);
        let mut random = seed;
        let mut roll = |sides: usize| {
            random = splitmix(random);
            random as usize % sides
        };
        let mut control = Tally::default();
        sound.judge(&sound.files, &mut control, "no damage");
        assert_eq!((control.found, control.torn, control.harmless), (0, 0, 1));
        // The lock is empty, and only its name counts.
        let paths: Vec<_> = sound.files.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
        for at in 0..500 {
            let (path, bytes) = paths[roll(paths.len())];
            // Half of them where something stands.
            let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
            let bit = roll(8 * if at % 2 == 0 { used } else { bytes.len() });
            let mut damaged = sound.files.clone();
            damaged.get_mut(path).unwrap()[bit / 8] ^= 1 << (bit % 8);
            sound.judge(&damaged, &mut flips, &format!("bit {bit} of {}", path.display()));
        }
        for _ in 0..100 {
            let (path, bytes) = paths[roll(paths.len())];
            let length = roll(bytes.len());
            let mut damaged = sound.files.clone();
            damaged.get_mut(path).unwrap().truncate(length);
            sound.judge(&damaged, &mut cuts, &format!("{} cut to {length}", path.display()));
        }
        let segments = sound.segments();
        for at in 0..25 {
            let mut damaged = sound.files.clone();
            let one = roll(segments.len());
            let other = (one + 1 + roll(segments.len() - 1)) % segments.len();
            // That there was a last one, a checkpoint alone can tell.
            let told = sound.least == sound.records || one + 1 < segments.len();
            if at % 2 == 0 && one > 0 && told {
                damaged.remove(&segments[one]);
            } else {
                damaged.insert(segments[one].clone(), sound.files[&segments[other]].clone());
                damaged.insert(segments[other].clone(), sound.files[&segments[one]].clone());
            }
            sound.judge(&damaged, &mut lost, &format!("segments {one}, {other}, {at}"));
        }
    }
    let told = format!("{flips:?} {cuts:?} {lost:?}");
    assert_eq!(flips.found + flips.torn + flips.harmless, 10_000, "{told}");
    assert!(flips.found > 8_000 && flips.torn > 50 && flips.harmless > 200, "{told}");
    assert!(cuts.found > 1_900, "{told}");
    assert!(lost.found > 400, "{told}");
}
