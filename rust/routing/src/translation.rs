//! A county's own keys and fields, put into the state's.
//!
//! The computers of a county may enter keys and field codes of their own: San Diego's `QV` and
//! `RQP` for a plate in the state and in another. A translation is data; the message as entered
//! stays as it is, and what it means is written beside it.

use clets_wire::{DecodeError, Dialect, Envelope, Outbound, decode, encode};
use smallvec::SmallVec;

use crate::table::Named;

/// What stands for what, or a field and its value.
pub(crate) type Pair = (Box<[u8]>, Box<[u8]>);

/// Keys and field codes of one county dialect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Translation {
    pub(crate) name: Box<str>,
    /// Field codes as entered, and as the state has them.
    pub(crate) renames: Vec<Pair>,
    /// In the order of the bundle; the first that fits is taken.
    pub(crate) keys: Vec<KeyForm>,
}

/// What one entered key means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyForm {
    /// `KEY` or `DD.KEY`, as entered.
    pub(crate) entered: Box<[u8]>,
    /// The field, by the state's code, that the message must hold.
    pub(crate) with: Option<Box<[u8]>>,
    pub(crate) system: Box<[u8]>,
    pub(crate) federal_only: bool,
    pub(crate) key: Box<[u8]>,
    /// The field whose value is the destination, where the header names none.
    pub(crate) destination_field: Option<Box<[u8]>>,
    /// Fields that the key implies, added where they are absent.
    pub(crate) defaults: Vec<Pair>,
}

/// A message in the state's own words.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The message, in the CLETS form.
    pub bytes: Vec<u8>,
    /// Ranges into `bytes`.
    pub envelope: Envelope,
    /// The key that its sender knows it by, when the key was translated: replies carry it.
    pub entered: Option<Box<[u8]>>,
}

impl Translation {
    /// What a message of the CLETS form means; `None` when it says so itself.
    ///
    /// Time is linear in fields times renames; the message itself is only read.
    ///
    /// # Errors
    /// When the meaning cannot be written: more fields than a message may have.
    pub fn translate(
        &self,
        bytes: &[u8],
        envelope: &Envelope,
    ) -> Result<Option<Translated>, DecodeError> {
        let mut renamed = false;
        let mut fields: SmallVec<[(&[u8], &[u8]); 16]> = SmallVec::new();
        for field in &envelope.fields {
            let (mut code, value) = (field.code_span().of(bytes), field.value.of(bytes));
            if let Some((_, own)) = self.renames.iter().find(|(entered, _)| **entered == *code) {
                code = own;
                renamed = true;
            }
            fields.push((code, value));
        }
        let part = |span: Option<clets_wire::Span>| span.map(|it| it.of(bytes)).unwrap_or_default();
        let (system, mke) = (part(envelope.system), part(envelope.mke));
        let form = self.keys.iter().filter(|_| !envelope.federal_only).find(|form| {
            form.names(system, mke)
                && form.with.as_ref().is_none_or(|code| fields.iter().any(|it| *it.0 == **code))
        });
        if form.is_none() && !renamed {
            return Ok(None);
        }
        let mut destinations: SmallVec<[&[u8]; 4]> =
            envelope.destinations.iter().map(|it| it.of(bytes)).collect();
        for (code, value) in form.iter().flat_map(|form| &form.defaults) {
            if !fields.iter().any(|(known, _)| **known == **code) {
                fields.push((code, value));
            }
        }
        if let Some(code) = form.and_then(|form| form.destination_field.as_ref())
            && destinations.is_empty()
        {
            let value = fields.iter().find(|(known, _)| **known == **code).map(|(_, value)| *value);
            destinations.extend(value);
        }
        let own = form.map(|form| (&*form.system, form.federal_only, &*form.key));
        let (system, federal_only, mke) = own.unwrap_or((system, envelope.federal_only, mke));
        let mut out = Vec::with_capacity(bytes.len() + 32);
        let message = Outbound {
            mke,
            system: (!system.is_empty()).then_some(system),
            federal_only,
            origin: part(envelope.origin),
            destinations: &destinations,
            reference: part(envelope.reference),
            user: part(envelope.user),
            station: part(envelope.station),
            fields: &fields,
            text: envelope.text.map(|text| text.of(bytes)),
            ..Outbound::default()
        };
        encode(&mut out, Dialect::Clets, &message);
        let entered = form.map(|_| part(envelope.mke).into());
        let envelope = decode(&out, Dialect::Clets)?;
        Ok(Some(Translated { bytes: out, envelope, entered }))
    }
}

impl KeyForm {
    fn names(&self, system: &[u8], mke: &[u8]) -> bool {
        let entered = match system {
            [] => Some(&*self.entered),
            _ => self.entered.strip_prefix(system).and_then(|rest| rest.strip_prefix(b".")),
        };
        entered == Some(mke)
    }
}

impl Named for Translation {
    fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Box<[u8]> {
        text.as_bytes().into()
    }

    fn form(entered: &str, with: &str, system: &str, key: &str) -> KeyForm {
        KeyForm {
            entered: bytes(entered),
            with: (!with.is_empty()).then(|| bytes(with)),
            system: bytes(system),
            federal_only: false,
            key: bytes(key),
            destination_field: None,
            defaults: Vec::new(),
        }
    }

    fn county() -> Translation {
        let mut elsewhere = form("RQP", "", "NLTS", "RQ");
        elsewhere.destination_field = Some(bytes("LIS"));
        elsewhere.defaults = vec![(bytes("LIT"), bytes("PC"))];
        Translation {
            name: "county".into(),
            renames: vec![(bytes("LICN"), bytes("LIC"))],
            keys: vec![form("QV", "VIN", "IV", "4V"), form("QV", "", "IV", "4A"), elsewhere],
        }
    }

    fn translated(text: &str) -> Option<(String, Option<String>)> {
        let envelope = decode(text.as_bytes(), Dialect::Clets).unwrap();
        let own = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let found = county().translate(text.as_bytes(), &envelope).unwrap()?;
        Some((own(&found.bytes), found.entered.map(|key| own(&key))))
    }

    #[test]
    fn keys_fields_defaults_and_destinations_become_the_states() {
        for (entered, meaning, key) in [
            ("S.R.U.QV.CA0370000.LICN/1ABC234", "S.R.U.IV.4A.CA0370000.LIC/1ABC234", Some("QV")),
            ("S.R.U.QV.CA0370000.VIN/SYN1", "S.R.U.IV.4V.CA0370000.VIN/SYN1", Some("QV")),
            (
                "S.R.U.RQP.CA0370000.LICN/X1.LIS/AZ",
                "S.R.U.NLTS.RQ.CA0370000.AZ.LIC/X1.LIS/AZ.LIT/PC",
                Some("RQP"),
            ),
            (
                "S.R.U.RQP.CA0370000.NV.LIC/X1.LIT/MC",
                "S.R.U.NLTS.RQ.CA0370000.NV.LIC/X1.LIT/MC",
                Some("RQP"),
            ),
            ("S.R.U.IV.4M.CA0370000.LICN/X1", "S.R.U.IV.4M.CA0370000.LIC/X1", None),
        ] {
            let expected = (meaning.to_owned(), key.map(str::to_owned));
            assert_eq!(translated(entered), Some(expected), "{entered}");
        }
    }

    #[test]
    fn what_is_the_states_already_is_left_alone() {
        for text in [
            "S.R.U.IV.4A.CA0370000.LIC/1ABC234",
            "S.R.U.IA.QV.CA0370000.LIC/1ABC234",
            "S.R.U.AM.CA0370000.B.TXT\r\nLICN/1 AND QV",
        ] {
            assert_eq!(translated(text), None, "{text}");
        }
    }
}
