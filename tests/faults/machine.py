"""What a machine must have for these tests, and the faults that need its root."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFIX = "clets-faults-"
# CITE: Linux, EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: the same number; 2 is without a flush.
SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, 2
MAKE = {
    "ext4": ("mkfs.ext4", "-q", "-F"),
    "xfs": ("mkfs.xfs", "-q", "-f", "-m", "reflink=1"),
}
MIB = {"ext4": 96, "xfs": 320}
CARELESS = Path(__file__).with_name("careless.c")


def needs(*things: str) -> None:
    """Skips the test on a machine that lacks something, with its name; fails it where CI is set."""
    lacking = [f"{it}: {why}" for it in things if (why := _lack(it))]
    if lacking:
        text = f"this machine has no {'; '.join(lacking)}"
        if os.environ.get("CI"):
            pytest.fail(f"{text} (a fault test that is skipped proves nothing, so not in CI)")
        pytest.skip(text)


@functools.cache
def _lack(thing: str) -> str | None:
    """Why a thing is lacking, or nothing."""
    try:
        _PROBES[thing]()
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or b""
        return f"{error} {output.decode(errors='replace')}".strip()
    return None


def _command(name: str) -> Callable[[], None]:
    def probe() -> None:
        if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            raise FileNotFoundError(f"no program `{name}`")

    return probe


def _power_cut(kind: str) -> Callable[[], None]:
    def probe() -> None:
        if os.geteuid() != 0:
            raise PermissionError("mounting needs root")
        with workplace() as folder, volume(folder, kind) as disk:
            disk.cut()
            try:
                (disk.path / "probe").write_bytes(b"1")
            except OSError:
                return
        raise OSError("a file system that was shut down still takes writes")

    return probe


def _reflinks() -> None:
    _power_cut("xfs")()
    with workplace() as folder, volume(folder, "xfs") as disk:
        (disk.path / "one").write_bytes(b"1")
        reflink(disk.path / "one", disk.path / "two")


def _injection() -> None:
    _command("strace")()
    call = ("strace", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "sync", "/dev/null")
    if subprocess.run(call, check=False, capture_output=True, timeout=10).returncode == 0:
        raise OSError("strace cannot make a call fail")


_PROBES: dict[str, Callable[[], None]] = {
    "C compiler": _command("cc"),
    "gcc": _command("gcc"),
    "spin": _command("spin"),
    "power cut on ext4": _power_cut("ext4"),
    "power cut on xfs": _power_cut("xfs"),
    "reflinks": _reflinks,
    "system call injection": _injection,
}


class Volume:
    """A file system in a file, on a loop device."""

    def __init__(self, image: Path, path: Path) -> None:
        self.image = image
        self.path = path
        """Where it is mounted."""

    def mount(self) -> None:
        self.path.mkdir(exist_ok=True)
        _run("mount", "-o", "loop", str(self.image), str(self.path))

    def unmount(self) -> None:
        _run("umount", str(self.path))

    def cut(self) -> None:
        """The power goes: what was not synced is gone, and nothing is taken any more."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        finally:
            os.close(descriptor)

    def remount(self) -> None:
        """The power is back."""
        self.unmount()
        self.mount()


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for images and mounts; what is mounted in it goes with it."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        _clear(folder)


@contextmanager
def volume(folder: Path, kind: str, mib: int = 0) -> Iterator[Volume]:
    """A fresh file system of ``mib`` MiB, mounted."""
    image = folder / f"{kind}.img"
    with image.open("wb") as file:
        file.truncate((mib or MIB[kind]) << 20)
    _run(*MAKE[kind], str(image))
    with mounted(image, folder / f"{kind}.mounted") as disk:
        yield disk


@contextmanager
def mounted(image: Path, path: Path) -> Iterator[Volume]:
    """An image, mounted while the block runs."""
    disk = Volume(image, path)
    disk.mount()
    try:
        yield disk
    finally:
        # A process that still has a file open there is killed by whoever started it, but later.
        subprocess.run(("umount", "-l", str(path)), check=False, capture_output=True, timeout=60)


def reflink(of: Path, to: Path) -> None:
    """A copy at one instant of a file that others write."""
    _run("cp", "--reflink=always", str(of), str(to))


def sweep() -> None:
    """Removes what earlier runs left that could not clean up: their processes are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner == str(os.getpid()) or not Path(f"/proc/{owner}").exists():
            _clear(folder)


def careless(folder: Path, fault: str) -> Path:
    """A library that makes one call careless, to be loaded before the C library."""
    library = folder / f"{fault.lower()}.so"
    if not library.exists():
        flags = ("-shared", "-fPIC", "-O1", "-Wall", "-Werror", f"-D{fault}")
        _run("cc", *flags, "-o", str(library), str(CARELESS))
    return library


def _clear(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    # The innermost first: an image may lie on a file system that is mounted here too.
    for path in reversed([it for it in mounts if Path(it).is_relative_to(folder)]):
        subprocess.run(("umount", "-l", path), check=False, capture_output=True, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    environment = {**os.environ, "PATH": path}
    subprocess.run(command, check=True, capture_output=True, timeout=60, env=environment)
