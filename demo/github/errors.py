"""GitHub's error answers as exceptions; the application turns them into responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCS = "https://docs.github.com/rest"


class ApiError(Exception):
    """An answer other than success, in GitHub's shape: message, documentation_url, status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        docs: str = DOCS,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"message": message, **(extra or {})}
        if errors is not None:
            self.body["errors"] = errors
        self.body |= {"documentation_url": docs, "status": str(status)}


def not_found() -> ApiError:
    """404, which GitHub also gives for what the caller may not see."""
    return ApiError(404, "Not Found")


def bad_credentials() -> ApiError:
    """401 for a token that is unknown, expired or revoked."""
    return ApiError(401, "Bad credentials")


def forbidden() -> ApiError:
    """403 for an App that lacks the permission, or the repository, for what it asks."""
    return ApiError(403, "Resource not accessible by integration")


def suspended() -> ApiError:
    """403 for anything that a suspended installation does."""
    return ApiError(403, "This installation has been suspended")


def archived() -> ApiError:
    """403 for a write to an archived repository."""
    return ApiError(403, "Repository was archived so is read-only.")


def gone(message: str = "This issue was deleted") -> ApiError:
    """410 for a deleted issue, or a repository without issues."""
    return ApiError(410, message)


def moved(location: str, status: int = 301) -> ApiError:
    """301 or 307 with the body that GitHub sends along."""
    return ApiError(
        status,
        "Moved Permanently",
        docs=f"{DOCS}/guides/best-practices-for-using-the-rest-api#follow-redirects",
        headers={"Location": location},
        extra={"url": location},
    )


def invalid(resource: str, field: str, code: str, message: str | None = None) -> ApiError:
    """422 with one error; `code` is missing, missing_field, invalid, already_exists or custom."""
    error = {"resource": resource, "field": field, "code": code}
    if message:
        error["message"] = message
    return ApiError(422, "Validation Failed", errors=[error])


def unparsable(message: str = "Problems parsing JSON", status: int = 400) -> ApiError:
    """400 for a body that is not JSON, or not the kind of JSON that is expected."""
    return ApiError(status, message)
