//! The conformance corpus under `tests/golden`: what each message says, that writing it again gives
//! its bytes, and that a framed message is the same however its bytes are split.

#![cfg(test)]

use std::path::Path;

use clets_wire::{
    Dialect, Envelope, FrameBuffer, FrameError, Outbound, Span, decode, decode_address, dmpp,
    encode, native, text_form,
};
use serde::Deserialize;
use serde_json::Value;

const DMPP: &str = "dmpp";
const MESSAGES_MIN: usize = 400;
const LIMIT: usize = 64 * 1024;

/// One line of the corpus; `message` has one character for each byte.
#[derive(Deserialize)]
struct Case {
    id: String,
    family: String,
    message: String,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        self.message.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    }
}

fn corpus() -> Vec<(String, Case, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut cases = Vec::new();
    for dialect in Dialect::ALL.map(Dialect::name).into_iter().chain([DMPP]) {
        let text = std::fs::read_to_string(folder.join(format!("{dialect}.jsonl"))).unwrap();
        for line in text.lines() {
            let case = serde_json::from_str(line).unwrap();
            cases.push((dialect.to_owned(), case, line.to_owned()));
        }
    }
    cases
}

/// The payloads of a recording of DMPP frames, the text of XML, or the message itself.
fn payload(dialect: &str, bytes: &[u8]) -> (Dialect, Vec<u8>) {
    let Some(known) = Dialect::parse(dialect) else {
        let (mut rest, mut whole) = (bytes, Vec::new());
        while let Some((frame, used)) = dmpp::next(rest, LIMIT).unwrap() {
            whole.extend_from_slice(frame.data);
            rest = &rest[used..];
        }
        assert!(rest.is_empty());
        return (Dialect::Clets, whole);
    };
    (known, text_form(bytes, known).unwrap().into_owned())
}

/// The envelope as `clets decode` prints it: the keys in that order, and what is absent null.
fn printed(dialect: &str, envelope: &Envelope, bytes: &[u8]) -> String {
    let text = |span: Span| Value::from(String::from_utf8(span.of(bytes).to_vec()).unwrap());
    let part = |span: Option<Span>| span.filter(|s| !s.is_empty()).map_or(Value::Null, text);
    let names = envelope.system.iter().chain(&envelope.destinations).copied().map(text);
    let names: Vec<Value> = names.collect();
    let number = |span: Span| Value::from(text(span).as_str().unwrap().parse::<u32>().unwrap());
    let parts = [
        ("dialect", Value::from(dialect).to_string()),
        ("mke", part(envelope.mke).to_string()),
        ("origin", part(envelope.origin).to_string()),
        ("destinations", if names.is_empty() { Value::Null } else { names.into() }.to_string()),
        ("control", part(envelope.control).to_string()),
        ("reference", part(envelope.reference).to_string()),
        ("user", part(envelope.user).to_string()),
        ("station", part(envelope.station).to_string()),
        ("fields", fields(envelope, bytes)),
        ("text", part(envelope.text).to_string()),
        ("received_at", part(envelope.received.map(|stamp| stamp.at)).to_string()),
        ("sent_at", part(envelope.sent.map(|stamp| stamp.at)).to_string()),
        (
            "in_count",
            envelope.received.map_or(Value::Null, |stamp| number(stamp.count)).to_string(),
        ),
        ("out_count", envelope.sent.map_or(Value::Null, |stamp| number(stamp.count)).to_string()),
    ];
    let parts = parts.map(|(key, value)| format!("\"{key}\":{value}"));
    format!("{{{}}}", parts.join(","))
}

/// The fields in their order; a code that stands several times has a list.
fn fields(envelope: &Envelope, bytes: &[u8]) -> String {
    let text = |span: Span| String::from_utf8(span.of(bytes).to_vec()).unwrap();
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for field in &envelope.fields {
        let (code, value) = (text(field.code_span()), text(field.value));
        match found.iter_mut().find(|(known, _)| *known == code) {
            Some((_, values)) => values.push(value),
            None => found.push((code, vec![value])),
        }
    }
    let parts: Vec<String> = found
        .iter()
        .map(|(code, values)| match values.as_slice() {
            [value] => format!("\"{code}\":{}", Value::from(value.as_str())),
            _ => format!("\"{code}\":{}", Value::from(values.clone())),
        })
        .collect();
    if parts.is_empty() { "null".to_owned() } else { format!("{{{}}}", parts.join(",")) }
}

/// Writes a message again from its parts.
fn written(envelope: &Envelope, bytes: &[u8]) -> Vec<u8> {
    let of = |span: Span| span.of(bytes);
    let destinations: Vec<&[u8]> = envelope.destinations.iter().copied().map(of).collect();
    let fields: Vec<(&[u8], &[u8])> =
        envelope.fields.iter().map(|field| (of(field.code_span()), of(field.value))).collect();
    let count = |span: Span| std::str::from_utf8(of(span)).unwrap().parse().unwrap();
    let mut out = Vec::new();
    encode(
        &mut out,
        envelope.dialect,
        &Outbound {
            mke: envelope.mke.map(of).unwrap_or_default(),
            system: envelope.system.map(of),
            federal_only: envelope.federal_only,
            origin: envelope.origin.map(of).unwrap_or_default(),
            destinations: &destinations,
            control: envelope.control.map(of),
            reference: envelope.reference.map(of).unwrap_or_default(),
            user: envelope.user.map(of).unwrap_or_default(),
            station: envelope.station.map(of).unwrap_or_default(),
            fields: &fields,
            text: envelope.text.map(of),
            received: envelope.received.map(|stamp| (of(stamp.at), count(stamp.count))),
            sent: envelope.sent.map(|stamp| (of(stamp.at), count(stamp.count))),
        },
    );
    out
}

#[test]
fn every_message_decodes_as_written_down() {
    let corpus = corpus();
    assert!(corpus.len() >= MESSAGES_MIN, "{} messages", corpus.len());
    for (dialect, case, line) in &corpus {
        let (known, bytes) = payload(dialect, &case.bytes());
        let envelope = decode(&bytes, known).unwrap_or_else(|error| panic!("{}: {error}", case.id));
        let found = printed(dialect, &envelope, &bytes);
        assert!(
            line.ends_with(&format!("\"decoded\":{found}}}")),
            "{} ({}):\n{line}\n{found}",
            case.id,
            case.family
        );
    }
}

#[test]
fn the_address_alone_is_that_of_the_whole_message() {
    let mut read = 0;
    for (dialect, case, _) in &corpus() {
        let (known, bytes) = payload(dialect, &case.bytes());
        let whole = decode(&bytes, known).unwrap();
        let found = decode_address(&bytes, known);
        assert_eq!(found.is_some(), known == Dialect::Clets, "{}", case.id);
        let Some(found) = found else { continue };
        let address = |it: &Envelope| (it.dialect, it.system, it.federal_only, it.mke, it.origin);
        assert_eq!(address(&found), address(&whole), "{}", case.id);
        read += 1;
    }
    assert!(read >= 100, "{read}");
}

#[test]
fn writing_what_was_read_gives_the_same_bytes() {
    for (dialect, case, _) in &corpus() {
        let (known, bytes) = payload(dialect, &case.bytes());
        let envelope = decode(&bytes, known).unwrap();
        let again = written(&envelope, &bytes);
        let wanted = if dialect == DMPP { bytes } else { case.bytes() };
        assert_eq!(
            String::from_utf8_lossy(&again),
            String::from_utf8_lossy(&wanted),
            "{}",
            case.id
        );
    }
}

/// What a line reads, frame by frame: kind or function, and the data.
type Found = Result<Option<((u16, Vec<u8>), usize)>, FrameError>;
type Take = fn(&[u8]) -> Found;

fn take_dmpp(bytes: &[u8]) -> Found {
    let found = dmpp::next(bytes, LIMIT)?;
    Ok(found.map(|(frame, used)| ((frame.function, frame.data.to_vec()), used)))
}

fn take_native(bytes: &[u8]) -> Found {
    let found = native::next(bytes, LIMIT)?;
    Ok(found.map(|(frame, used)| ((frame.kind as u16, frame.body.to_vec()), used)))
}

fn read(pieces: &[&[u8]], take: Take) -> Vec<(u16, Vec<u8>)> {
    let mut buffer = FrameBuffer::new(LIMIT);
    let mut frames = Vec::new();
    for piece in pieces {
        buffer.recv_slice()[..piece.len()].copy_from_slice(piece);
        buffer.advance(piece.len());
        while let Some((frame, used)) = take(buffer.pending()).unwrap() {
            frames.push(frame);
            buffer.consume(used);
        }
    }
    assert!(buffer.pending().is_empty());
    frames
}

#[test]
fn every_split_of_a_framed_message_gives_the_same_frames() {
    for (dialect, case, _) in &corpus() {
        let bytes = case.bytes();
        let mut streams: Vec<(Vec<u8>, Take)> = Vec::new();
        if dialect == DMPP {
            streams.push((bytes, take_dmpp));
        } else {
            let mut stream = Vec::new();
            dmpp::encode(&mut stream, dmpp::function::DATA_ACK, *b"0001", 1, 1, &bytes);
            streams.push((stream, take_dmpp));
            let mut stream = Vec::new();
            let frame = native::Frame {
                kind: native::Kind::Data,
                precedence: 2,
                flags: 0,
                code: 0,
                sequence: 7,
                body: &bytes,
            };
            native::encode(&mut stream, &frame);
            streams.push((stream, take_native));
        }
        for (stream, take) in streams {
            let whole = read(&[&stream], take);
            assert!(!whole.is_empty(), "{}", case.id);
            for at in 0..=stream.len() {
                let (left, right) = stream.split_at(at);
                assert_eq!(read(&[left, right], take), whole, "{} split at {at}", case.id);
            }
            let bytewise: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(read(&bytewise, take), whole, "{} byte by byte", case.id);
        }
    }
}
