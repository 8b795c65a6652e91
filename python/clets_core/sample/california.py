"""Writes the sample bundle: a state's switching center with everybody who uses it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from clets_core.errors import ClientError
from clets_core.sample.files import HOST_PORT_OFFSET, HOSTS, all_files, certificate_name, line_names
from clets_core.sample.world import build

SEED = 1970
"""The seed of ``examples/california``: the year CLETS began."""
PORT_BASE = 17_000
"""Port of the first listener; the second and the hosts follow."""
_PORTS = HOST_PORT_OFFSET + len(HOSTS)
NO_POLICY = 910
"""Number of the error when there are no policies to write into the bundle."""
BAD_PORT = 911
"""Number of the error when a port would not be a port."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a sample holds."""

    agencies: int
    stations: int
    users: int


def write_california(
    directory: Path | str,
    *,
    seed: int = SEED,
    port_base: int = PORT_BASE,
    tls: bool = False,
    policy: Path | str | None = None,
) -> Written:
    """Writes the bundle into ``directory``, which is made when it is not there.

    The same seed and ports give the same bytes; only certificates (``tls``) are new each time.
    ``policy`` is a folder of Cedar files and their schema to copy, in place of this package's.

    Raises ``ClientError`` E910 without policies and E911 for a port outside 1024-65535.
    """
    if not 1024 <= port_base <= 65_535 - _PORTS:
        text = f"`{port_base}` leaves no room for {_PORTS} ports of 1024-65535"
        raise ClientError(BAD_PORT, text)
    target = Path(directory)
    _write_policy(target / "policy", None if policy is None else Path(policy))
    world = build(seed)
    for name, text in all_files(world, seed=seed, port_base=port_base, tls=tls).items():
        (target / name).write_text(text, encoding="utf-8", newline="\n")
    if tls:
        # The package is needed for this alone.
        from clets_core.sample.tls import write_certificates

        names = {line: certificate_name(line) for line in line_names()}
        write_certificates(target / "tls", names)
    return Written(len(world.agencies), len(world.stations), len(world.users))


def _write_policy(target: Path, given: Path | None) -> None:
    with resources.as_file(resources.files("clets_core.sample") / "policy") as packaged:
        source = packaged if given is None else given
        if not _is_policy(source):
            text = f"there are no policies in `{source}`: name a folder with --policy"
            raise ClientError(NO_POLICY, text)
        if source.resolve() == target.resolve():
            return
        target.mkdir(parents=True, exist_ok=True)
        for path in target.glob("*.cedar"):
            path.unlink()
        for path in sorted(source.iterdir()):
            if path.suffix in {".cedar", ".cedarschema", ".csv", ".key"}:
                shutil.copyfile(path, target / path.name)


def _is_policy(folder: Path) -> bool:
    return (folder / "schema.cedarschema").is_file() and any(folder.glob("*.cedar"))
