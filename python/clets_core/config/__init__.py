"""Bundles: a folder of TOML, CSV and Cedar, checked as a whole before any of it is used."""

from clets_core.config.document import document
from clets_core.config.load import load
from clets_core.config.model import Configuration

__all__ = ["Configuration", "document", "load"]
