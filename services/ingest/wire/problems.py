"""What a request is answered that cannot be taken as it is."""

from collections.abc import Mapping

from starlette.responses import JSONResponse

from shared.http import problem


class ProblemError(Exception):
    """A request that is answered with a problem (RFC 9457).

    Attributes:
        status: HTTP status.
        slug: Last part of the problem's type; the door's contract names every one.
        title: The same for every occurrence.
        detail: What happened and what to do.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {slug}")
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @property
    def response(self) -> JSONResponse:
        """Build the answer."""
        return problem(
            self.status,
            self.slug,
            self.title,
            self.detail,
            extra=self.extra,
            headers=self.headers,
        )
