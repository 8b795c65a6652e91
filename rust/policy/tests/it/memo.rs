//! The memo against Cedar: the same answers, within its bound, for the bundle and day at hand.

use crate::bundle::{Generator, california, day, files, plate, schema, today, with};
use clets_policy::{Memo, Policies, Situation};

const DAYS: [&str; 4] = ["2021-06-30", "2021-07-01", "2025-03-31", "2026-03-02"];

fn cases() -> usize {
    std::env::var("CLETS_POLICY_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

/// Set `CLETS_POLICY_CASES=1000000` for the long run.
#[test]
fn the_memo_equals_cedar() {
    let mut generator = Generator(2_026);
    let mut memo = Memo::new(4_096);
    let (mut allowed, mut refused) = (0, 0);
    let mut recent: Vec<(Situation, i32)> = Vec::new();
    for number in 0..cases() {
        // Every third is one asked before, so that remembered answers are compared too.
        let (situation, day) = if number % 3 == 2 {
            recent[generator.below(recent.len())]
        } else {
            (generator.situation(), day(DAYS[generator.below(DAYS.len())]))
        };
        let remembered = memo.judge(california(), &situation, day);
        assert_eq!(*remembered, california().judge(&situation, day), "{situation:?} on {day}");
        *(if remembered.refuses() { &mut refused } else { &mut allowed }) += 1;
        if recent.len() < 1_000 {
            recent.push((situation, day));
        } else {
            let place = generator.below(recent.len());
            recent[place] = (situation, day);
        }
    }
    let (hits, misses) = memo.hits_and_misses();
    assert_eq!(hits + misses, cases() as u64);
    assert!(hits > misses / 10, "hits {hits}, misses {misses}");
    assert!(allowed > cases() / 20 && refused > cases() / 20, "{allowed} and {refused}");
}

/// The control of the test above: one rule changed in meaning is seen among as many situations.
#[test]
fn a_changed_rule_is_noticed() {
    for (from, to) in [
        ("context.attention != Attention::\"present\"", "context.attention == Attention::\"junk\""),
        ("principal.enumerating", "principal.shared_id"),
        ("principal.training == Training::\"never\"", "principal.training == Training::\"grace\""),
    ] {
        let mut files = files();
        let changed: usize = files.iter().map(|(_, text)| text.matches(from).count()).sum();
        assert_eq!(changed, 1, "{from}");
        files.iter_mut().for_each(|(_, text)| *text = text.replace(from, to));
        let mutant = Policies::load(&files, &schema()).unwrap();
        let mut generator = Generator(2_026);
        let mut memo = Memo::new(4_096);
        let noticed = (0..4_000).any(|_| {
            let situation = generator.situation();
            let day = today();
            *memo.judge(&mutant, &situation, day) != california().judge(&situation, day)
        });
        assert!(noticed, "{from}");
    }
}

#[test]
fn the_memo_stays_within_its_bound() {
    let mut generator = Generator(9);
    for capacity in [0, 1, 2, 7, 64] {
        let mut memo = Memo::new(capacity);
        assert!(memo.is_empty());
        for _ in 0..300 {
            memo.judge(california(), &generator.situation(), today());
            assert!(memo.len() <= capacity.max(2), "{} of {capacity}", memo.len());
        }
    }
}

#[test]
fn what_is_asked_often_stays_remembered() {
    let mut memo = Memo::new(16);
    let mut generator = Generator(3);
    memo.judge(california(), &plate(), today());
    let (_, before) = memo.hits_and_misses();
    assert_eq!(before, 1);
    let mut others = 0;
    for _ in 0..200 {
        let other = generator.situation();
        others += u64::from(other != plate());
        memo.judge(california(), &other, today());
        memo.judge(california(), &plate(), today());
    }
    let (_, misses) = memo.hits_and_misses();
    assert!(misses <= 1 + others, "{misses} misses of {others} others");
}

#[test]
fn a_new_bundle_and_a_new_day_are_not_answered_from_memory() {
    let mut memo = Memo::new(64);
    let blank = with(&plate(), "reason=absent");
    assert!(!memo.judge(california(), &blank, day("2021-06-30")).refuses());
    assert!(memo.judge(california(), &blank, day("2021-07-01")).refuses());
    assert!(!memo.judge(california(), &blank, day("2021-06-30")).refuses());

    let nothing = Policies::load(&[], &schema()).unwrap();
    assert_ne!(nothing.generation(), california().generation());
    assert_eq!(memo.judge(&nothing, &plate(), today()).code, 401);
    assert_eq!(memo.judge(california(), &plate(), today()).code, 0);
}

#[test]
fn explanations_are_remembered() {
    let mut memo = Memo::new(64);
    let blank = with(&plate(), "reason=absent");
    let first = std::ptr::from_ref(memo.explain(california(), &blank, today()));
    let second = memo.explain(california(), &blank, today());
    assert!(std::ptr::eq(first, second));
    assert_eq!(*second, california().explain(&blank, today()));
}
