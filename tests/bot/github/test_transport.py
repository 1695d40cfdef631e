import jwt
import pytest

from bot.github import errors
from bot.github.app import AppOptions, GitHubApp
from tests.bot.github.scripted import Reply

ISSUE = "/repos/o/r/issues/1"
LABELS = f"{ISSUE}/labels"
TOKENS = "/app/installations/70/access_tokens"


def test_a_write_never_follows_a_redirect_into_another_repository(client, script):
    elsewhere = f"{script.url}/repositories/5/issues/9/labels"
    script.on("POST", LABELS, Reply(301, {}, {"Location": elsewhere}))
    script.on("POST", "/repositories/5/issues/9/labels", Reply(200, []))
    with pytest.raises(errors.Moved) as moved:
        client.add_labels("o/r", 1, ["bug"])
    assert moved.value.repository_id == 5
    assert script.asked("POST", "/repositories/5/issues/9/labels") == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_read_reports_a_redirect_too(client, script, status):
    script.on("GET", ISSUE, Reply(status, {}, {"Location": "/repositories/5/issues/9"}))
    with pytest.raises(errors.Moved):
        client.issue("o/r", 1)
    assert len(script.asked("GET", ISSUE)) == 1


def test_a_read_is_repeated_after_a_transient_failure(client, script):
    good = Reply(200, {"id": 10, "number": 1})
    script.on("GET", ISSUE, Reply(502, b"<html>"), Reply(503, b""), good)
    assert client.issue("o/r", 1).id == 10


def test_a_read_gives_up_after_three_tries(client, script):
    script.on("GET", ISSUE, Reply(500, {"message": "boom"}))
    with pytest.raises(errors.Unavailable):
        client.issue("o/r", 1)
    assert len(script.asked("GET", ISSUE)) == 3


def test_a_write_is_sent_once_whatever_happens(client, script):
    script.on("POST", LABELS, Reply(502, b"<html>"))
    with pytest.raises(errors.Unavailable):
        client.add_labels("o/r", 1, ["bug"])
    script.on("POST", LABELS, Reply(hang=True))
    with pytest.raises(errors.Unavailable):
        client.add_labels("o/r", 1, ["bug"])
    assert len(script.asked("POST", LABELS)) == 2


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_is_handed_to_the_job_and_not_slept_through(client, script, status):
    message = {"message": "You have exceeded a secondary rate limit."}
    script.on("GET", ISSUE, Reply(status, message, {"Retry-After": "90"}))
    before = client.now()
    with pytest.raises(errors.RateLimited) as limited:
        client.issue("o/r", 1)
    assert 85 <= limited.value.retry_at - before <= 95
    assert len(script.asked("GET", ISSUE)) == 1


def test_an_unavailable_server_is_not_waited_for_as_long_as_it_says(client, script):
    script.on(
        "GET", ISSUE, Reply(503, {}, {"Retry-After": "3600"}), Reply(200, {"id": 1, "number": 1})
    )
    assert client.issue("o/r", 1).number == 1


def test_a_read_that_stays_accepted_is_reported(client, script):
    script.on("GET", ISSUE, Reply(202, {}))
    with pytest.raises(errors.Unavailable):
        client.issue("o/r", 1)
    assert len(script.asked("GET", ISSUE)) == 1


@pytest.mark.parametrize("garbage", [b"<html>oops</html>", b'{"id": 1, "numb', b"\xff\xfe"])
def test_an_answer_that_is_not_json_is_unavailability(client, script, garbage):
    script.on("GET", ISSUE, Reply(200, garbage))
    with pytest.raises(errors.Unavailable):
        client.issue("o/r", 1)


def test_a_refused_token_is_renewed_once(client, script):
    script.on(
        "GET", ISSUE, Reply(401, {"message": "Bad credentials"}), Reply(200, {"id": 1, "number": 1})
    )
    assert client.issue("o/r", 1).number == 1
    assert [r.headers["authorization"] for r in script.asked("GET", ISSUE)] == [
        "token t1",
        "token t2",
    ]


def test_a_token_that_is_refused_again_is_an_error(client, script):
    script.on("POST", LABELS, Reply(401, {"message": "Bad credentials"}))
    with pytest.raises(errors.Unauthorized):
        client.add_labels("o/r", 1, ["bug"])
    assert len(script.asked("POST", LABELS)) == 2


def test_a_token_is_used_until_shortly_before_it_expires(client, script):
    script.on("GET", ISSUE, Reply(200, {"id": 1, "number": 1}))
    soon = {"token": "old", "expires_at": "2020-01-01T00:00:00Z"}
    script.on(
        "POST",
        TOKENS,
        Reply(201, soon),
        Reply(201, {**soon, "expires_at": "2999-01-01T00:00:00Z", "token": "new"}),
    )
    client.issue("o/r", 1)
    client.issue("o/r", 1)
    client.issue("o/r", 1)
    assert script.asked("GET", ISSUE)[-1].headers["authorization"] == "token new"
    assert len(script.asked("POST", TOKENS)) <= 3


def test_a_token_is_asked_for_with_no_more_than_we_use(client, script):
    script.on("GET", ISSUE, Reply(200, {"id": 1, "number": 1}))
    client.issue("o/r", 1)
    wanted = {"permissions": {"issues": "write", "metadata": "read", "single_file": "read"}}
    assert script.asked("POST", TOKENS)[0].body == wanted


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "A JSON web token could not be decoded", errors.Unauthorized),
        (403, "This installation has been suspended", errors.Suspended),
        (404, "Not Found", errors.NotFound),
        (422, "The permissions requested are not granted", errors.PermissionMissing),
        (500, "boom", errors.Unavailable),
    ],
)
def test_a_refusal_of_the_token_names_the_installation(client, script, status, message, kind):
    script.on("POST", TOKENS, Reply(status, {"message": message}))
    script.on("GET", "/app/installations/70", Reply(200, {"id": 70, "permissions": {}}))
    with pytest.raises(kind, match="token for installation 70"):
        client.issue("o/r", 1)


def test_the_app_signs_its_requests_as_github_wants(app, script):
    script.on("GET", "/app", Reply(200, {"id": 7, "slug": "labelwright"}))
    assert app.bot_login() == "labelwright[bot]"
    token = script.requests[0].headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"] == "7"
    assert claims["exp"] - claims["iat"] <= 600


def test_a_key_that_is_none_is_explained(script):
    app = GitHubApp(7, "not a key", script.url)
    with pytest.raises(errors.Unauthorized, match="private key"):
        app.about()
    app.close()


def test_no_server_at_all_is_unavailability(private_key):
    app = GitHubApp(7, private_key, "http://127.0.0.1:9", options=AppOptions(timeout=1))
    with pytest.raises(errors.Unavailable):
        app.about()
    app.close()


def test_an_enterprise_server_has_its_api_under_a_path(script, private_key):
    app = GitHubApp(7, private_key, f"{script.url}/api/v3/")
    script.on(
        "POST",
        "/api/v3/app/installations/70/access_tokens",
        Reply(201, {"token": "t", "expires_at": "2999-01-01T00:00:00Z"}),
    )
    first, second = ([{"id": n, "name": f"l{n}"}] for n in (1, 2))
    link = f'<{script.url}/api/v3/repositories/5/labels?page=2>; rel="next"'
    script.on("GET", "/api/v3/repos/o/r/labels", Reply(200, first, {"Link": link}))
    script.on("GET", "/api/v3/repositories/5/labels", Reply(200, second))
    client = app.installation(70)
    assert [label.id for label in client.labels("o/r")] == [1, 2]
    assert client.transport.graphql_url == f"{script.url}/api/graphql"
    app.close()


def test_a_page_on_another_host_gets_no_token(client, script):
    script.on(
        "GET", "/repos/o/r/labels", Reply(200, [], {"Link": '<http://evil.test/x>; rel="next"'})
    )
    with pytest.raises(errors.Unavailable, match=r"evil\.test"):
        client.labels("o/r")


def test_a_thread_of_its_own_shares_the_memory_of_writes(app, script):
    script.on("POST", LABELS, Reply(200, []))
    other = app.for_thread()
    for _ in range(30):
        app.installation(70).add_labels("o/r", 1, ["bug"])
        other.installation(70).add_labels("o/r", 1, ["bug"])
    with pytest.raises(errors.RateLimited, match="our own limit"):
        other.installation(70).add_labels("o/r", 1, ["bug"])
    assert len(script.asked("POST", LABELS)) == 60
    other.close()


def test_optional_work_leaves_requests_to_new_issues(client, script):
    headers = {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "900",
        "X-RateLimit-Reset": str(int(client.now()) + 600),
    }
    script.on("GET", ISSUE, Reply(200, {"id": 1, "number": 1}, headers))
    client.issue("o/r", 1)
    client.require_quota(0.1)
    with pytest.raises(errors.RateLimited):
        client.require_quota(0.25)


def test_an_account_that_github_does_not_show_yet_has_no_id(app, script):
    script.on("GET", "/app", Reply(200, {"id": 7, "slug": "labelwright"}))
    script.on("GET", "/app/installations", Reply(200, []))
    assert app.bot_id() == 0
    assert "authorization" not in script.requests[-1].headers
