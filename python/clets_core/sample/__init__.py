"""A sample bundle, made from a seed: everything in it is invented."""

from clets_core.sample.california import PORT_BASE, SEED, Written, write_california

__all__ = ["PORT_BASE", "SEED", "Written", "write_california"]
