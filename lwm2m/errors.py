"""The one error that may leave this package: it knows its CoAP code, a finite cause and what to do."""

from __future__ import annotations

from lwm2m.codes import Code


class Lwm2mError(Exception):
    """Bad input, as an answer: ``code`` goes to the peer, ``cause`` to the ledger, ``detail`` to a person.

    ``cause`` is an upper-snake word such as ``BAD_LINK_FORMAT``. ``detail`` says what is wrong and what
    to do; it never carries key material.
    """

    def __init__(self, code: Code, cause: str, detail: str) -> None:
        super().__init__(f"{code.dotted} {cause}: {detail}")
        self.code = code
        self.cause = cause
        self.detail = detail


def bad_request(cause: str, detail: str) -> Lwm2mError:
    """A 4.00, by far the most common refusal."""
    return Lwm2mError(Code.BAD_REQUEST, cause, detail)
