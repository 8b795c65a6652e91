//! The situation: all that a rule may look at, in one small comparable value.

use crate::fact::{
    Action, Addressing, AgencyClass, AgencyStanding, Attention, CaliforniaPurpose, DataClass,
    Destination, Fact, Level, Ori, Peer, Purpose, Reason, Scope, Standing, Station, StationKind,
    Subject, Topic, Training, User,
};
use crate::words::{TextTopic, TextTopics};
use std::hash::{Hash, Hasher};

/// Where a fact stands in a Cedar request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Home {
    /// The action itself.
    Action,
    /// `context.`: what the sender stated in this message.
    Context,
    /// `principal.`: who sends.
    Principal,
    /// `resource.`: what is sent, and where to.
    Resource,
}

/// One fact of a situation, described.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The Cedar attribute, `data_class`.
    pub name: &'static str,
    /// Where it stands in a request.
    pub home: Home,
    /// Its Cedar type, `DataClass`.
    pub type_name: &'static str,
    /// The names of its values.
    pub values: &'static [&'static str],
    /// The values in words.
    pub phrases: &'static [&'static str],
    /// The fact in words, to stand before "were".
    pub title: &'static str,
}

macro_rules! situation {
    ($( $(#[$meta:meta])* $field:ident: $type:ty, $home:ident, $title:literal
        $(, $when_false:literal, $when_true:literal)?; )+) => {
        /// All that a rule may look at.
        ///
        /// [`Situation::default`] knows nothing and is permitted nothing.
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        pub struct Situation { $( $(#[$meta])* pub $field: $type, )+ }

        impl Situation {
            /// Every fact, in the order of [`Situation::indices`].
            pub const FIELDS: [Field; FACTS] = [$( Field {
                name: stringify!($field),
                home: Home::$home,
                type_name: <$type as Fact>::TYPE,
                values: <$type as Fact>::NAMES,
                phrases: phrases!(<$type as Fact>::PHRASES $(, $when_false, $when_true)?),
                title: $title,
            }, )+];

            /// The index of each fact's value in its list of values.
            #[must_use]
            pub fn indices(&self) -> [u8; FACTS] {
                [$( self.$field.index(), )+]
            }

            /// The situation of these indices; an index out of range means the least known value.
            #[must_use]
            pub fn of_indices(indices: [u8; FACTS]) -> Self {
                let [$( $field, )+] = indices;
                Self { $( $field: <$type as Fact>::at($field), )+ }
            }

            /// All facts packed into one number, different for different situations.
            #[must_use]
            pub fn key(&self) -> u128 {
                let key = 0_u128;
                $( let key = (key << <$type as Fact>::BITS) | u128::from(self.$field.index()); )+
                key
            }

            /// The situation of a [`Situation::key`].
            #[must_use]
            pub fn of_key(key: u128) -> Self {
                let above = KEY_BITS;
                $(
                    let above = above - <$type as Fact>::BITS;
                    let index = (key >> above) & ((1 << <$type as Fact>::BITS) - 1);
                    let $field = <$type as Fact>::at(u8::try_from(index).unwrap_or(u8::MAX));
                )+
                let _ = above;
                Self { $( $field, )+ }
            }
        }

        const FACTS: usize = [$( stringify!($field) ),+].len();
        const KEY_BITS: u32 = 0 $( + <$type as Fact>::BITS )+;
        const _: () = assert!(KEY_BITS <= u128::BITS, "a situation must fit one 128-bit key");
    };
}

macro_rules! phrases {
    ($of_type:expr) => {
        $of_type
    };
    ($of_type:expr, $when_false:literal, $when_true:literal) => {
        &[$when_false, $when_true]
    };
}

situation! {
    /// The kind of line it came in on.
    peer: Peer, Principal, "the sender";
    /// The user's account.
    standing: Standing, Principal, "the user's account";
    /// The user's level.
    level: Level, Principal, "the user's level";
    /// Fingerprint check and background investigation completed.
    cleared: bool, Principal, "the user's fingerprint and background check",
        "not complete", "complete";
    /// Employee/Volunteer Statement signed.
    statement: bool, Principal, "the user's signed Employee/Volunteer Statement",
        "not on file", "on file";
    /// Training on the day of the message.
    training: Training, Principal, "the user's training";
    /// The kind of agency.
    agency_class: AgencyClass, Principal, "the agency";
    /// The agency's standing.
    agency_standing: AgencyStanding, Principal, "the agency's standing";
    /// The agency has attested that it does not use the system for immigration enforcement.
    attested: bool, Principal, "the agency's attestation", "not on file", "on file";
    /// A criminal justice agency controls it by a management control agreement.
    agreement: bool, Principal, "the agency's management control agreement",
        "not on file", "on file";
    /// The agency lets its mobile terminals ask for criminal history.
    mobile_chi: bool, Principal, "criminal history on the agency's mobile terminals",
        "not allowed", "allowed";
    /// The ORI has full access.
    full_access: bool, Principal, "the ORI's access", "limited", "full";
    /// The ORI may receive criminal history.
    chi_authority: bool, Principal, "the ORI's authority for criminal history",
        "absent", "on file";
    /// The ORI against the station.
    ori: Ori, Principal, "the ORI";
    /// The station against the line.
    station: Station, Principal, "the station";
    /// The kind of station.
    station_kind: StationKind, Principal, "the kind of station";
    /// The user named.
    user: User, Principal, "the user identification";
    /// The same user was heard from another station a moment ago.
    shared_id: bool, Principal, "the user identification", "in use at one station",
        "in use at two stations at once";
    /// The user asks for one number after the other.
    enumerating: bool, Principal, "the user's inquiries", "those of single cases",
        "of one number after the other";
    /// What the message does.
    action: Action, Action, "the action";
    /// What kind of information.
    data_class: DataClass, Resource, "the kind of information";
    /// Whose record it is about.
    subject: Subject, Resource, "the record";
    /// It asks for whatever matches a part of a number or name.
    wildcard: bool, Resource, "the number or name asked for", "a whole one",
        "one with signs for any letter";
    /// An office of Homeland Security is among the addressees.
    to_homeland: bool, Resource, "the addressees", "none of Homeland Security",
        "one of Homeland Security among them";
    /// Where it goes.
    destination: Destination, Resource, "the destination";
    /// How far an administrative message goes.
    scope: Scope, Resource, "the addressees";
    /// The list of addressees.
    addressing: Addressing, Resource, "the list of addressees";
    /// The purpose code.
    purpose: Purpose, Context, "the purpose code";
    /// California's purpose code.
    california_purpose: CaliforniaPurpose, Context, "the California purpose code";
    /// The reason for the inquiry.
    reason: Reason, Context, "the reason for the inquiry";
    /// What the reason is about.
    topic: Topic, Context, "the reason given";
    /// The reason is illegal entry (8 USC 1325) and no other offense.
    illegal_entry: bool, Context, "the reason given", "not illegal entry alone",
        "illegal entry (8 USC 1325) and no other offense";
    /// The reason is a license to carry a weapon.
    carry_license: bool, Context, "the reason given", "not a license to carry a weapon",
        "a license to carry a weapon";
    /// The reason is a private, civil or commercial matter.
    private_matter: bool, Context, "the reason given", "not a private matter",
        "a private, civil or commercial matter";
    /// The text has matter that is barred from bulletins.
    text_barred: bool, Context, "the text", "fit for a bulletin", "barred from bulletins";
    /// The text tells of a civil immigration warrant.
    text_civil_immigration: bool, Context, "the text", "not of a civil immigration warrant",
        "of a civil immigration warrant";
    /// The text tells of a felon who was deported.
    text_deported_felon: bool, Context, "the text", "not of a deported felon",
        "of a deported felon";
    /// The text has criminal history in it.
    text_history: bool, Context, "the text", "without criminal history", "with criminal history";
    /// The text is a history of illegal entry (8 USC 1325) and nothing else.
    text_illegal_entry: bool, Context, "the text", "not a history of illegal entry alone",
        "a history of illegal entry (8 USC 1325) and nothing else";
    /// The text is an attempt to locate, or what belongs in NCIC.
    text_locate: bool, Context, "the text", "not an attempt to locate", "an attempt to locate";
    /// The text is about a missing person.
    text_missing: bool, Context, "the text", "not about a missing person",
        "about a missing person";
    /// The text is about a person's release, address or transfer.
    text_release: bool, Context, "the text", "not about a person's release",
        "about a person's release, address or transfer";
    /// The attention field.
    attention: Attention, Context, "the attention field";
    /// A case number is given.
    case_number: bool, Context, "the case number", "absent", "given";
    /// The message says something in words.
    text: bool, Context, "the text", "absent", "given";
    /// A leg of a message judged before, or made by the switch itself.
    inherited: bool, Resource, "the message",
        "one that a user sent", "a leg of a message already judged";
}

impl Situation {
    /// The same situation with one fact changed: field and value by index.
    /// Unchanged when the field does not exist.
    #[must_use]
    pub fn with(&self, field: usize, value: u8) -> Self {
        let mut indices = self.indices();
        if let Some(index) = indices.get_mut(field) {
            *index = value;
        }
        Self::of_indices(indices)
    }

    /// Takes up what a text is about.
    pub fn tell(&mut self, topics: TextTopics) {
        self.text_barred = topics.has(TextTopic::Barred);
        self.text_civil_immigration = topics.has(TextTopic::CivilImmigration);
        self.text_deported_felon = topics.has(TextTopic::DeportedFelon);
        self.text_history = topics.has(TextTopic::History);
        self.text_illegal_entry = topics.has(TextTopic::IllegalEntry);
        self.text_locate = topics.has(TextTopic::Locate);
        self.text_missing = topics.has(TextTopic::Missing);
        self.text_release = topics.has(TextTopic::Release);
    }

    /// A situation chosen fact by fact: `choose(n)` gives an index below `n`.
    pub fn choose(mut choose: impl FnMut(usize) -> usize) -> Self {
        Self::of_indices(
            Self::FIELDS.map(|field| u8::try_from(choose(field.values.len())).unwrap_or(u8::MAX)),
        )
    }

    /// The situation of `(fact, value)` names, over [`Situation::default`].
    ///
    /// # Errors
    ///
    /// The name of the fact or value that does not exist.
    pub fn of_names<'a>(
        names: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        names.into_iter().try_fold(Self::default(), |situation, (name, value)| {
            let (number, field) = Self::FIELDS
                .iter()
                .enumerate()
                .find(|(_, field)| field.name == name)
                .ok_or_else(|| format!("no fact is named `{name}`"))?;
            let index = field
                .values
                .iter()
                .position(|known| *known == value)
                .and_then(|index| u8::try_from(index).ok())
                .ok_or_else(|| format!("`{name}` has no value `{value}`"))?;
            Ok(situation.with(number, index))
        })
    }

    /// Every fact with the name of its value, in the order of [`Situation::FIELDS`].
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let indices = self.indices();
        Self::FIELDS.into_iter().zip(indices).map(|(field, index)| {
            (field.name, field.values.get(usize::from(index)).copied().unwrap_or_default())
        })
    }
}

// The key differs wherever the facts differ, so hashing it alone agrees with `Eq`.
impl Hash for Situation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_and_names_round_trip() {
        let mut state = 7_u64;
        for _ in 0..2_000 {
            let situation = Situation::choose(|below| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as usize % below
            });
            assert_eq!(Situation::of_indices(situation.indices()), situation);
            assert_eq!(Situation::of_names(situation.names()), Ok(situation));
            assert_eq!(Situation::of_key(situation.key()), situation);
        }
    }

    #[test]
    fn the_key_tells_every_single_change_apart() {
        let base = Situation::default();
        let mut seen = std::collections::BTreeSet::from([base.key()]);
        for (number, field) in Situation::FIELDS.iter().enumerate() {
            for value in 0..field.values.len() {
                let changed = base.with(number, u8::try_from(value).unwrap());
                assert_eq!(seen.insert(changed.key()), changed != base, "{}", field.name);
            }
        }
    }

    #[test]
    fn unknown_names_are_named() {
        assert_eq!(
            Situation::of_names([("purpose", "z")]),
            Err("`purpose` has no value `z`".into())
        );
        assert_eq!(Situation::of_names([("mood", "c")]), Err("no fact is named `mood`".into()));
    }
}
