"""The house rules, over all files of the project; then each rule on a bad sample."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
import rules

from clets_core.cli import reference

ROOT = Path(__file__).parents[2]
# Names what it was made from.
NOT_OURS = {"Cargo.lock", "rust/fuzz/Cargo.lock"}


@cache
def files() -> dict[str, str]:
    """Every text file that is in version control or would be, by its path."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    found = {}
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and name not in NOT_OURS and path.is_file():
            try:
                found[name] = path.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                continue
    return found


def code() -> list[tuple[str, str]]:
    return [(name, text) for name, text in files().items() if name.endswith((".rs", ".py", ".pyi"))]


def package() -> list[tuple[str, str]]:
    """Python files by their path in the package."""
    prefix = f"python/{rules.PACKAGE}/"
    names = [name for name in files() if name.startswith(prefix) and name.endswith(".py")]
    return [(name.removeprefix(prefix), files()[name]) for name in sorted(names)]


def complain(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("rule", [rules.size, rules.reminders], ids=lambda rule: rule.__name__)
def test_code(rule):
    complain([complaint for name, text in code() for complaint in rule(name, text)])


def test_words():
    complain([said for name, text in files().items() for said in rules.words(name, text)])


def test_unsafe_is_forbidden_outside_one_file():
    complaints = []
    for name, text in code():
        parts = name.split("/")
        if parts[0] != "rust":
            continue
        if parts[1] == "python":
            if not name.endswith("/buffer.rs"):
                complaints += rules.uses_unsafe(name, text)
        elif parts[2:] == ["src", "lib.rs"]:
            complaints += rules.forbids_unsafe(name, text)
    complain(complaints)


def test_crates_depend_as_documented():
    manifests = {
        re.search(r'^name = "clets-(.+)"', text, re.MULTILINE)[1]: text
        for name, text in files().items()
        if name.startswith(("rust/", "bench/")) and name.endswith("/Cargo.toml")
    }
    found = rules.crate_edges(manifests)
    written = rules.table(files()["ARCHITECTURE.md"], "Rust crates")
    complain([*rules.same_edges("crate", written, found), *rules.no_circle("crate", found)])


def test_packages_import_as_documented():
    sources = package()
    parts = frozenset(path.removesuffix(".py").partition("/")[0] for path, _ in sources)
    found = rules.layer_edges(sources, parts | {"_core"} - {"__init__"})
    written = rules.table(files()["ARCHITECTURE.md"], "Python packages")
    complain([*rules.same_edges("package", written, found), *rules.no_circle("package", found)])


def test_decisions_are_numbered():
    names = [name.split("/")[-1] for name in files() if name.startswith("docs/adr/0")]
    assert names
    complain([*rules.adr_numbers(names)])


def test_every_client_error_is_explained():
    numbers = [row.number for row in reference.rows()]
    complain([*rules.client_codes(numbers, package())])


def test_error_numbers_are_unique_and_pages_made_from_code_are_current():
    numbers = [row.number for row in reference.rows()]
    assert len(numbers) == len(set(numbers))
    for name, page in reference.PAGES.items():
        assert files()[f"docs/reference/{name}"] == page(), "run `make docs`"


def test_requirements_are_locked():
    project = tomllib.loads(files()["pyproject.toml"])["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    complain([*rules.locked(wanted, files()["requirements.lock"])])


def test_licence_is_apache():
    text = files()["LICENSE"]
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert tomllib.loads(files()["pyproject.toml"])["project"]["license"] == "Apache-2.0"
    assert tomllib.loads(files()["Cargo.toml"])["workspace"]["package"]["license"] == "Apache-2.0"


def test_a_newcomer_is_told_what_to_type():
    for command in ("make demo", "make test", "make run"):
        assert command in files()["README.md"]
    assert "\nmake test\n" in files()[".ci/run"]
    help_text = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    told = {line.split()[0] for line in help_text.splitlines()}
    assert told >= {"bench", "build", "demo", "docs", "fmt", "lint", "run", "setup", "test"}


def test_the_changelog_has_room_for_the_next_change():
    assert "\n## [Unreleased]\n" in files()["CHANGELOG.md"]


# Each rule must notice what it is there for.

A_TABLE = "# A\n\n### Rust crates\n\n| crate | uses |\n|---|---|\n| `a` | `b`, `c` |\n\n## Next\n"


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (rules.size, "x\n" * 801, "x\n" * 800),
        (rules.size, "x" * 101, "x" * 100 + "  # noqa: X1"),
        (rules.reminders, "# FIX" + "ME: later", "# fixed"),
        (rules.reminders, "    to" + "do!()", "    done!()"),
        (rules.reminders, "// XX" + "X look again", 'const JUNK: &str = "XX' + 'X";'),
        (rules.words, "see /wo" + "rk/notes", "network/notes"),
        (rules.words, "index on crates.i" + "o", "our crates"),
        (rules.forbids_unsafe, "//! A crate.", "#![forbid(unsafe_code)]"),
        (rules.uses_unsafe, "let x = unsafe { y };", "#![deny(unsafe_code)] // unsafe"),
    ],
)
def test_a_rule_notices(rule, bad, good):
    assert list(rule("sample", bad))
    assert not list(rule("sample", good))


def test_table_rules_notice():
    written = rules.table(A_TABLE, "Rust crates")
    assert written == {"a": {"b", "c"}}
    assert not list(rules.same_edges("crate", written, {"a": frozenset("bc")}))
    for found in (
        {"a": frozenset("b")},
        {"a": frozenset("bcd")},
        {},
        {**written, "z": frozenset()},
    ):
        assert list(rules.same_edges("crate", written, found))
    assert list(rules.no_circle("crate", {"a": frozenset("b"), "b": frozenset("a")}))
    assert not list(rules.no_circle("crate", {"a": frozenset("b"), "b": frozenset()}))


def test_edge_finders_find():
    manifest = '[dependencies]\nclets-b.workspace = true\n[dev-dependencies]\nclets-c = "1"\n'
    assert rules.crate_edges({"a": manifest}) == {"a": {"b", "c"}}
    low = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from clets_core.cli import x\n"
    parts = frozenset({"net", "cli", "errors"})
    found = rules.layer_edges([("net/a.py", low), ("cli/b.py", "import clets_core.net.a")], parts)
    assert found == {"net": {"cli"}, "cli": {"net"}}
    root = rules.layer_edges([("__init__.py", "from clets_core.errors import E")], parts)
    assert root == {"clets_core": {"errors"}}
    assert rules.layer_edges([("net/a.py", "from clets_core import E")], parts) == {
        "net": {"clets_core"}
    }


def test_list_rules_notice():
    assert list(rules.adr_numbers(["0001-a.md", "0003-b.md"]))
    assert not list(rules.adr_numbers(["0002-b.md", "0001-a.md"]))
    source = [("a.py", "raise ClientError(901, 'x')\nBAD = 902\n")]
    assert len(list(rules.client_codes([903], source))) == 2
    assert not list(rules.client_codes([901, 902], source))
    assert list(rules.locked(["a>=1"], "b==1\n"))
    assert list(rules.locked([], "a @ file:///tmp/a\n"))
    assert not list(rules.locked(["a_b>=1"], "# x\nA-B==1.0\n"))
