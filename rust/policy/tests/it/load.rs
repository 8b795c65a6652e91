//! What a bundle must be to be loaded, and that everything wrong with it is told at once.

use crate::bundle::{answer, california, files, plate, schema, today, with};
use clets_policy::{Effect, Policies, Problem, RuleId};

const HEAD: &str = "@cite(\"a law\") @text(\"A rule.\") @from(\"2020-01-01\")";
const ALL: &str = "(principal, action, resource)";
const PERMIT: &str = "@effect(\"allow\")";

fn load(policies: &str) -> Result<Policies, Vec<Problem>> {
    Policies::load(&[("a.cedar".to_owned(), policies.to_owned())], &schema())
}

fn problems(policies: &str) -> String {
    let problems = load(policies).unwrap_err();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn permit_all() -> String {
    format!("@id(\"P\") @effect(\"allow\") {HEAD} permit {ALL};\n")
}

#[test]
fn an_obligation_can_never_grant() {
    for effect in ["flag", "hold", "label", "redact", "block", "reject"] {
        let label = if effect == "label" { "@label(\"caveat\")" } else { "" };
        let code = if ["block", "reject"].contains(&effect) { "@code(\"499\")" } else { "" };
        let found = problems(&format!(
            "@id(\"X\") @effect(\"{effect}\") {label} {code} {HEAD} permit {ALL};"
        ));
        assert!(found.contains("`permit` may only have the effect `allow`"), "{effect}: {found}");
    }
    let found = problems(&format!("@id(\"X\") @effect(\"allow\") {HEAD} forbid {ALL};"));
    assert_eq!(found, "a.cedar:1: a `forbid` may not have the effect `allow`");
}

#[test]
fn obligations_alone_permit_nothing_and_refuse_nothing() {
    let rule = |effect: &&str| {
        let rest = if *effect == "redact" { "@segment(\"text\")" } else { "" };
        format!("@id(\"{effect}\") @effect(\"{effect}\") {rest} {HEAD} forbid {ALL};\n")
    };
    let obligations: String = ["flag", "hold", "redact"].iter().map(rule).collect();
    let label = format!(
        "@id(\"label\") @effect(\"label\") @label(\"for law enforcement only\") {HEAD}
         forbid {ALL};"
    );
    let alone = load(&format!("{obligations}{label}")).unwrap();
    assert_eq!(alone.judge(&plate(), today()).code, 401);
    let beside = load(&format!("{}{obligations}{label}", permit_all())).unwrap();
    let verdict = beside.judge(&plate(), today());
    assert_eq!((verdict.effect, verdict.code), (Effect::Hold, 0));
    let ids: Vec<&str> =
        verdict.rules.iter().map(|id| beside.rule(*id).unwrap().id.as_str()).collect();
    assert_eq!(ids, ["hold", "flag", "redact", "label"]);
    assert_eq!(verdict.labels, ["for law enforcement only".into()].into());
}

#[test]
fn the_most_restrictive_refusal_wins_and_the_first_gives_the_number() {
    let rule = |id: &str, effect: &str, code: u16| {
        format!("@id(\"{id}\") @effect(\"{effect}\") @code(\"{code}\") {HEAD} forbid {ALL};\n")
    };
    let rules = [permit_all(), rule("R", "reject", 410), rule("B", "block", 411)].concat();
    let policies = load(&[rules, rule("C", "block", 412)].concat()).unwrap();
    let verdict = policies.judge(&plate(), today());
    assert_eq!((verdict.effect, verdict.code), (Effect::Block, 411));
    assert_eq!(*verdict.rules, [RuleId(2), RuleId(3)]);
}

#[test]
fn a_rule_that_cannot_be_evaluated_refuses() {
    // It validates, and overflows when evaluated.
    let overflow = "when { 9223372036854775807 + 1 > 0 };";
    for (effect, extra, kind) in
        [("reject", "@code(\"499\")", "forbid"), ("flag", "", "forbid"), ("allow", "", "permit")]
    {
        let rule =
            format!("@id(\"E\") @effect(\"{effect}\") {extra} {HEAD} {kind} {ALL} {overflow}");
        let policies = load(&format!("{}{rule}", permit_all())).unwrap();
        let verdict = policies.judge(&plate(), today());
        assert_eq!((verdict.effect, verdict.code), (Effect::Reject, 402), "{effect}");
        assert_eq!(*verdict.rules, [RuleId(1)], "{effect}");
        assert!(policies.explain(&plate(), today()).text.contains("could not be evaluated"));
    }
}

#[test]
fn an_empty_bundle_refuses_everything() {
    let policies = Policies::load(&[], &schema()).unwrap();
    for situation in [plate(), answer()] {
        let verdict = policies.judge(&situation, today());
        assert_eq!((verdict.effect, verdict.code, verdict.rules.len()), (Effect::Reject, 401, 0));
    }
}

#[test]
fn annotations_are_required_and_checked() {
    let whole = "@id(\"X\") @effect(\"reject\") @code(\"499\") @cite(\"c\") @text(\"t\") \
                 @from(\"2020-01-01\")";
    assert!(load(&format!("{whole} forbid {ALL};")).is_ok());
    for (without, with, expected) in [
        ("@id(\"X\")", "", "`@id(\"…\")` is missing or empty"),
        ("@id(\"X\")", "@id(\"a b\")", "may hold letters, digits"),
        ("@effect(\"reject\")", "", "`@effect(\"…\")` is missing or empty"),
        ("@effect(\"reject\")", "@effect(\"refuse\")", "`refuse` is not an effect"),
        ("@cite(\"c\")", "@cite(\" \")", "`@cite(\"…\")` is missing or empty"),
        ("@text(\"t\")", "", "`@text(\"…\")` is missing or empty"),
        ("@from(\"2020-01-01\")", "", "`@from(\"…\")` is missing or empty"),
        ("@from(\"2020-01-01\")", "@from(\"2020-02-30\")", "`@from` must be a date"),
        ("@code(\"499\")", "", "a refusal needs its number"),
        ("@code(\"499\")", "@code(\"E499\")", "a refusal needs its number"),
        ("@code(\"499\")", "@code(\"99\")", "a refusal needs its number"),
        ("@text(\"t\")", "@text(\"t\") @form(\"x\")", "`@form` is not an annotation"),
        ("@text(\"t\")", "@text(\"t\") @label(\"x\")", "`@label` goes with the effect `label`"),
        ("@text(\"t\")", "@text(\"t\") @to(\"never\")", "`@to` must be a date"),
        ("@text(\"t\")", "@text(\"t\") @to(\"2019-12-31\")", "2019-12-31 is before the first"),
        ("@effect(\"reject\")", "@effect(\"flag\")", "`@code` goes with block and reject only"),
    ] {
        let found = problems(&format!("{} forbid {ALL};", whole.replace(without, with)));
        assert!(found.contains(expected), "`{without}` as `{with}`: {found}");
        assert!(found.starts_with("a.cedar:1: "), "{found}");
    }
}

#[test]
fn strict_validation_finds_typing_errors() {
    for (body, expected) in [
        ("when { principal.level == Level::\"fool\" }", "fool"),
        ("when { principal.agency_class in [AgencyClass::\"ca_sheriff\"] }", "ca_sheriff"),
        ("when { principal.lewel == Level::\"full\" }", "lewel"),
        ("when { principal.level == Scope::\"none\" }", ""),
        ("when { context.reason == \"present\" }", ""),
        ("when { resource.purpose == Purpose::\"c\" }", "purpose"),
        ("when { principal.cleared && !principal.cleared && 1 == 2 }", ""),
    ] {
        let rule = format!(
            "// a comment\n\n@id(\"V\")\n@effect(\"allow\")\n{HEAD}\npermit {ALL}\n{body};"
        );
        let found = load(&rule);
        let Err(found) = found else { panic!("{body} was accepted") };
        assert!(found.iter().any(|problem| problem.text.contains(expected)), "{body}: {found:?}");
        assert!(found.iter().all(|problem| problem.line >= 3), "{body}: {found:?}");
    }
    let action = format!(
        "@id(\"V\") {PERMIT} {HEAD} permit (principal, action == Action::\"ask\", resource);"
    );
    assert!(problems(&action).contains("ask"));
}

#[test]
fn every_problem_of_every_file_is_told_with_its_line() {
    let bundle = [
        ("a.cedar", format!("{}\n@id(\"A\")\npermit {ALL};\n", permit_all())),
        ("b.cedar", "permit (principal action, resource);\n".to_owned()),
        (
            "c.cedar",
            format!("// c\n\n@id(\"C\") {PERMIT}\n{HEAD}\npermit {ALL} when {{ principal.mood }};"),
        ),
        (
            "d.cedar",
            format!(
                "@id(\"D\") {PERMIT} {HEAD} permit (principal == ?principal, action, resource);"
            ),
        ),
    ]
    .map(|(name, text)| (name.to_owned(), text));
    let problems = Policies::load(&bundle, &schema()).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for expected in
        ["a.cedar:3: `@effect", "a.cedar:3: `@cite", "b.cedar:1:", "c.cedar:5:", "d.cedar:1:"]
    {
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{expected} in {lines:#?}");
    }
}

#[test]
fn versions_of_a_rule_may_not_overlap() {
    let version = |from: &str, to: &str| {
        let to = if to.is_empty() { String::new() } else { format!("@to(\"{to}\")") };
        format!(
            "@id(\"X\") {PERMIT} @cite(\"c\") @text(\"t\") @from(\"{from}\") {to} permit {ALL};\n"
        )
    };
    let fits = [version("2020-01-01", "2020-12-31"), version("2021-01-01", "")].concat();
    let policies = load(&fits).unwrap();
    let [first, second] = policies.rules() else { panic!("two versions") };
    for (day, in_force) in [
        ("2019-12-31", [false, false]),
        ("2020-12-31", [true, false]),
        ("2021-01-01", [false, true]),
    ] {
        let day = crate::bundle::day(day);
        assert_eq!([first.in_force(day), second.in_force(day)], in_force);
        assert_eq!(policies.judge(&plate(), day).refuses(), in_force == [false, false]);
    }
    for overlap in [
        [version("2020-01-01", "2021-01-01"), version("2021-01-01", "")],
        [version("2021-01-01", ""), version("2020-01-01", "")],
        [version("2020-01-01", ""), version("2020-05-01", "2020-06-01")],
    ] {
        let found = problems(&overlap.concat());
        assert_eq!(found, "a.cedar:2: rule `X` of a.cedar:1 is in force on the same days");
    }
}

#[test]
fn the_schema_must_hold_exactly_the_facts_of_the_switch() {
    for (from, to, expected) in [
        ("\"less_than_full\",", "", "`Level` lacks the value `less_than_full`"),
        ("\"less_than_full\",", "\"less_than_full\", \"half\",", "`Level` has no value `half`"),
        ("case_number: Bool,", "", "lacks the attribute `case_number`"),
        ("peer: Peer,", "peer: Peer, mood: Peer,", "`Sender` has no attribute `mood`"),
        ("    user: User, ", "    user?: User, ", "`user` must be a required `User`"),
        ("    user: User, ", "    user: Ori, ", "`user` must be a required `User`"),
        ("action inquire, administer", "action administer", "lacks the value `inquire`"),
        ("action inquire,", "action inquire, ask,", "`Action` has no value `ask`"),
        ("entity Peer enum", "entity Pier enum", ""),
        ("entity Peer enum [", "entity Peer enumerate [", ""),
    ] {
        let text = schema();
        assert!(text.contains(from), "{from}");
        let problems = Policies::load(&files(), &text.replacen(from, to, 1)).err();
        let Some(problems) = problems else { panic!("`{from}` as `{to}` was accepted") };
        let found = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(found.contains(expected), "`{from}` as `{to}`: {found}");
        assert!(found.starts_with("schema.cedarschema:"), "{found}");
    }
}

#[test]
fn the_sample_rules_know_where_they_stand() {
    for rule in california().rules() {
        let (_, text) = files().into_iter().find(|(name, _)| *name == rule.file).unwrap();
        let line = text.lines().nth(rule.line as usize - 1).unwrap();
        assert_eq!(line, format!("@id(\"{}\")", rule.id));
    }
    let verdict = california().judge(&with(&plate(), "reason=absent"), today());
    let rule = california().rule(verdict.rules[0]).unwrap();
    assert_eq!((rule.file.as_str(), rule.id.as_str()), ("40-purpose.cedar", "I-10"));
}
