//! The sample's rules, with as many more as are wanted, and situations for them to judge.

use std::fmt::Write;

use clets_policy::{Memo, Policies, Situation, day_of};

/// Distinct situations that come again and again: more than a state's traffic has in an hour.
pub const SITUATIONS: usize = 1_000;

/// Rules, what they judge, and a memo of it.
pub struct Court {
    /// The rules.
    pub policies: Policies,
    /// What they judged before: all situations, of slow rules the first ones.
    pub memo: Memo,
    /// What is judged.
    pub situations: Vec<Situation>,
    /// When.
    pub day: i32,
}

impl Court {
    /// The sample's rules, or so many: the sample's first ones, or all of them and made-up ones.
    #[must_use]
    pub fn of(count: Option<usize>) -> Self {
        let files = count.map_or_else(files, |count| with_rules(&files(), count));
        let schema = std::fs::read_to_string(format!("{FOLDER}/schema.cedarschema")).unwrap();
        let policies = Policies::load(&files, &schema).expect("rules that hold together");
        let day = day_of("2026-11-02").unwrap();
        let mut situations = situations();
        situations.truncate(if policies.rules().len() > 1_000 { 50 } else { SITUATIONS });
        let mut memo = Memo::new(1 << 18);
        for situation in &situations {
            memo.judge(&policies, situation, day);
        }
        Self { policies, memo, situations, day }
    }
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/california/policy");

/// Good messages with some facts changed.
fn situations() -> Vec<Situation> {
    let names = "peer=agency standing=active level=full cleared=true statement=true training=valid \
        agency_class=ca_lea agency_standing=active chi_authority=true ori=matches station=bound \
        station_kind=fixed user=known action=inquire data_class=dmv_veh destination=dmv \
        reason=present case_number=true mobile_chi=true full_access=true";
    let pairs = names.split_whitespace().map(|it| it.split_once('=').unwrap());
    let base = Situation::of_names(pairs).unwrap();
    let mut state = 1970_u64;
    let mut below = |count: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % count
    };
    (0..SITUATIONS)
        .map(|_| {
            (0..3).fold(base, |situation, _| {
                let field = below(Situation::FIELDS.len());
                let value = below(Situation::FIELDS.get(field).unwrap().values.len());
                situation.with(field, u8::try_from(value).unwrap())
            })
        })
        .collect()
}

/// The sample's rules and further refusals that look at five facts each; below the sample's
/// number, its first ones.
fn with_rules(files: &[(String, String)], count: usize) -> Vec<(String, String)> {
    let classes = ["dmv_dl", "dmv_veh", "hot_prop", "hot_person", "supervision"];
    let agencies = ["ca_cdcr", "ca_court", "ca_da", "ca_doj", "ca_prob", "ca_tribal"];
    let own: usize = files.iter().map(|(_, text)| text.matches("@id(").count()).sum();
    let mut kept: Vec<(String, String)> = files.to_vec();
    if count < own {
        kept.retain(|(name, _)| name.ends_with("csv") || name.ends_with("key"));
        let text: String =
            files.iter().filter(|it| it.0.ends_with("cedar")).map(|it| &*it.1).collect();
        let first: Vec<&str> = text.split("@id(").skip(1).take(count).collect();
        kept.push(("10-first.cedar".to_owned(), format!("@id({}", first.join("@id("))));
        return kept;
    }
    let mut text = String::new();
    let pairs = classes.iter().cycle().zip(agencies.iter().cycle());
    for (number, (class, agency)) in (own..count).zip(pairs) {
        write!(
            text,
            "@id(\"Z-{number}\") @effect(\"reject\") @code(\"424\") @cite(\"Made up\")
             @text(\"For a measurement.\") @from(\"2000-01-01\")
             forbid (principal, action == Action::\"inquire\", resource)
             when {{ principal.peer == Peer::\"agency\" && principal.level == Level::\"none\" &&
                 principal.agency_class == AgencyClass::\"{agency}\" && context.text &&
                 resource.data_class == DataClass::\"{class}\" }};\n"
        )
        .unwrap();
    }
    kept.push(("99-more.cedar".to_owned(), text));
    kept
}

fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(FOLDER)
        .expect("the sample's policies")
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("schema.cedarschema"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}
