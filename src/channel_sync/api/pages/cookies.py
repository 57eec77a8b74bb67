"""The cookies that tie attempts to a browser: one for each, so that none takes the place of another."""

from collections.abc import Collection

from fastapi import Request, Response

from channel_sync.api.http.services import ApiSettings

_LONGEST = 200
# Browsers keep some 180 for a site. Of ours there are never nearly as many, unless somebody invents them.
_MOST_READ = 50


class AttemptCookies:
    """Those of one marketplace: it is never answered for by what another one sent back.

    They are `Lax`, for `Strict` ones do not come along on the way back from the marketplace.
    """

    def __init__(self, settings: ApiSettings, channel: str) -> None:
        # The prefix makes browsers insist on https and on this very host; plain http on localhost cannot have it.
        name = f"{channel}_attempt"
        self._name = f"__Host-{name}" if settings.address.is_https else name
        self._secure = settings.address.is_https

    def brought(self, request: Request) -> dict[str, str]:
        """What this browser brought, by name."""
        mine = {name: value for name, value in request.cookies.items() if name.startswith(self._name)}
        sane = [(name, value) for name, value in mine.items() if 0 < len(value) <= _LONGEST]
        return dict(sane[:_MOST_READ])

    def give(self, response: Response, ref: str, value: str, max_age_s: int) -> None:
        """Tie the attempt of that ref to the browser."""
        response.set_cookie(
            self._called(ref), value, max_age_s, secure=self._secure, httponly=True, samesite="lax"
        )

    def prolong(self, request: Request, response: Response, refs: Collection[str], max_age_s: int) -> None:
        """Let the browser keep what it has of these for as long as from now."""
        brought = self.brought(request)
        for ref in refs:
            if (value := brought.get(self._called(ref))) is not None:
                self.give(response, ref, value, max_age_s)

    def drop_all_but(self, request: Request, response: Response, refs: Collection[str]) -> None:
        """Take from the browser what it brought beside the cookies of these."""
        for name in self.brought(request).keys() - {self._called(ref) for ref in refs}:
            response.delete_cookie(name, secure=self._secure, httponly=True, samesite="lax")

    def _called(self, ref: str) -> str:
        return f"{self._name}_{ref}"
