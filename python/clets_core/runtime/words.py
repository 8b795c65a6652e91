"""What a verb of the control socket is given: texts, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from clets_core.runtime.control import Request

WORDS_MAX: Final = 200


def words(
    request: Request, account: str, parts: tuple[str, ...], *, reason: bool
) -> tuple[dict[str, str], str]:
    """The texts that a request may have, absent ones empty, and its source for the journal.

    Raises:
        ClientError: E941 for another part, for what is no text or too long, without a reason.
    """
    known = {*parts, "operator", "reason"}
    given = {name: request.get(name, "") for name in known}
    texts = [value for value in given.values() if isinstance(value, str)]
    fit = not set(request) - known and len(texts) == len(known)
    if not fit or (reason and not given["reason"]) or max(map(len, texts)) > WORDS_MAX:
        text = f"expected {', '.join(sorted(known))} as texts" + (
            ", and a reason" if reason else ""
        )
        raise ClientError(ClientCode.CONTROL_REQUEST.number, text)
    operator = given["operator"] or account
    return given, f"operator {operator} ({account}): {given['reason']}"
