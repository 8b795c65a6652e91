"""Faults of the machine under a running switch: kills, power cuts, failing calls, a full disk.

A kill alone proves little: the kernel keeps what a process wrote, synced or not, so a switch that
never syncs passes every kill (a test shows that). What was not synced is lost only when the power
goes, so the file system is cut off under the switch, or copied while it runs.
"""
