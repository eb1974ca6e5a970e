"""The one tree of errors. Each class fixes its HTTP status and exit code; `shared.web` and the CLI translate, nobody else.

A message says what was expected, what was found and where. It never carries a secret, an upstream's body or a path of
this machine: those stay in the log, reached through `__cause__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from shared.findings import Findings


class SlipwayError(Exception):
    """The root: whatever is not one of the classes below is a defect of ours (500)."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    exit_code: ClassVar[int] = 1


class InvalidRequestError(SlipwayError):
    """The request does not have the expected form."""

    status = 400
    code = "invalid_request"
    exit_code = 2


class UsageError(SlipwayError):
    """The command line was given an argument that names nothing."""

    status = 400
    code = "usage"
    exit_code = 2


class BadTokenError(SlipwayError):
    """The token proves nothing. Every cause reads the same to the caller; `reason` is for the log only."""

    status = 401
    code = "bad_token"

    def __init__(self, reason: str) -> None:
        super().__init__("a valid token is required")
        self.reason = reason


class ForbiddenError(SlipwayError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"


class NotFoundError(SlipwayError):
    """There is no such thing, or none that this caller may know of."""

    status = 404
    code = "not_found"


class UnknownRevisionError(NotFoundError):
    """The caller may see the solution, and it has no such revision; everywhere but in Graphene's words it reads alike."""


class ConflictError(SlipwayError):
    """The thing exists already with other content, or somebody else is changing it."""

    status = 409
    code = "conflict"


class TooLargeError(SlipwayError):
    """The input exceeds a limit."""

    status = 413
    code = "too_large"


class InvalidArchiveError(SlipwayError):
    """The zip archive is not one that we read: see `shared.archive`."""

    status = 422
    code = "invalid_archive"


class InvalidOptionsError(SlipwayError):
    """The options do not fit the deployer's JSON Schema."""

    status = 422
    code = "invalid_options"
    exit_code = 2


class InvalidSolutionError(SlipwayError):
    """The solution cannot be deployed as it is; `findings` says everything that its author must mend."""

    status = 422
    code = "invalid_solution"

    def __init__(self, findings: Findings) -> None:
        count = len(findings.errors)
        super().__init__(f"the solution has {count} error{'s' if count != 1 else ''}; see findings")
        self.findings = findings


class RateLimitedError(SlipwayError):
    """The caller asks too often; `retry_after` is in seconds."""

    status = 429
    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamError(SlipwayError):
    """A service that we depend on misbehaved; `service` names it (`cds`, `nexus`, `s3`, …)."""

    status = 502
    code = "upstream_error"

    def __init__(self, service: str, message: str) -> None:
        super().__init__(f"{service}: {message}")
        self.service = service


class UpstreamTimeoutError(UpstreamError):
    """A service that we depend on did not answer within the deadline."""

    status = 504
    code = "upstream_timeout"


class UnavailableError(SlipwayError):
    """This service cannot work right now and says so instead of trying."""

    status = 503
    code = "unavailable"


class SettingsError(SlipwayError):
    """A setting is missing or malformed; the message names the variable and the expected form, never the value."""

    code = "bad_settings"
    exit_code = 2
