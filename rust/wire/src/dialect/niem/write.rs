//! A message as XML.

use std::borrow::Cow;

use crate::outbound::Outbound;

use super::table::{self, Kind, Row, TABLE};

/// A value, its row, and where the row stands in the table.
type Part<'a> = (usize, &'static Row, Cow<'a, [u8]>);

/// Appends a message to Nlets, or with `is_out` one from it. Fields that the table does not know
/// are left out. Of what XML cannot hold, control characters become question marks, and bytes that
/// are no UTF-8 are taken for Latin-1.
pub(in super::super) fn encode(out: &mut Vec<u8>, message: &Outbound<'_>, is_out: bool) {
    put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<n2:NLETS");
    for (place, (prefix, space)) in table::SPACES.into_iter().enumerate() {
        if table::SPACES.iter().take(place).any(|(known, _)| *known == prefix) {
            continue;
        }
        put(out, &format!(" xmlns:{prefix}=\"{space}\""));
    }
    put(out, &format!(" n2:version=\"{}\"><n2:NLETSMessageHeader>", table::VERSION));
    element(out, "nh2:MessageKeyCodeText", message.mke);
    element(out, "nh2:OriginatingORIID", message.origin);
    let receivers = if is_out { 1 } else { message.destinations.len() };
    for destination in message.destinations.iter().take(receivers) {
        element(out, "nh2:DestinationORIID", destination);
    }
    if let Some(control) = message.control {
        element(out, "nh2:DocumentControlFieldText", control);
    }
    if is_out {
        let stamps = [(message.received, table::RECEIVED), (message.sent, table::SENT)];
        for (stamp, [time, date, _]) in stamps {
            let mut parts = stamp.iter().flat_map(|(at, _)| at.splitn(2, |byte| *byte == b' '));
            if let (Some(hour), Some(day)) = (parts.next(), parts.next()) {
                element(out, &format!("nh2:{date}"), day);
                element(out, &format!("nh2:{time}"), hour);
            }
        }
        for (stamp, [.., count]) in stamps {
            if let Some((_, number)) = stamp {
                let number = format!("{:05}", number % 100_000);
                element(out, &format!("nh2:{count}"), number.as_bytes());
            }
        }
    }
    put(out, "</n2:NLETSMessageHeader>");
    body(out, message);
    put(out, "</n2:NLETS>");
}

fn body(out: &mut Vec<u8>, message: &Outbound<'_>) {
    let mut parts = parts(message);
    parts.sort_by_key(|(place, ..)| *place);
    let around = TABLE.body(message.mke, message.text.is_some()).trim_start_matches('/');
    put(out, &format!("<{around} n2:key=\""));
    out.extend_from_slice(message.mke);
    put(out, "\">");
    let mut open: Vec<&str> = Vec::new();
    for (_, row, value) in &parts {
        let mut names: Vec<&str> = row.path.split('/').skip(1).collect();
        let leaf = names.pop().unwrap_or_default();
        let shared = open.iter().zip(&names).take_while(|(one, other)| one == other).count();
        close(out, &mut open, shared);
        for name in names.into_iter().skip(shared) {
            begin(out, name);
            open.push(name);
        }
        element(out, leaf, value);
    }
    close(out, &mut open, 0);
    end(out, around);
}

/// The values that the table has a place for.
fn parts<'a>(message: &Outbound<'a>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut place = |field: &[u8], value: Cow<'a, [u8]>| {
        let known = TABLE.place(message.mke, field);
        parts.extend(known.map(|(at, row)| {
            let is_date = row.kind == Kind::Date;
            (at, row, if is_date { dashed(value) } else { value })
        }));
    };
    let Some(text) = message.text else {
        for (code, value) in message.fields {
            place(code, Cow::Borrowed(value));
        }
        return parts;
    };
    // A text that is nothing but pictures leaves no text.
    let (mut words, mut pictures) = (Some(text), Vec::new());
    while let Some((before, picture)) = words.and_then(last_picture) {
        pictures.push(picture);
        words = before;
    }
    if let Some(words) = words {
        place(b"TXT", Cow::Borrowed(words));
    }
    for picture in pictures.into_iter().rev() {
        place(table::PICTURE_CODE, Cow::Borrowed(picture));
    }
    parts
}

/// The picture in the last line of a text, and what stands before that line.
fn last_picture(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let start = text.windows(2).rposition(|pair| pair == b"\r\n");
    let line = text.get(start.map_or(0, |start| start + 2)..)?;
    let picture = line.strip_prefix(table::PICTURE.as_bytes())?;
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let is_picture = !picture.is_empty() && picture.iter().all(is_base64);
    is_picture.then_some((start.and_then(|start| text.get(..start)), picture))
}

/// `ccyymmdd` as XML has it; another shape stays.
fn dashed(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match &*value {
        [year @ .., m1, m2, d1, d2] if year.len() == 4 && value.iter().all(u8::is_ascii_digit) => {
            [year, b"-", &[*m1, *m2], b"-", &[*d1, *d2]].concat().into()
        }
        _ => value,
    }
}

fn element(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    begin(out, name);
    let plain = match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut characters = plain.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => put(out, "&amp;"),
            '<' => put(out, "&lt;"),
            '>' => put(out, "&gt;"),
            // A line end may stand: XML makes LF of it, and our reader CR LF of that.
            '\r' if characters.next_if_eq(&'\n').is_some() => put(out, "\r\n"),
            '\r' => put(out, "&#13;"),
            '\n' => put(out, "&#10;"),
            _ if !table::is_legal(character) => put(out, "?"),
            _ => put(out, character.encode_utf8(&mut [0; 4])),
        }
    }
    end(out, name);
}

fn begin(out: &mut Vec<u8>, name: &str) {
    put(out, "<");
    put(out, name);
    put(out, ">");
}

fn end(out: &mut Vec<u8>, name: &str) {
    put(out, "</");
    put(out, name);
    put(out, ">");
}

fn close(out: &mut Vec<u8>, open: &mut Vec<&str>, down_to: usize) {
    for name in open.drain(down_to..).rev() {
        end(out, name);
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
