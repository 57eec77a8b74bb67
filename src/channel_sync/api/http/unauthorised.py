"""401: which credential was refused for what. Its owner can act on it, and a guesser learns nothing."""

from typing import Literal

from channel_sync.api.http.problems import HttpProblem

Reason = Literal[
    "credential_missing",
    "token_unknown",
    "token_revoked",
    "token_expired",
    "token_not_yet_valid",
    "token_invalid_issuer",
    "token_invalid_audience",
    "token_missing_claim",
]

_WORDS: dict[Reason, str] = {
    "credential_missing": "Send an API key or a token, as Authorization: Bearer and the key.",
    "token_unknown": "This credential is not known here, or nobody we trust has signed it.",
    "token_revoked": "This API key was revoked.",
    "token_expired": "This token has expired; get a fresh one.",
    "token_not_yet_valid": "This token is not valid yet; compare the clocks.",
    "token_invalid_issuer": "This token names another issuer than the one that is configured.",
    "token_invalid_audience": "This token is for another audience.",
    "token_missing_claim": "This token lacks a claim that is needed, or it cannot be used.",
}


class Unauthorised(HttpProblem):
    """The credential is not good. Of a token only what a good signature vouches for is told."""

    def __init__(self, reason: Reason, detail: str | None = None) -> None:
        words = detail or _WORDS[reason]
        challenge = 'Bearer realm="channel-sync"'
        if reason != "credential_missing":
            # RFC 6750, section 3: no error where there was no credential.
            challenge += f', error="invalid_token", error_description="{reason}: {words}"'
        super().__init__(401, reason, words, {"WWW-Authenticate": challenge})
        self.reason = reason
