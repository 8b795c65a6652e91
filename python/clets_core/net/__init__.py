"""Sockets of the switch: listeners for agencies' lines, dialers for hosts, TLS.

The shell only moves bytes. What a connection may say, and what is answered, the engine decides.
"""
