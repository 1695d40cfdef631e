import pytest

from bot.github import errors
from bot.github.errors import from_graphql, from_response, retry_at

NOW = 1_000_000.0


def failure(status, message="", headers=None, **data):
    return from_response(status, headers or {}, {"message": message, **data}, "GET /x", now=NOW)


@pytest.mark.parametrize("status", [200, 201, 204, 304])
def test_a_success_is_no_error(status):
    assert failure(status) is None


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (301, "", errors.Moved),
        (307, "", errors.Moved),
        (400, "Problems parsing JSON", errors.Unprocessable),
        (401, "Bad credentials", errors.Unauthorized),
        (403, "Resource not accessible by integration", errors.PermissionMissing),
        (403, "This installation has been suspended", errors.Suspended),
        (403, "Repository was archived so is read-only.", errors.Forbidden),
        (403, "API rate limit exceeded for installation ID 7.", errors.RateLimited),
        (403, "You have exceeded a secondary rate limit. Please wait.", errors.RateLimited),
        (404, "Not Found", errors.NotFound),
        (410, "This issue was deleted", errors.Gone),
        (422, "Validation Failed", errors.Unprocessable),
        (429, "", errors.RateLimited),
        (451, "Repository access blocked", errors.Gone),
        (500, "", errors.Unavailable),
        (503, "", errors.Unavailable),
    ],
)
def test_each_answer_has_its_own_reaction(status, message, kind):
    assert type(failure(status, message)) is kind


def test_a_missing_permission_says_what_to_grant():
    headers = {"x-accepted-github-permissions": "issues=write"}
    error = failure(403, "Resource not accessible by integration", headers)
    assert "grant issues=write" in str(error)


def test_a_refusal_says_which_request_and_why():
    error = failure(422, "Validation Failed", errors=[{"message": "label is invalid"}])
    assert str(error) == "GET /x: 422 Validation Failed: label is invalid"


def test_an_error_page_that_is_no_json_is_understood():
    assert type(from_response(502, {}, None, "GET /x", now=NOW)) is errors.Unavailable


def test_a_redirect_tells_a_new_name_from_another_repository():
    headers = {"location": "https://api.github.com/repositories/42/issues/7"}
    assert failure(301, headers=headers).repository_id == 42


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "86400"}, 3600),
        ({}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000120"}, 121),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 1),
        ({"x-ratelimit-remaining": "9", "x-ratelimit-reset": "1000120"}, 60),
    ],
)
def test_a_limit_says_when_to_come_back_within_the_hour(headers, wait):
    assert retry_at(headers, NOW) == NOW + wait


def test_a_spent_quota_is_a_limit_whatever_the_message():
    error = failure(403, "", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000120"})
    assert error.retry_at == NOW + 121


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, errors.RateLimited),
        ({"type": "NOT_FOUND", "message": "Could not resolve"}, errors.NotFound),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"},
         errors.PermissionMissing),
        ({"message": "Field 'x' doesn't exist on type 'Issue'"}, errors.Unprocessable),
        ({"message": "Something went wrong while executing your query."}, errors.Unavailable),
        ({}, errors.Unavailable),
    ],
)  # fmt: skip
def test_graphql_errors_come_with_status_200_and_are_told_apart(error, kind):
    assert type(from_graphql({}, [error], "GraphQL", now=NOW)) is kind
