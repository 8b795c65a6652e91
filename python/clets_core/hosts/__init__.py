"""Simulated destination systems: the state's files, the DMV, NCIC, III, Nlets, Oregon, Nevada.

Each is a TCP server that speaks DMPP and its own dialect, with seeded synthetic records. They are
for demonstrations, tests and load; no record describes a person who exists. ``known`` lists the
records whose keys never change.
"""

from clets_core.hosts.host import Behaviour, BundleHost, Host, Tally
from clets_core.hosts.known import WELL_KNOWN, Known
from clets_core.hosts.running import Hosts, start_hosts

__all__ = [
    "WELL_KNOWN",
    "Behaviour",
    "BundleHost",
    "Host",
    "Hosts",
    "Known",
    "Tally",
    "start_hosts",
]
