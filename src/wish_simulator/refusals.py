"""What Wish says no with. Codes from 10000 up mean something else in every operation family."""


class Refusal(Exception):
    """The call is answered with this HTTP status, code and text; it had no effect."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class TokenRefusal(Refusal):
    """The bearer token is unknown, expired, revoked or too weak; the HTTP status is a switch."""


class UnknownId(Refusal):
    """No such thing in this shop."""

    def __init__(self, what: str) -> None:
        super().__init__(INVALID_PARAMETER, f"{what} not found")


class RateLimited(Refusal):
    """The bucket of this app and merchant is empty."""


BAD_OAUTH_PARAMETER = 1001
ACCOUNT_DISABLED = 1002
NOT_AUTHORISED = 1006
TOKEN_EXPIRED = 1007
TOKEN_REVOKED = 1008
TOKEN_MISSING = 1012
CLIENT_MISMATCH = 10001
CODE_USED = 10002
CODE_EXPIRED = 10004
CODE_UNKNOWN = 10008
INVALID_PARAMETER = 90001


def invalid(message: str) -> Refusal:
    return Refusal(INVALID_PARAMETER, message)
