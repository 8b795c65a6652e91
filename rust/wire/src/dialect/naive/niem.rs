//! NIEM XML by way of a tree, from another XML library.

use roxmltree::{Document, Node};

use super::{Bytes, Plain, body, is_key, is_ori, visible};
use crate::dialect::niem::table;

/// The message or the number of the error; `None` for what is no XML, which each library judges a
/// little differently.
pub(in super::super) fn niem(bytes: &[u8], is_out: bool) -> Option<Result<Plain, u16>> {
    let xml = &marked(std::str::from_utf8(bytes).ok()?);
    let document = Document::parse(xml).ok()?;
    if !has_good_encoding(xml)? {
        return Some(Err(201));
    }
    Some(whole(xml, &document, is_out))
}

/// Stand for a CR and an LF that are references, and so no line ends.
const MARKS: [char; 2] = ['\u{F8F0}', '\u{F8F1}'];

fn marked(xml: &str) -> String {
    // Line ends as XML has them; the tree forgets a CR between two references.
    let xml = xml.replace("\r\n", "\n").replace('\r', "\n");
    let mut parts = xml.split("&#");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((number, rest)) = part.split_once(';') else {
            out += &format!("&#{part}");
            continue;
        };
        let value = match number.strip_prefix('x') {
            Some(number) => u32::from_str_radix(number, 16),
            None => number.parse(),
        };
        match value {
            Ok(13) => out += &format!("{}{rest}", MARKS[0]),
            Ok(10) => out += &format!("{}{rest}", MARKS[1]),
            _ => out += &format!("&#{part}"),
        }
    }
    out
}

fn unmarked(text: &str) -> String {
    text.replace('\n', "\r\n").replace(MARKS[0], "\r").replace(MARKS[1], "\n")
}

fn whole(xml: &str, document: &Document<'_>, is_out: bool) -> Result<Plain, u16> {
    let root = document.root_element();
    let elements: Vec<_> = root.descendants().filter(Node::is_element).collect();
    for (place, element) in elements.iter().enumerate() {
        let depth = element.ancestors().filter(Node::is_element).count();
        if place >= 4096 || depth > 16 || element.tag_name().name().len() > 128 {
            return Err(204);
        }
        // Declarations of namespaces count as well, and stand in the text alone.
        let start = xml.get(element.range()).unwrap();
        let mut quote = None;
        let mut attributes = 0;
        for character in start.chars() {
            match (quote, character) {
                (None, '>') => break,
                (None, '=') => attributes += 1,
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), _) if open == character => quote = None,
                _ => {}
            }
        }
        if attributes > 32 {
            return Err(204);
        }
        if place == 0 && path(*element) != "/n2:NLETS" {
            return Err(201);
        }
    }
    let leaves: Vec<_> =
        elements.iter().filter(|node| !node.children().any(|kid| kid.is_element())).collect();
    let header = |name: &str| -> Vec<String> {
        let wanted = format!("/n2:NLETS/n2:NLETSMessageHeader/nh2:{name}");
        let found = leaves.iter().filter(|leaf| path(***leaf) == wanted);
        found.map(|leaf| text(**leaf).trim().to_owned()).collect()
    };
    let one = |name: &str| match header(name).as_slice() {
        [] => Ok(None),
        [value] if value.is_empty() => Ok(None),
        [value] => Ok(Some(value.clone().into_bytes())),
        _ => Err(203u16),
    };
    let mut plain = Plain::default();
    let mke = is_key(one("MessageKeyCodeText")?.ok_or(203u16)?)?;
    // The last second-level element that names a key speaks for the body.
    let mut named = None;
    for node in root.children() {
        for attribute in node.attributes().filter(|attribute| attribute.name() == "key") {
            named = Some(unmarked(attribute.value()).trim().as_bytes().to_vec());
        }
    }
    if named.is_some_and(|key| key != mke) {
        return Err(203);
    }
    plain.mke = Some(mke.clone());
    plain.origin = Some(is_ori(one("OriginatingORIID")?.ok_or(203u16)?)?);
    for (place, value) in header("DestinationORIID").into_iter().enumerate() {
        let value = value.into_bytes();
        let is_plain = value.iter().all(u8::is_ascii_alphanumeric);
        match value.len() {
            9 if is_plain && is_out && place > 0 => return Err(203),
            9 if is_plain => {}
            _ if is_out => return Err(203),
            2 if is_plain => {}
            _ => return Err(202),
        }
        if place == 32 {
            return Err(204);
        }
        plain.destinations.push(value);
    }
    if plain.destinations.is_empty() {
        return Err(203);
    }
    plain.control = one("DocumentControlFieldText")?.map(|it| visible(it, 20)).transpose()?;
    if plain.control.as_ref().is_some_and(|control| control.contains(&b'.')) {
        return Err(203);
    }
    let said = said(std::str::from_utf8(&mke).unwrap(), &leaves)?;
    let stamp = |names: [&str; 3]| -> Result<(Bytes, Bytes), u16> {
        let [time, date, count] = names.map(&one);
        let (Some(time), Some(date), Some(count)) = (time?, date?, count?) else {
            return Ok((b"00:00 00/00/0000".to_vec(), b"00000".to_vec()));
        };
        super::stamp(&[time, b" ".to_vec(), date, b" ".to_vec(), count].concat())
    };
    let received = stamp(["MessageReceiveTime", "MessageReceiveDate", "ReceiveMessageNumeric"])?;
    let sent = stamp(["MessageSendTime", "MessageSendDate", "SendMessageNumeric"])?;
    if is_out {
        (plain.received, plain.sent) = (Some(received), Some(sent));
    }
    body(&mke, &said, &mut plain);
    Ok(plain)
}

/// The body in Nlets text.
fn said(mke: &str, leaves: &[&Node<'_, '_>]) -> Result<Bytes, u16> {
    let (mut fields, mut names, mut texts, mut pictures) = (vec![], vec![], vec![], vec![]);
    let mut is_there = false;
    for leaf in leaves {
        let path = path(**leaf);
        let Some(path) =
            path.strip_prefix("/n2:NLETS").filter(|path| path.starts_with("/n2:NLETS"))
        else {
            continue;
        };
        if path.starts_with("/n2:NLETSMessageHeader/nh2:") {
            continue;
        }
        is_there = true;
        let value = text(**leaf);
        let kept: String =
            value.chars().map(|c| if c == '.' || c.is_control() { ' ' } else { c }).collect();
        let kept = kept.trim().to_owned();
        let below: String = path.split_inclusive('/').skip(2).collect();
        let Some(row) = table::TABLE.find(mke, &format!("/{below}")) else {
            if path.starts_with("/n2:NLETSResponseData") && !kept.is_empty() {
                names.push(format!("{}: {kept}", leaf.tag_name().name()));
            }
            continue;
        };
        match row.kind {
            table::Kind::Text => texts.push(value),
            table::Kind::Picture => {
                let picture: Vec<&str> = value.split_ascii_whitespace().collect();
                pictures.push(format!("IMR/{}", picture.concat()));
            }
            _ if kept.is_empty() => {}
            table::Kind::Date if is_date(&kept) => {
                fields.push(format!("{}/{}", row.field, kept.replace('-', "")));
            }
            _ => fields.push(format!("{}/{kept}", row.field)),
        }
        if fields.len() > 128 {
            return Err(204);
        }
    }
    if !is_there {
        return Err(201);
    }
    let mut lines = Vec::new();
    if !fields.is_empty() {
        lines.push(fields.join("."));
    }
    Ok([lines, names, texts, pictures].concat().join("\r\n").into_bytes())
}

/// The elements down to this one, as the table writes them.
fn path(node: Node<'_, '_>) -> String {
    let mut names: Vec<String> = node
        .ancestors()
        .filter(Node::is_element)
        .map(|node| {
            let space = node.tag_name().namespace();
            let prefix = space.map_or("", table::prefix_of);
            format!("/{prefix}:{}", node.tag_name().name())
        })
        .collect();
    names.reverse();
    names.concat()
}

fn text(node: Node<'_, '_>) -> String {
    let parts = node.children().filter(Node::is_text).filter_map(|kid| kid.text());
    unmarked(&parts.collect::<String>())
}

fn is_date(value: &str) -> bool {
    let shape: String = value.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}

/// None for a declaration of a shape that this tree takes for something else.
fn has_good_encoding(xml: &str) -> Option<bool> {
    let Some(rest) = xml.trim_start_matches('\u{FEFF}').strip_prefix("<?xml") else {
        return Some(true);
    };
    let rest = rest.strip_prefix(" version=\"1.0\"")?;
    if rest.starts_with("?>") {
        return Some(true);
    }
    let (name, _) = rest.strip_prefix(" encoding=\"")?.split_once("\"?>")?;
    Some(["UTF-8", "US-ASCII"].contains(&name.to_ascii_uppercase().as_str()))
}
