//! From a message and its line to what policy may look at: IDENTIFY.
//!
//! A header can only claim. Who really speaks is the line; station, ORI and user must belong
//! together and to that line, and each mismatch is a fact of its own for the policies.

use clets_policy as policy;
use clets_policy::{Identifier, Situation};
use clets_routing::{
    AgencyId, Directory, Level, LineId, LineKind, Ori, OriId, Origin, Standing, StationId,
    StationKind, User, UserId,
};
use clets_wire::{Envelope, KeyId};
use smallvec::SmallVec;

use crate::Bundle;
use crate::bundle::KeyFacts;
use crate::habits::{Habit, Habits};
use crate::plan::{Leg, Plan};
use crate::reload;

/// Words that are no reason and no attention (rule C-01: not "ME", not "FILE").
const JUNK: [&str; 12] = [
    "ASDF", "FILE", "ME", "MYSELF", "N/A", "NA", "NONE", "QWERTY", "SELF", "TEST", "UNKNOWN", "XXX",
];

/// Days of grace between hire and first training: six months (CLETS PPP 1.8).
const TRAINING_GRACE_DAYS: i32 = 183;

/// What a message names records by; four fit without allocation.
pub(crate) type Identifiers<'a> = SmallVec<[Identifier<'a>; 4]>;

/// Who is speaking, as far as the directory knows them.
#[derive(Clone, Copy, Debug, Default)]
struct Identity {
    station: Option<StationId>,
    ori: Option<OriId>,
    user: Option<UserId>,
}

/// A message of an agency that is to be judged.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// The line that it came on.
    pub(crate) line: LineId,
    pub(crate) key: KeyId,
    pub(crate) envelope: &'a Envelope,
    pub(crate) bytes: &'a [u8],
    /// Where the switch stands, since 1970.
    pub(crate) day: i32,
    pub(crate) habit: Habit,
    /// An operator has suspended the sender.
    pub(crate) suspended: bool,
}

/// Where a message, or one leg of it, is going.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading {
    pub(crate) key: KeyFacts,
    pub(crate) destination: policy::Destination,
    pub(crate) scope: policy::Scope,
    pub(crate) addressing: policy::Addressing,
    /// A leg of a message whose own situation was judged with its reason.
    pub(crate) inherited: bool,
}

/// The facts about one message that do not change from leg to leg.
pub(crate) struct Facts {
    base: Situation,
    ori: Option<OriId>,
}

impl Facts {
    /// Gathers the facts of a message.
    pub(crate) fn gather(bundle: &Bundle, question: Question<'_>, plan: &Plan<'_>) -> Self {
        let Question { line, key, envelope, bytes, day, habit, suspended } = question;
        let identity = identify(&bundle.directory, envelope, bytes);
        let mut base = base(bundle, line, envelope, bytes, identity, day);
        let words = bundle.policies.words();
        let text = envelope.text.map(|text| text.of(bytes)).unwrap_or_default();
        if bundle.key_facts(key).is_some_and(|key| key.action == policy::Action::Administer) {
            base.tell(words.bulletin(text));
            base.to_homeland = reaches_homeland(bundle, envelope, bytes, plan);
        } else {
            // Whatever says why counts, every time that it stands there.
            let names = &bundle.directory.settings().fields;
            let why = [&names.reason, &names.attention, &names.case];
            let stated = why.into_iter().flat_map(|name| envelope.values(bytes, name.as_bytes()));
            let stated = words.reason(stated.chain([text]));
            base.topic = stated.topic;
            base.illegal_entry = stated.illegal_entry;
            base.carry_license = stated.carry_license;
            base.private_matter = stated.private_matter;
            let identifiers = identifiers(&bundle.directory, envelope, bytes);
            let user = envelope.user.map(|user| user.of(bytes)).unwrap_or_default();
            base.subject = bundle.policies.subjects().find(user, &identifiers);
            base.wildcard = identifiers.iter().any(Identifier::is_wild);
        }
        if suspended {
            base.standing = reload::suspended(base.standing);
        }
        base.shared_id = habit.shared_id;
        base.enumerating = habit.enumerating;
        Self { base, ori: identity.ori }
    }

    /// The facts of a host's reply: it is judged against the class of the agency that asked,
    /// because an answer can be more restricted than its question.
    pub(crate) fn of_reply(
        bundle: &Bundle,
        requester: &[u8],
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Self {
        let directory = &bundle.directory;
        let id = directory.ori(requester);
        let ori = id.map(|id| directory.ori_of(id));
        let mut base = Situation {
            peer: policy::Peer::Host,
            ori: policy::Ori::Matches,
            ..Situation::default()
        };
        base.tell(bundle.policies.words().reply(envelope.content(bytes)));
        describe_agency(&mut base, bundle, ori);
        Self { base, ori: id }
    }

    /// All of them as one number, different for different facts.
    pub(crate) fn key(&self) -> u128 {
        self.base.key()
    }

    /// The agency that speaks.
    pub(crate) fn agency(&self, directory: &Directory) -> AgencyId {
        self.ori.map_or(AgencyId::NOBODY, |id| directory.ori_of(id).agency)
    }

    /// The situation of the message, or of a leg of it.
    pub(crate) fn situation(&self, heading: Heading) -> Situation {
        Situation {
            action: heading.key.action,
            data_class: heading.key.data_class,
            destination: heading.destination,
            scope: heading.scope,
            addressing: heading.addressing,
            inherited: heading.inherited,
            ..self.base
        }
    }
}

fn identify(directory: &Directory, envelope: &Envelope, bytes: &[u8]) -> Identity {
    let text = |span: Option<clets_wire::Span>| span.map(|span| span.of(bytes));
    Identity {
        station: text(envelope.station).and_then(|name| directory.station(name)),
        ori: text(envelope.origin).and_then(|ori| directory.ori(ori)),
        user: text(envelope.user).and_then(|user| directory.user(user)),
    }
}

fn base(
    bundle: &Bundle,
    line: LineId,
    envelope: &Envelope,
    bytes: &[u8],
    identity: Identity,
    day: i32,
) -> Situation {
    let directory = &bundle.directory;
    let host = directory.line(line).kind == LineKind::Host;
    let given = |span: Option<clets_wire::Span>| span.is_some_and(|it| !it.of(bytes).is_empty());
    let ori = identity.ori.map(|id| directory.ori_of(id));
    let user = identity.user.map(|id| directory.user_of(id));
    let station = identity.station.map(|id| directory.station_of(id));
    let mut situation = Situation {
        peer: if host { policy::Peer::Host } else { policy::Peer::Agency },
        ori: match (identity.ori, identity.station) {
            (None, _) if !given(envelope.origin) => policy::Ori::Absent,
            (None, _) => policy::Ori::Unknown,
            (Some(_), _) if host => policy::Ori::Matches,
            (Some(_), None) => policy::Ori::Foreign,
            (Some(ori), Some(station)) => match directory.origin(station, ori) {
                Origin::Borrowed => policy::Ori::Borrowed,
                Origin::Foreign => policy::Ori::Foreign,
                Origin::Served => policy::Ori::Matches,
            },
        },
        station: match station {
            None if !given(envelope.station) => policy::Station::Absent,
            None => policy::Station::Unknown,
            Some(station) if station.line == line => policy::Station::Bound,
            Some(_) => policy::Station::OtherLine,
        },
        station_kind: station.map_or(policy::StationKind::Unknown, |it| station_kind(it.kind)),
        user: match (user, ori) {
            (None, _) if !given(envelope.user) => policy::User::Absent,
            (None, _) => policy::User::Unknown,
            (Some(user), Some(ori)) if user.agency == ori.agency => policy::User::Known,
            (Some(_), _) => policy::User::OtherAgency,
        },
        ..Situation::default()
    };
    describe_agency(&mut situation, bundle, ori);
    describe_user(&mut situation, user, day);
    describe_request(&mut situation, bundle, envelope, bytes);
    situation
}

/// Takes notice of a message for what its sender's messages show together.
pub(crate) fn observe(
    habits: &mut Habits,
    bundle: &Bundle,
    envelope: &Envelope,
    bytes: &[u8],
    now_us: i64,
) -> Habit {
    let Identity { station, user, .. } = identify(&bundle.directory, envelope, bytes);
    let (Some(station), Some(user)) = (station, user) else {
        return Habit::default();
    };
    let identifiers = identifiers(&bundle.directory, envelope, bytes);
    habits.observe(user, station, &identifiers, now_us)
}

/// What a message names records by. A number without its state is one of the switch's own state.
fn identifiers<'a>(
    directory: &'a Directory,
    envelope: &Envelope,
    bytes: &'a [u8],
) -> Identifiers<'a> {
    let home = directory.settings().ori.as_bytes().get(..2).unwrap_or_default();
    let mut found = Identifiers::new();
    for field in &envelope.fields {
        let (code, value) = (field.code_span().of(bytes), field.value.of(bytes));
        // A part that is given twice may be read either way, so both count.
        let (either, missing): (_, &[u8]) = match Identifier::kind(code) {
            Some((_, "")) => (None, b""),
            Some((_, by)) => (Some(by), home),
            None if matches!(code, [b'N', b'A', b'M']) => (Some("DOB"), b""),
            None => continue,
        };
        let mut add = |beside| {
            found.push(match Identifier::kind(code) {
                Some((kind, _)) => Identifier::Number { kind, state: beside, value },
                None => Identifier::Person { name: value, birth: beside },
            });
        };
        let mut given = either.into_iter().flat_map(|by| envelope.values(bytes, by.as_bytes()));
        match given.next() {
            Some(first) => std::iter::once(first).chain(given).for_each(add),
            None => add(missing),
        }
    }
    found
}

/// Whether a message to people reaches an office of Homeland Security, by its station or its ORI.
fn reaches_homeland(bundle: &Bundle, envelope: &Envelope, bytes: &[u8], plan: &Plan<'_>) -> bool {
    let directory = &bundle.directory;
    let stations = plan.legs.iter().filter_map(|leg| match leg {
        Leg::Station(station) => Some(directory.station_of(*station).ori),
        Leg::Host { .. } => None,
    });
    let named = envelope.destinations.iter().filter_map(|it| directory.ori(it.of(bytes)));
    let mut oris = stations.chain(named);
    oris.any(|ori| bundle.agency_facts(directory.ori_of(ori).agency).is_homeland())
}

fn station_kind(kind: StationKind) -> policy::StationKind {
    match kind {
        StationKind::Fixed => policy::StationKind::Fixed,
        StationKind::Interface => policy::StationKind::Interface,
        StationKind::Mobile => policy::StationKind::Mobile,
        StationKind::ReceiveOnly => policy::StationKind::ReceiveOnly,
        StationKind::Training => policy::StationKind::Training,
    }
}

fn describe_agency(situation: &mut Situation, bundle: &Bundle, ori: Option<&Ori>) {
    if let Some(ori) = ori {
        let facts = bundle.agency_facts(ori.agency);
        situation.agency_class = facts.class;
        situation.agency_standing = facts.standing;
        situation.attested = facts.attested;
        situation.agreement = facts.agreement;
        situation.mobile_chi = facts.mobile_chi;
        situation.full_access = ori.full_access;
        situation.chi_authority = ori.criminal_history;
    }
}

fn describe_user(situation: &mut Situation, user: Option<&User>, day: i32) {
    let Some(user) = user else { return };
    situation.standing = standing(user.standing);
    situation.level = level(user.level);
    situation.cleared = user.cleared;
    situation.statement = user.statement;
    situation.training = match (user.trained_day, user.training_to_day) {
        (Some(_), Some(to)) if day <= to => policy::Training::Valid,
        (Some(_), _) => policy::Training::Lapsed,
        (None, _) if day.saturating_sub(user.hired_day) <= TRAINING_GRACE_DAYS => {
            policy::Training::Grace
        }
        (None, _) => policy::Training::Never,
    };
}

fn standing(standing: Standing) -> policy::Standing {
    match standing {
        Standing::Active => policy::Standing::Active,
        Standing::Dormant => policy::Standing::Dormant,
        Standing::OnLeave => policy::Standing::OnLeave,
        Standing::Separated => policy::Standing::Separated,
        Standing::Suspended => policy::Standing::Suspended,
        Standing::Trainee => policy::Standing::Trainee,
    }
}

fn level(level: Level) -> policy::Level {
    match level {
        Level::Administrator => policy::Level::Administrator,
        Level::Full => policy::Level::Full,
        Level::LessThanFull => policy::Level::LessThanFull,
        Level::None => policy::Level::None,
        Level::Practitioner => policy::Level::Practitioner,
        Level::SecurityAwareness => policy::Level::SecurityAwareness,
    }
}

fn describe_request(situation: &mut Situation, bundle: &Bundle, envelope: &Envelope, bytes: &[u8]) {
    let names = &bundle.directory.settings().fields;
    // Of a field given twice two readers may see different values: it says nothing.
    let field = |name: &str| {
        let code = name.as_bytes();
        let mut given = envelope.values(bytes, code);
        let first = given.next();
        if given.next().is_some() { Some(&b"?"[..]) } else { first }
    };
    situation.purpose = match field(&names.purpose) {
        None | Some(b"") => policy::Purpose::Absent,
        Some(code) => {
            letter(code).and_then(policy::Purpose::parse).unwrap_or(policy::Purpose::Other)
        }
    };
    situation.california_purpose = match field(&names.california_purpose) {
        None | Some(b"") => policy::CaliforniaPurpose::Absent,
        Some(code) => letter(code)
            .and_then(policy::CaliforniaPurpose::parse)
            .unwrap_or(policy::CaliforniaPurpose::Other),
    };
    situation.reason = match content(field(&names.reason)) {
        Content::Absent => policy::Reason::Absent,
        Content::Junk => policy::Reason::Junk,
        Content::Present => policy::Reason::Present,
    };
    situation.attention = match content(field(&names.attention)) {
        Content::Absent => policy::Attention::Absent,
        Content::Junk => policy::Attention::Junk,
        Content::Present => policy::Attention::Present,
    };
    situation.case_number = content(field(&names.case)) == Content::Present;
    let text = envelope.text.map(|text| text.of(bytes).trim_ascii()).unwrap_or_default();
    situation.text = !text.is_empty();
}

/// The lower-case name of a one-letter code.
fn letter(code: &[u8]) -> Option<&'static str> {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    let [byte] = code else { return None };
    let place = usize::from(byte.to_ascii_lowercase().checked_sub(b'a')?);
    LETTERS.get(place..=place)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Content {
    Absent,
    Junk,
    Present,
}

/// Whether free text says anything: at least two letters, and not a word that says nothing.
fn content(text: Option<&[u8]>) -> Content {
    let text = text.unwrap_or_default().trim_ascii();
    if text.is_empty() {
        return Content::Absent;
    }
    let mut signs = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let first = signs.next().map(u8::to_ascii_lowercase);
    let varied = signs.any(|byte| Some(byte.to_ascii_lowercase()) != first);
    let listed = || JUNK.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    if varied && !listed() { Content::Present } else { Content::Junk }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_empty_junk_and_content_apart() {
        let classify = |text: &str| content(Some(text.as_bytes()));
        assert_eq!(content(None), Content::Absent);
        assert_eq!(classify("  "), Content::Absent);
        assert_eq!(classify("test"), Content::Junk);
        assert_eq!(classify("XXXX"), Content::Junk);
        assert_eq!(classify("..--"), Content::Junk);
        assert_eq!(classify("TRAFFIC STOP"), Content::Present);
    }

    #[test]
    fn reads_a_letter() {
        assert_eq!(letter(b"C"), Some("c"));
        assert_eq!(letter(b"CC"), None);
        assert_eq!(letter(b"1"), None);
    }
}
