//! XML to Nlets text.

use quick_xml::NsReader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use crate::code;
use crate::error::DecodeError;
use crate::limits::{
    DESTINATIONS_MAX, FIELDS_MAX, KEY_BYTES_MAX, MEMBER_BYTES, NLETS_CONTROL_BYTES_MAX,
    XML_ATTRIBUTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX, XML_NAME_BYTES_MAX,
};
use crate::outbound::Outbound;

use super::super::nlets;
use super::super::pieces::is_ori;
use super::table::{self, Kind, TABLE};

/// Puts a payload into Nlets text: input text, or with `is_out` output text. Whatever this gives,
/// [`nlets`] reads.
///
/// Time is linear in `bytes.len()`; nothing outside the payload is read, and no entity expanded.
///
/// # Errors
///
/// E201 no XML, or no Nlets message; E202 a destination malformed; E203 a header part missing or
/// malformed; E204 more fields, destinations, elements, attributes or levels than allowed.
pub(in super::super) fn text_of(bytes: &[u8], is_out: bool) -> Result<Vec<u8>, DecodeError> {
    let xml = std::str::from_utf8(bytes)
        .map_err(|bad| structure(bad.valid_up_to(), "XML in the UTF-8 encoding"))?;
    let offset = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(xml.len());
    let mut message = Message::default();
    let mut reader = NsReader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    loop {
        let at = offset(reader.buffer_position());
        let Ok(event) = reader.read_event() else {
            return Err(structure(offset(reader.error_position()), "well-formed XML"));
        };
        match event {
            Event::Start(start) => {
                let (space, _) = reader.resolver().resolve_element(start.name());
                message.open(&space, &start, at)?;
            }
            Event::End(_) => message.close()?,
            // XML makes LF of every line end that is no reference; text has CR LF.
            Event::Text(text) => message.text(&text.xml10_content().replace('\n', CRLF), at)?,
            Event::CData(text) => message.text(&text.xml10_content().replace('\n', CRLF), at)?,
            Event::GeneralRef(reference) => message.reference(&reference, at)?,
            Event::Decl(declaration) => check_encoding(&declaration, at)?,
            Event::DocType(_) => return Err(structure(at, "no document type")),
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof => return message.finish(xml.len(), is_out),
        }
    }
}

const CRLF: &str = "\r\n";

/// The value of an element, and where the element begins.
#[derive(Debug)]
struct Found {
    value: String,
    at: usize,
}

/// A message as far as it was read.
#[derive(Debug, Default)]
struct Message {
    /// The names of the open elements, each behind a slash, as the table writes them.
    path: String,
    /// For each open element: how long `path` was before it, and where it begins.
    open: Vec<(usize, usize)>,
    /// What stands in the innermost open element so far.
    value: String,
    /// No element was closed in the innermost open one.
    is_leaf: bool,
    elements: usize,
    is_over: bool,
    /// The key that the body names.
    key: Option<Found>,
    leaves: Vec<(String, Found)>,
}

impl Message {
    fn open(
        &mut self,
        space: &ResolveResult<'_>,
        start: &BytesStart<'_>,
        at: usize,
    ) -> Result<(), DecodeError> {
        let name = start.local_name();
        let name = name.into_inner();
        self.elements += 1;
        if self.elements > XML_ELEMENTS_MAX {
            return Err(too_many(at, "at most 4,096 elements"));
        }
        if self.open.len() == XML_DEPTH_MAX {
            return Err(too_many(at, "elements at most 16 levels deep"));
        }
        if name.len() > XML_NAME_BYTES_MAX {
            return Err(too_many(at, "names of at most 128 bytes"));
        }
        let prefix = match space {
            ResolveResult::Bound(space) => table::prefix_of(space.into_inner()),
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(_) => {
                return Err(structure(at, "a namespace for each prefix"));
            }
        };
        if self.is_over {
            return Err(structure(at, "one message"));
        }
        let mut key = None;
        for (place, attribute) in start.attributes().enumerate() {
            if place == XML_ATTRIBUTES_MAX {
                return Err(too_many(at, "at most 32 attributes"));
            }
            let attribute = attribute.map_err(|_| structure(at, "attributes with values"))?;
            let is_namespace = attribute.key.as_namespace_binding().is_some();
            if !is_namespace && attribute.key.local_name().into_inner() == "key" {
                let value = unescape(&attribute.value)
                    .map_err(|_| structure(at, "a character, and no entity"))?;
                key = Some(Found { value: value.trim().to_owned(), at });
            }
        }
        self.open.push((self.path.len(), at));
        for part in ["/", prefix, ":", name] {
            self.path.push_str(part);
        }
        match self.open.len() {
            1 if self.path != table::ROOT => {
                return Err(structure(at, "the element NLETS of http://www.nlets.org/niem/1.0"));
            }
            2 if key.is_some() => self.key = key,
            _ => {}
        }
        self.value.clear();
        self.is_leaf = true;
        Ok(())
    }

    fn close(&mut self) -> Result<(), DecodeError> {
        let Some((before, at)) = self.open.pop() else {
            return Err(structure(0, "well-formed XML"));
        };
        if self.is_leaf {
            let path = self.path.strip_prefix(table::ROOT).unwrap_or_default();
            let value = std::mem::take(&mut self.value);
            self.leaves.push((path.to_owned(), Found { value, at }));
        }
        self.path.truncate(before);
        self.value.clear();
        self.is_leaf = false;
        self.is_over = self.open.is_empty();
        Ok(())
    }

    fn text(&mut self, text: &str, at: usize) -> Result<(), DecodeError> {
        if self.open.is_empty() {
            let is_blank = text.trim_start_matches('\u{FEFF}').trim().is_empty();
            return if is_blank { Ok(()) } else { Err(structure(at, "elements only")) };
        }
        if !text.chars().all(table::is_legal) {
            return Err(structure(at, "characters that XML allows"));
        }
        self.value.push_str(text);
        Ok(())
    }

    /// A character by its number or by one of the five names that XML has itself.
    fn reference(&mut self, reference: &BytesRef<'_>, at: usize) -> Result<(), DecodeError> {
        let known = match &**reference {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "apos" => Some('\''),
            "quot" => Some('"'),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        let known = known.filter(|character| table::is_legal(*character));
        let known = known.ok_or(structure(at, "a character, and no entity"))?;
        self.value.push(known);
        Ok(())
    }

    fn finish(self, end: usize, is_out: bool) -> Result<Vec<u8>, DecodeError> {
        if !self.is_over {
            return Err(structure(end, "the end of the element NLETS"));
        }
        let mut header = Header { parts: Vec::new(), end };
        let mut body: Vec<(&str, &Found)> = Vec::new();
        for (path, found) in &self.leaves {
            if let Some(name) = path.strip_prefix(table::HEADER) {
                header.parts.push((name, found));
            } else if path.starts_with(table::BODY) {
                body.push((path, found));
            }
        }
        let (mke, key_at) = header.required("MessageKeyCodeText")?;
        if !is_word(mke, 1..=KEY_BYTES_MAX) {
            return Err(part(key_at, "a message key of 1 to 6 letters and digits"));
        }
        if let Some(key) = self.key.filter(|key| key.value != mke) {
            return Err(part(key.at, "the message key of the header"));
        }
        let (origin, origin_at) = header.required("OriginatingORIID")?;
        if !is_ori(origin.as_bytes()) {
            return Err(part(origin_at, "an ORI of 9 letters and digits"));
        }
        let destinations = header.destinations(is_out)?;
        let control = header.control()?;
        let body = Body::of(mke, &body, end)?;
        let fields: Vec<(&[u8], &[u8])> =
            body.fields.iter().map(|(code, value)| (*code, value.as_bytes())).collect();
        let (received, sent) = (header.stamp(table::RECEIVED)?, header.stamp(table::SENT)?);
        let message = Outbound {
            mke: mke.as_bytes(),
            origin: origin.as_bytes(),
            destinations: &destinations,
            control: control.map(str::as_bytes),
            fields: &fields,
            text: body.text.as_deref().map(str::as_bytes),
            received: received.as_ref().map(|(at, count)| (at.as_bytes(), *count)),
            sent: sent.as_ref().map(|(at, count)| (at.as_bytes(), *count)),
            ..Outbound::default()
        };
        let mut out = Vec::with_capacity(end);
        if is_out {
            nlets::encode_out(&mut out, &message);
        } else {
            nlets::encode_in(&mut out, &message);
        }
        Ok(out)
    }
}

/// The leaves of the header, by the names of their elements.
struct Header<'a> {
    parts: Vec<(&'a str, &'a Found)>,
    /// Length of the payload: where a missing part is missed.
    end: usize,
}

impl<'a> Header<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = (&'a str, usize)> {
        let is_it = move |known: &str| known.strip_prefix("/nh2:") == Some(name);
        let parts = self.parts.iter().filter(move |(known, _)| is_it(known));
        parts.map(|(_, found)| (found.value.trim(), found.at))
    }

    /// The one part with this name; one that is empty is not there.
    fn one(&self, name: &str) -> Result<Option<(&'a str, usize)>, DecodeError> {
        let mut parts = self.all(name);
        match (parts.next(), parts.next()) {
            (Some((_, _)), Some((_, at))) => Err(part(at, "each part of the header once")),
            (first, _) => Ok(first.filter(|(value, _)| !value.is_empty())),
        }
    }

    fn required(&self, name: &str) -> Result<(&'a str, usize), DecodeError> {
        let missing = part(self.end, "a message key, an ORI and a destination in the header");
        self.one(name)?.ok_or(missing)
    }

    /// Into Nlets: members, regions and ORIs; out of it one ORI.
    fn destinations(&self, is_out: bool) -> Result<Vec<&'a [u8]>, DecodeError> {
        let mut found = Vec::new();
        for (place, (value, at)) in self.all("DestinationORIID").enumerate() {
            if is_out && !is_ori(value.as_bytes()) {
                return Err(part(at, "an ORI of 9 letters and digits"));
            }
            if !is_ori(value.as_bytes()) && !is_word(value, MEMBER_BYTES..=MEMBER_BYTES) {
                let expected = "a destination of 2 or 9 letters and digits";
                return Err(DecodeError { code: code::FIELD, offset: at, expected });
            }
            if is_out && place > 0 {
                return Err(part(at, "one receiver"));
            }
            if place == DESTINATIONS_MAX {
                return Err(too_many(at, "at most 32 destinations"));
            }
            found.push(value.as_bytes());
        }
        if found.is_empty() {
            return Err(part(self.end, "a message key, an ORI and a destination in the header"));
        }
        Ok(found)
    }

    /// A period would end it in text.
    fn control(&self) -> Result<Option<&'a str>, DecodeError> {
        let found = self.one("DocumentControlFieldText")?;
        let is_plain = |value: &str| {
            value.len() <= NLETS_CONTROL_BYTES_MAX
                && value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.')
        };
        match found {
            Some((value, at)) if !is_plain(value) => {
                Err(part(at, "1 to 20 visible control characters, none a period"))
            }
            found => Ok(found.map(|(value, _)| value)),
        }
    }

    /// `hh:mm mm/dd/yyyy` and the running number, when all three are there.
    fn stamp(&self, names: [&str; 3]) -> Result<Option<(String, u32)>, DecodeError> {
        let [time, date, count] = names.map(|name| self.one(name));
        let (Some(time), Some(date), Some(count)) = (time?, date?, count?) else {
            return Ok(None);
        };
        for ((value, at), shape, expected) in [
            (time, "00:00", "a time as hh:mm"),
            (date, "00/00/0000", "a date as mm/dd/yyyy"),
            (count, "00000", "a running number of 5 digits"),
        ] {
            if !has_shape(value, shape) {
                return Err(part(at, expected));
            }
        }
        let number = count.0.bytes().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        Ok(Some((format!("{} {}", time.0, date.0), number)))
    }
}

/// What a message says: fields, or text.
#[derive(Default)]
struct Body {
    fields: Vec<(&'static [u8], String)>,
    text: Option<String>,
}

impl Body {
    /// Elements that are fields become fields, and with a text or a picture beside them lines
    /// before it. Of a response nothing is lost: an element that is no field is a line too.
    fn of(mke: &str, leaves: &[(&str, &Found)], end: usize) -> Result<Self, DecodeError> {
        let mut body = Self::default();
        let (mut texts, mut pictures, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for (path, found) in leaves {
            let below =
                path.get(1..).and_then(|path| path.find('/')).map_or(path.len(), |at| at + 1);
            let row = TABLE.find(mke, path.get(below..).unwrap_or_default());
            match row.map(|row| row.kind) {
                Some(Kind::Text) => texts.push(found.value.as_str()),
                Some(Kind::Picture) => pictures.push(found.value.as_str()),
                kind => {
                    let value = tame(&found.value);
                    let value = if kind == Some(Kind::Date) { undashed(&value) } else { value };
                    match row {
                        _ if value.is_empty() => {}
                        Some(row) => body.fields.push((row.field.as_bytes(), value)),
                        None if path.starts_with(table::RESPONSE) => {
                            let name = path.rsplit(':').next().unwrap_or_default();
                            others.push(format!("{name}: {value}"));
                        }
                        None => {}
                    }
                }
            }
            if body.fields.len() > FIELDS_MAX {
                return Err(too_many(found.at, "at most 128 fields"));
            }
        }
        if leaves.is_empty() {
            return Err(structure(end, "a body: NLETSInquiryData or another"));
        }
        if texts.is_empty() && pictures.is_empty() && others.is_empty() && !body.fields.is_empty() {
            return Ok(body);
        }
        let mut lines: Vec<String> = Vec::new();
        if !body.fields.is_empty() {
            let fields = std::mem::take(&mut body.fields);
            let fields = fields
                .iter()
                .map(|(code, value)| format!("{}/{value}", String::from_utf8_lossy(code)));
            lines.push(fields.collect::<Vec<_>>().join("."));
        }
        lines.extend(others);
        lines.extend(texts.into_iter().map(str::to_owned));
        let picture = |text: &str| text.split_ascii_whitespace().collect::<String>();
        lines.extend(pictures.into_iter().map(|it| format!("{}{}", table::PICTURE, picture(it))));
        body.text = Some(lines.join(CRLF));
        Ok(body)
    }
}

/// A value without what would end it in text: periods and line ends become blanks.
fn tame(value: &str) -> String {
    let ends = |character: char| character == '.' || character.is_control();
    value.replace(ends, " ").trim().to_owned()
}

/// `yyyy-mm-dd` as text has it; another shape stays.
fn undashed(value: &str) -> String {
    if has_shape(value, "0000-00-00") { value.replace('-', "") } else { value.to_owned() }
}

/// Digits where `shape` has zeros, and what `shape` has elsewhere.
fn has_shape(value: &str, shape: &str) -> bool {
    value.len() == shape.len()
        && value.bytes().zip(shape.bytes()).all(|(found, wanted)| match wanted {
            b'0' => found.is_ascii_digit(),
            _ => found == wanted,
        })
}

fn is_word(value: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// UTF-8 or a part of it; nothing else is read.
fn check_encoding(declaration: &BytesDecl<'_>, at: usize) -> Result<(), DecodeError> {
    let Some(encoding) = declaration.encoding() else {
        return Ok(());
    };
    match encoding.as_deref() {
        Ok(name) if ["UTF-8", "US-ASCII"].iter().any(|it| name.eq_ignore_ascii_case(it)) => Ok(()),
        _ => Err(structure(at, "XML in the UTF-8 encoding")),
    }
}

const fn structure(offset: usize, expected: &'static str) -> DecodeError {
    DecodeError { code: code::STRUCTURE, offset, expected }
}

const fn part(offset: usize, expected: &'static str) -> DecodeError {
    DecodeError { code: code::HEADER_PART, offset, expected }
}

const fn too_many(offset: usize, expected: &'static str) -> DecodeError {
    DecodeError { code: code::TOO_MANY, offset, expected }
}
