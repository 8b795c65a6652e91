//! `docs/internals/journal-format.md` taken at its word: a reader and a forger written from it,
//! sharing no code with the crate.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clets_journal::{OwnedRecord, verify_on};
use sha2::{Digest, Sha256};

use crate::disk::MemoryDisk;
use crate::script::{dir, expected, open, options, unsigned, written};

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn sum(segment: &[u8], at: usize, length: usize) -> u32 {
    let mut covered = segment[12..16].to_vec();
    covered.extend_from_slice(&segment[at + 4..at + 29 + length]);
    crc32c::crc32c(&covered)
}

/// Records of one segment as `(offset, record, leaf)`.
fn stranger(segment: &[u8]) -> Vec<(usize, OwnedRecord, Vec<u8>)> {
    assert_eq!(&segment[..8], b"CLETSJNL");
    assert_eq!(u32_at(segment, 8), 1);
    assert_eq!(u64_at(segment, 24), segment.len() as u64);
    assert_eq!(u32_at(segment, 4092), crc32c::crc32c(&segment[..4092]));
    let mut records = Vec::new();
    let mut at = 4096;
    while at + 29 <= segment.len() && segment[at..at + 29].iter().any(|byte| *byte != 0) {
        let length = u32_at(segment, at + 4) as usize;
        assert_eq!(u32_at(segment, at), sum(segment, at, length));
        assert!(u16_at(segment, at + 8) < u16_at(segment, at + 10));
        let record = OwnedRecord {
            number: u64_at(segment, at + 12),
            kind: segment[at + 28],
            time_us: u64_at(segment, at + 20) as i64,
            body: segment[at + 29..at + 29 + length].to_vec(),
        };
        records.push((at, record, segment[at + 12..at + 29 + length].to_vec()));
        at += (29 + length).next_multiple_of(8);
    }
    records
}

fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
    if leaves.len() < 2 {
        return Sha256::digest([&[0][..], &leaves[0]].concat()).to_vec();
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = (root(&leaves[..split]), root(&leaves[split..]));
    Sha256::digest([&[1][..], &left, &right].concat()).to_vec()
}

fn segments(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<(PathBuf, Vec<u8>)> {
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|name| name == "segment");
    let begun = |bytes: &Vec<u8>| bytes.iter().any(|byte| *byte != 0);
    let found = files.iter().filter(|(path, bytes)| is_segment(path) && begun(bytes));
    found.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
}

#[test]
fn a_stranger_reads_the_same_records_and_root() {
    let disk = written(&[3, 1, 9, 9, 9, 9, 9, 9, 4], options());
    let segments = segments(&disk.files());
    assert!(segments.len() > 1);
    let mut leaves = Vec::new();
    for (_, segment) in &segments {
        assert_eq!(u64_at(segment, 32), leaves.len() as u64);
        for (_, record, leaf) in stranger(segment) {
            assert_eq!(record, expected(leaves.len() as u64));
            leaves.push(leaf);
        }
    }
    let report = verify_on(disk.storage(), dir(), None).unwrap();
    assert_eq!((report.records, &report.root[..]), (leaves.len() as u64, &root(&leaves)[..]));
}

/// Changes one byte of the record at `at` and mends its check sum.
fn forge(segment: &[u8], at: usize, length: usize) -> Vec<u8> {
    let mut forged = segment.to_vec();
    forged[at + 29] ^= 1;
    let mended = sum(&forged, at, length);
    forged[at..at + 4].copy_from_slice(&mended.to_be_bytes());
    forged
}

#[test]
fn without_any_checkpoint_the_next_header_finds_a_forger() {
    let mut files = written(&[9; 8], unsigned()).files();
    files.retain(|path, _| !path.ends_with("checkpoint") && !path.ends_with("checkpoint.history"));
    let mut segments = segments(&files);
    segments.pop();
    assert!(segments.len() > 1);
    for (path, segment) in segments {
        for (at, record, _) in stranger(&segment) {
            let mut files = files.clone();
            files.insert(path.clone(), forge(&segment, at, record.body.len()));
            let disk = MemoryDisk::with_files(&files);
            let error = verify_on(disk.storage(), dir(), None).unwrap_err();
            assert_eq!(error.code(), 602, "record {}: {error}", record.number);
        }
    }
}

#[test]
fn a_forger_who_mends_the_check_sum_is_found_by_the_tree() {
    let disk = written(&[3, 1, 9, 9, 9, 9, 9, 9, 4], options());
    let files = disk.files();
    let (last, _) = segments(&files).pop().unwrap();
    for (path, segment) in segments(&files) {
        for (at, record, _) in stranger(&segment) {
            let forged = forge(&segment, at, record.body.len());
            let mut files = files.clone();
            files.insert(path.clone(), forged);
            // Opening sees it too as far as it looks: behind the last header, up to the checkpoint.
            if path == last {
                let disk = MemoryDisk::with_files(&files);
                assert_eq!(open(disk.storage(), options()).err().unwrap().code(), 603);
            }
            let error =
                verify_on(MemoryDisk::with_files(&files).storage(), dir(), None).unwrap_err();
            assert!(matches!(error.code(), 602 | 603), "record {}: {error}", record.number);
        }
    }
}
