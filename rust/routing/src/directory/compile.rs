//! From the document to the directory, in the order in which entries name each other.

use std::sync::Arc;

use clets_wire::Dialect;

use super::document::{AgencyRow, StationRow, UserRow};
use super::document::{
    Document, FileCodeRow, GroupRow, HostRow, LegRow, LineRow, OriRow, RouteRow, TranslationRow,
};
use super::{Directory, MemberCode};
use crate::entry::{
    Agency, Framing, Level, Line, LineKind, Ori, Standing, Station, StationKind, User,
};
use crate::followup::{FollowUp, Locator};
use crate::group::{Group, Member, Scope, Senders, expand_all};
use crate::ids::{AgencyId, LineId};
use crate::limits::{AGENCIES_MAX, GROUP_STATIONS_MAX, GROUPS_MAX, LEGS_MAX, LINES_MAX};
use crate::route::{Address, Condition, LegSpec, Route, Routes, Variant, name};
use crate::settings::Settings;
use crate::table::{Named, Table};
use crate::translation::{KeyForm, Translation};

pub(super) fn compile(json: &[u8]) -> Result<Directory, String> {
    let document: Document<'_> =
        serde_json::from_slice(json).map_err(|error| format!("not a bundle document: {error}"))?;
    at_most("agencies", document.agencies.len(), AGENCIES_MAX)?;
    at_most("groups", document.groups.len(), GROUPS_MAX)?;
    at_most("lines and hosts", document.lines.len() + document.hosts.len(), LINES_MAX)?;

    let mut directory = empty(&document);
    for row in &document.agencies {
        add(&mut directory.agencies, "agency", agency(row))?;
    }
    let dialects: Vec<Arc<Translation>> =
        document.dialects.iter().map(|row| Arc::new(translation(row))).collect();
    for row in &document.lines {
        let line = line(&directory, &dialects, row)?;
        add(&mut directory.lines, "line", line)?;
    }
    for row in &document.hosts {
        let id = LineId::at(add(&mut directory.lines, "line", host(row)?)?);
        for code in &row.members {
            let member = MemberCode { code: code.as_bytes().into(), line: id };
            add(&mut directory.members, "destination code", member)?;
        }
    }
    let line_rows = document.lines.iter().map(|row| (&row.name, &row.alternate));
    let host_rows = document.hosts.iter().map(|row| (&row.name, &row.alternate));
    for (at, (name, alternate)) in line_rows.chain(host_rows).enumerate() {
        bind_alternate(&mut directory, LineId::at(at), name, alternate)?;
    }
    for row in &document.oris {
        let ori = ori(&directory, row)?;
        add(&mut directory.oris, "ORI", ori)?;
    }
    for row in &document.stations {
        let station = station(&directory, row)?;
        add(&mut directory.stations, "station", station)?;
    }
    bind_oris(&mut directory, &document.oris)?;
    for row in &document.users {
        let user = user(&directory, row)?;
        add(&mut directory.users, "user", user)?;
    }
    add_groups(&mut directory, &document.groups)?;
    for row in &document.routes {
        add_route(&mut directory, &document.file_codes, row)?;
    }
    let settings = &directory.settings;
    let (station, group) = (&settings.control_station, &settings.alert_group);
    if !station.is_empty() && directory.station(station.as_bytes()).is_none() {
        return Err(nothing("station", station));
    }
    if !group.is_empty() && directory.group(group.as_bytes()).is_none() {
        return Err(nothing("group", group));
    }
    add_follow_ups(&mut directory, &document)?;
    Ok(directory)
}

fn empty(document: &Document<'_>) -> Directory {
    let lines = document.lines.len() + document.hosts.len();
    let members = document.hosts.iter().map(|host| host.members.len()).sum();
    let nobody = MemberCode { code: Box::default(), line: LineId::NOBODY };
    Directory {
        agencies: Table::new(document.agencies.len(), Agency::nobody()),
        follow_ups: Vec::new(),
        groups: Table::new(document.groups.len(), Group::nobody()),
        lines: Table::new(lines, Line::nobody()),
        members: Table::new(members, nobody),
        oris: Table::new(document.oris.len(), Ori::nobody()),
        routes: Routes::new(document.routes.iter().map(|route| route.keys.len()).sum()),
        settings: Settings::clone(&document.settings),
        stations: Table::new(document.stations.len(), Station::nobody()),
        users: Table::new(document.users.len(), User::nobody()),
    }
}

fn agency(row: &AgencyRow<'_>) -> Agency {
    Agency {
        code: (&*row.code).into(),
        name: (&*row.name).into(),
        class: (&*row.class).into(),
        standing: (&*row.standing).into(),
        county: row.county,
        attested: row.attested,
        agreement: row.agreement,
        mobile_chi: row.mobile_chi,
    }
}

fn line(
    directory: &Directory,
    dialects: &[Arc<Translation>],
    row: &LineRow<'_>,
) -> Result<Line, String> {
    let named = |name: &str| dialects.iter().find(|it| *it.name == *name).cloned();
    let translation =
        row.dialect.as_deref().map(|name| named(name).ok_or_else(|| nothing("dialect", name)));
    let mut agencies = row
        .agencies
        .iter()
        .map(|code| directory.agency(code).ok_or_else(|| nothing("agency", code)))
        .collect::<Result<Vec<_>, _>>()?;
    agencies.sort_unstable();
    agencies.dedup();
    Ok(Line {
        name: (&*row.name).into(),
        kind: LineKind::Agency,
        framing: word(&row.framing, Framing::parse)?,
        window: row.window,
        divert_after_ms: row.divert_after_ms,
        system: "agency".into(),
        title: (&*row.title).into(),
        dedupes: row.dedupes,
        reply_deadline_ms: directory.settings.reply_deadline_ms,
        county: row.county,
        agencies: agencies.into(),
        translation: translation.transpose()?,
        collate: row.collate,
        collate_field: row.collate_field.as_deref().unwrap_or_default().as_bytes().into(),
        follow_ups: row.follow_ups,
        ..Line::nobody()
    })
}

fn host(row: &HostRow<'_>) -> Result<Line, String> {
    let (dialect_in, dialect_out) = word(&row.dialect, |dialect| match dialect {
        "clets" => Some((Dialect::Clets, Dialect::Clets)),
        "ncic" => Some((Dialect::NcicOut, Dialect::NcicIn)),
        "nlets" => Some((Dialect::NletsOut, Dialect::NletsIn)),
        "niem" => Some((Dialect::NiemOut, Dialect::NiemIn)),
        _ => None,
    })?;
    Ok(Line {
        name: (&*row.name).into(),
        kind: LineKind::Host,
        framing: word(&row.framing, Framing::parse)?,
        dialect_in,
        dialect_out,
        window: row.window,
        divert_after_ms: row.divert_after_ms,
        system: (&*row.system).into(),
        ori: row.ori.as_bytes().into(),
        title: (&*row.title).into(),
        station: row.station.as_bytes().into(),
        dedupes: row.dedupes,
        reply_deadline_ms: row.reply_deadline_ms,
        outstanding: row.outstanding,
        county: 0,
        agencies: Box::default(),
        members: row.members.iter().map(|code| code.as_bytes().into()).collect(),
        ..Line::nobody()
    })
}

fn ori(directory: &Directory, row: &OriRow<'_>) -> Result<Ori, String> {
    let ori = <[u8; 9]>::try_from(row.ori.as_bytes())
        .map_err(|_| format!("ORI `{}` is not nine characters long", row.ori))?;
    Ok(Ori {
        ori,
        agency: directory.agency(&row.agency).ok_or_else(|| nothing("agency", &row.agency))?,
        full_access: row.full_access,
        criminal_history: row.criminal_history,
        station: None,
    })
}

fn station(directory: &Directory, row: &StationRow<'_>) -> Result<Station, String> {
    Ok(Station {
        mnemonic: row.mnemonic.as_bytes().into(),
        line: directory.find_line(&row.line).ok_or_else(|| nothing("line", &row.line))?,
        ori: directory.ori(row.ori.as_bytes()).ok_or_else(|| nothing("ORI", &row.ori))?,
        kind: word(&row.kind, StationKind::parse)?,
    })
}

/// ORIs and stations name each other: the stations stand now, so the ORIs can point at them.
fn bind_alternate(
    directory: &mut Directory,
    line: LineId,
    name: &str,
    alternate: &str,
) -> Result<(), String> {
    if alternate.is_empty() {
        return Ok(());
    }
    let by = directory.find_line(alternate).ok_or_else(|| nothing("line", alternate))?;
    if !directory.stands_in(line, by) {
        return Err(format!("line `{alternate}` cannot stand in for `{name}`"));
    }
    if let Some(line) = directory.lines.row_mut(line.index()) {
        line.alternate = Some(by);
    }
    Ok(())
}

fn bind_oris(directory: &mut Directory, rows: &[OriRow<'_>]) -> Result<(), String> {
    for (at, row) in rows.iter().enumerate() {
        let Some(mnemonic) = &row.station else {
            continue;
        };
        let station = directory.station(mnemonic.as_bytes());
        let station = station.ok_or_else(|| nothing("station", mnemonic))?;
        if let Some(ori) = directory.oris.row_mut(at) {
            ori.station = Some(station);
        }
    }
    Ok(())
}

fn user(directory: &Directory, row: &UserRow<'_>) -> Result<User, String> {
    Ok(User {
        id: row.id.as_bytes().into(),
        agency: directory.agency(&row.agency).ok_or_else(|| nothing("agency", &row.agency))?,
        level: word(&row.level, Level::parse)?,
        standing: word(&row.standing, Standing::parse)?,
        cleared: row.cleared,
        statement: row.statement,
        hired_day: row.hired_day,
        trained_day: row.trained_day,
        training_to_day: row.training_to_day,
    })
}

fn add_groups(directory: &mut Directory, rows: &[GroupRow<'_>]) -> Result<(), String> {
    // Groups may name later ones, so all get their number before any member is looked up.
    for row in rows {
        let group = Group {
            code: row.code.as_bytes().into(),
            title: (&*row.title).into(),
            scope: word(&row.scope, Scope::parse)?,
            ..Group::nobody()
        };
        add(&mut directory.groups, "group", group)?;
    }
    for (at, row) in rows.iter().enumerate() {
        let members =
            row.members.iter().map(|code| member(directory, code)).collect::<Result<_, _>>()?;
        let senders = senders(directory, row)?;
        if let Some(group) = directory.groups.row_mut(at) {
            group.members = members;
            group.senders = senders;
        }
    }
    let stations_max = usize::try_from(directory.settings.limits.group_stations)
        .map_or(GROUP_STATIONS_MAX, |stations| stations.min(GROUP_STATIONS_MAX));
    let expanded = expand_all(directory.groups.rows(), stations_max)?;
    for (at, stations) in expanded.into_iter().enumerate() {
        if let Some(group) = directory.groups.row_mut(at) {
            group.stations = stations;
        }
    }
    Ok(())
}

fn member(directory: &Directory, code: &str) -> Result<Member, String> {
    let bytes = code.as_bytes();
    if let Some(group) = directory.group(bytes) {
        return Ok(Member::Group(group));
    }
    let ori_station = || directory.ori(bytes).and_then(|ori| directory.ori_of(ori).station);
    directory
        .station(bytes)
        .or_else(ori_station)
        .map(Member::Station)
        .ok_or_else(|| nothing("station, group or ORI with a station", code))
}

fn senders(directory: &Directory, row: &GroupRow<'_>) -> Result<Senders, String> {
    let Some(codes) = &row.senders else {
        return Ok(Senders::Any);
    };
    let mut agencies: Vec<AgencyId> = codes
        .iter()
        .map(|code| directory.agency(code).ok_or_else(|| nothing("agency", code)))
        .collect::<Result<_, _>>()?;
    agencies.sort_unstable();
    Ok(Senders::Agencies(agencies.into()))
}

fn add_route(
    directory: &mut Directory,
    file_codes: &[FileCodeRow<'_>],
    row: &RouteRow<'_>,
) -> Result<(), String> {
    at_most("legs of one route", row.legs.len(), LEGS_MAX)?;
    for key in &row.keys {
        let written = WrittenKey::parse(key);
        let legs = row.legs.iter().map(|leg| leg_spec(directory, file_codes, leg, &written));
        let condition = row.condition.as_ref().map(|condition| Condition {
            field: condition.field.as_bytes().into(),
            values: condition.values.iter().map(|value| value.as_bytes().into()).collect(),
            negate: condition.negate,
        });
        let route = Route { condition, legs: legs.collect::<Result<_, _>>()? };
        let name = name(written.system, written.federal_only, written.key)
            .ok_or_else(|| format!("the key `{key}` of a route is too long"))?;
        directory.routes.add(name, route);
    }
    Ok(())
}

fn leg_spec(
    directory: &Directory,
    file_codes: &[FileCodeRow<'_>],
    row: &LegRow<'_>,
    own: &WrittenKey<'_>,
) -> Result<LegSpec, String> {
    let host = directory.find_line(&row.host).ok_or_else(|| nothing("host", &row.host))?;
    let line = directory.line(host);
    if line.kind != LineKind::Host {
        return Err(format!("`{}` is a line of agencies and cannot be asked", row.host));
    }
    let mut written = row.key.as_deref().map_or(*own, WrittenKey::parse);
    // NCIC and Nlets have no destination systems: there the bare key is the whole address.
    if row.key.is_none() && line.dialect_out != Dialect::Clets {
        written = WrittenKey { system: &[], federal_only: false, key: own.key };
    }
    let bytes = |text: &str| Box::<[u8]>::from(text.as_bytes());
    let address = match (&row.destination_field, &row.destination, row.addressed) {
        (Some(field), None, false) => Address::Field(bytes(field)),
        (None, Some(code), false) => Address::Fixed(bytes(code)),
        (None, None, true) => Address::Message,
        (None, None, false) => Address::Omit,
        _ => {
            return Err(format!("a leg to `{}` has more than one kind of destination", row.host));
        }
    };
    let form = |written: WrittenKey<'_>| LegSpec {
        host,
        system: written.system.into(),
        key: written.key.into(),
        federal_only: written.federal_only,
        address: address.clone(),
        variants: Vec::new(),
        region: None,
    };
    let mut spec = form(written);
    for codes in file_codes.iter().filter(|codes| WrittenKey::parse(&codes.key) == written) {
        spec.variants.extend(codes.codes.iter().map(|(value, key)| Variant {
            field: bytes(&codes.field),
            value: bytes(value),
            spec: form(WrittenKey::parse(key)),
        }));
    }
    spec.region = row.region_key.as_deref().map(|key| Box::new(form(WrittenKey::parse(key))));
    Ok(spec)
}

/// `KEY`, `DD.KEY` or `DD.R.KEY` in its parts.
#[derive(Clone, Copy, Eq, PartialEq)]
struct WrittenKey<'a> {
    system: &'a [u8],
    federal_only: bool,
    key: &'a [u8],
}

impl<'a> WrittenKey<'a> {
    fn parse(text: &'a str) -> Self {
        let (system, rest) = text.split_once('.').unwrap_or(("", text));
        let (federal_only, key) = rest.strip_prefix("R.").map_or((false, rest), |key| (true, key));
        Self { system: system.as_bytes(), federal_only, key: key.as_bytes() }
    }
}

fn translation(row: &TranslationRow<'_>) -> Translation {
    let bytes = |text: &str| Box::<[u8]>::from(text.as_bytes());
    let pairs = |rows: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)]| {
        rows.iter().map(|(left, right)| (bytes(left), bytes(right))).collect()
    };
    let keys = row.keys.iter().map(|row| {
        let written = WrittenKey::parse(&row.key);
        KeyForm {
            entered: bytes(&row.entered),
            with: row.with.as_deref().map(bytes),
            system: written.system.into(),
            federal_only: written.federal_only,
            key: written.key.into(),
            destination_field: row.destination_field.as_deref().map(bytes),
            defaults: pairs(&row.defaults),
        }
    });
    Translation { name: (&*row.name).into(), renames: pairs(&row.renames), keys: keys.collect() }
}

fn add_follow_ups(directory: &mut Directory, document: &Document<'_>) -> Result<(), String> {
    for row in &document.follow_ups {
        let written = WrittenKey::parse(&row.key);
        let hosts = row
            .hosts
            .iter()
            .map(|name| directory.find_line(name).ok_or_else(|| nothing("host", name)));
        let hosts = hosts.collect::<Result<_, _>>()?;
        let locators = row.locators.iter().map(|row| Locator {
            field: row.field.as_bytes().into(),
            label: row.label.as_bytes().into(),
            until: row.until.as_bytes().into(),
            bytes_max: row.bytes_max,
        });
        directory.follow_ups.push(FollowUp {
            name: (&*row.name).into(),
            after: row.after.iter().map(|key| (&**key).into()).collect(),
            hosts,
            system: written.system.into(),
            federal_only: written.federal_only,
            key: written.key.into(),
            locators: locators.collect(),
        });
    }
    Ok(())
}

fn add<T: Named>(table: &mut Table<T>, what: &str, row: T) -> Result<usize, String> {
    let name = String::from_utf8_lossy(row.name()).into_owned();
    table.add(row).ok_or_else(|| format!("the {what} `{name}` is there twice"))
}

fn word<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    parse(text).ok_or_else(|| format!("`{text}` is not a word known here"))
}

fn at_most(what: &str, count: usize, max: usize) -> Result<(), String> {
    if count > max { Err(format!("{count} {what}: at most {max} are possible")) } else { Ok(()) }
}

fn nothing(what: &str, name: &str) -> String {
    format!("there is no {what} `{name}`")
}
