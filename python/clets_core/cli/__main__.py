"""``python -m clets_core.cli``."""

from clets_core.cli.main import main

main(prog_name="clets")
