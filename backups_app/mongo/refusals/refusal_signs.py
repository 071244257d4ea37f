"""Words by which the reason of a failure is recognised in what pymongo, OpenSSL, the server and Atlas say of it."""

from __future__ import annotations

import re

SERVER_SAYS = re.compile(r"not authorized on (.+?) to execute command \{ (\w+)", re.DOTALL)
ATLAS_SAYS = re.compile(r"not allowed to do action \[(\w+)\] on \[([^\].]*)", re.IGNORECASE)

BAD_LOGIN = re.compile(r"bad auth|authentication failed", re.IGNORECASE)
LOGIN_WANTED = "requires authentication"
QUOTA = "quota"

OTHER_SET = "replica set name"
NO_PRIMARY = "match selector"
OTHER_VERSION = "wire version"
CLOSED = "connection closed"
NOTHING_FOUND = "Topology Description"
"""Begins what pymongo reports every server of the URL when it can use none."""

NO_NAME = re.compile(
    r"Name or service not known|nodename nor servname|failure in name resolution|No address associated"
    r"|getaddrinfo failed|The DNS |nameservers failed|resolution lifetime expired"
)

TLS = re.compile(r"\[SSL|SSL handshake failed|certificate verify failed|SSLError")
OTHER_HOST = re.compile(r"Hostname mismatch|IP address mismatch|not valid for|doesn't match", re.IGNORECASE)
EXPIRED = re.compile(r"certificate has expired", re.IGNORECASE)
NOT_YET_VALID = re.compile(r"not yet valid", re.IGNORECASE)
NOT_TRUSTED = re.compile(r"certificate.verify.failed", re.IGNORECASE)
WANTS_OURS = re.compile(r"certificate required|peer did not return|alert handshake", re.IGNORECASE)
NO_TLS = re.compile(r"EOF|WRONG.VERSION|unknown protocol|record layer|reset", re.IGNORECASE)
