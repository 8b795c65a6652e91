//! What must hold of any bytes, whoever sent them: no panic, ranges inside the payload, the same
//! answer for a message and for what we would write of it.
#![forbid(unsafe_code)]

use std::sync::LazyLock;

use clets_wire::framing::{dmpp, native};
use clets_wire::{Catalogue, Dialect, Envelope, Outbound, Span, decode, encode, text_form};

/// The largest frame of the fuzzed lines, bytes.
const FRAME_BYTES_MAX: usize = 4096;

static CATALOGUE: LazyLock<Result<Catalogue, String>> = LazyLock::new(Catalogue::standard);

/// A payload in a dialect.
pub fn dialect(data: &[u8], dialect: Dialect) {
    let Ok(text) = text_form(data, dialect) else { return };
    let is_xml = matches!(dialect, Dialect::NiemIn | Dialect::NiemOut);
    let found = decode(&text, dialect);
    assert!(!is_xml || found.is_ok(), "the text of XML is always read");
    let Ok(envelope) = found else { return };
    let data = &*text;
    for span in spans(&envelope) {
        assert!(span.start <= span.end && span.end as usize <= data.len(), "{span:?}");
    }
    if let Ok(catalogue) = &*CATALOGUE
        && let Some(key) = catalogue.find_message(data, &envelope)
    {
        let _ = catalogue.check(key, &envelope, data);
    }
    // What we write of it reads as the same header, for a dialect that we write.
    let written = rewritten(data, &envelope);
    let text = text_form(&written, dialect);
    assert!(!is_xml || text.is_ok(), "{text:?}");
    let Ok(written) = text else { return };
    if let Ok(again) = decode(&written, dialect) {
        let part = |span: Option<Span>, bytes: &[u8]| span.map(|span| span.of(bytes).to_vec());
        assert_eq!(part(envelope.mke, data), part(again.mke, &written));
        assert_eq!(part(envelope.origin, data), part(again.origin, &written));
        assert_eq!(part(envelope.control, data), part(again.control, &written));
    }
}

/// A stream of DMPP frames.
pub fn dmpp_stream(data: &[u8]) {
    let mut at = 0;
    while let Ok(Some((frame, size))) = dmpp::next(&data[at..], FRAME_BYTES_MAX) {
        assert!(size >= dmpp::OVERHEAD && frame.data.len() <= size);
        at += size;
    }
}

/// A stream of native frames.
pub fn native_stream(data: &[u8]) {
    let mut at = 0;
    while let Ok(Some((frame, size))) = native::next(&data[at..], FRAME_BYTES_MAX) {
        assert_eq!(size, native::OVERHEAD + frame.body.len());
        let mut again = Vec::new();
        native::encode(&mut again, &frame);
        assert_eq!(again, &data[at..at + size], "a frame has one form");
        at += size;
    }
}

fn spans(envelope: &Envelope) -> Vec<Span> {
    let parts = [
        envelope.system,
        envelope.mke,
        envelope.origin,
        envelope.control,
        envelope.reference,
        envelope.user,
        envelope.station,
        envelope.text,
    ];
    let mut spans: Vec<Span> = parts.into_iter().flatten().collect();
    spans.extend(&envelope.destinations);
    spans.extend(envelope.fields.iter().flat_map(|field| [field.code_span(), field.value]));
    spans
}

fn rewritten(data: &[u8], envelope: &Envelope) -> Vec<u8> {
    let part = |span: Option<Span>| span.map(|span| span.of(data)).unwrap_or_default();
    let destinations: Vec<&[u8]> = envelope.destinations.iter().map(|it| it.of(data)).collect();
    let fields: Vec<(&[u8], &[u8])> =
        envelope.fields.iter().map(|it| (it.code_span().of(data), it.value.of(data))).collect();
    let mut out = Vec::new();
    encode(
        &mut out,
        envelope.dialect,
        &Outbound {
            mke: part(envelope.mke),
            system: envelope.system.map(|span| span.of(data)),
            federal_only: envelope.federal_only,
            origin: part(envelope.origin),
            destinations: &destinations,
            control: envelope.control.map(|span| span.of(data)),
            reference: part(envelope.reference),
            user: part(envelope.user),
            station: part(envelope.station),
            fields: &fields,
            text: envelope.text.map(|span| span.of(data)),
            received: envelope.received.map(|stamp| (stamp.at.of(data), 0)),
            sent: envelope.sent.map(|stamp| (stamp.at.of(data), 0)),
        },
    );
    out
}
