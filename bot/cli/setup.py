"""setup: register the GitHub App, and keep its credentials."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import say

if TYPE_CHECKING:
    from bot.credentials import Keeper
    from bot.github.remote import AppCredentials
    from bot.registering import Wish

PublicUrl = Annotated[
    str | None, typer.Option("--url", help="Public https address of the server, for webhooks.")
]
Poll = Annotated[bool, typer.Option("--poll", help="Ask GitHub instead: no public address needed.")]
Organization = Annotated[
    str | None,
    typer.Option(help="The organization that shall own the App; your own account without it."),
]
GitHubAddress = Annotated[
    str | None, typer.Option("--github", help="https://HOST of an Enterprise Server.")
]
PullRequests = Annotated[
    bool, typer.Option("--pull-requests", help="Ask for pull requests as well: to label those too.")
]
Name = Annotated[str | None, typer.Option(help="The App's name; it can be changed on GitHub.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the page here; 0: a free one.")]
Minutes = Annotated[float, typer.Option(min=0.001, help="How long to wait for the browser.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the App that is set up already.")]


def setup(  # noqa: PLR0913 - one for each option
    url: PublicUrl = None,
    poll: Poll = False,
    organization: Organization = None,
    github: GitHubAddress = None,
    pull_requests: PullRequests = False,
    name: Name = None,
    port: Port = 0,
    minutes: Minutes = 10,
    force: Force = False,
) -> None:
    """Register the GitHub App in a browser, and keep its credentials.

    Asks for what no option says. Serves one page on this machine that leads to GitHub; when GitHub
    sends the browser back, the App's id, private key and webhook secret are written into the home
    folder, readable by you alone.

    Example: labelwright setup --poll --organization acme
    """
    from bot.credentials import keeper
    from bot.registering import refuse_contrary_environment
    from bot.settings import Settings, config_path

    place = keeper(config_path(), force=force)
    wish = _wish(url, poll, organization, github, pull_requests, name)
    refuse_contrary_environment(wish)
    code = _code(wish, port, minutes * 60)
    app = _exchange(code, wish)
    _keep(place, app, wish)
    _say_what_is_next(place, app, wish)
    Settings.load().require(app=True, webhook=wish.public is not None)


def _wish(
    url: str | None,
    poll: bool,
    organization: str | None,
    github: str | None,
    pull_requests: bool,
    name: str | None,
) -> Wish:
    """The options, and what a person at a terminal answers where there are none."""
    from bot.manifest import LONGEST_NAME, public_address, site
    from bot.registering import Wish

    if url and poll:
        raise typer.BadParameter("either --url or --poll")
    if not url and not poll and not sys.stdin.isatty():
        raise typer.BadParameter("say --url https://HOST (webhooks) or --poll")
    ask = not url and not poll
    if ask:
        github = github or _asked("GitHub", "https://github.com")
        organization = organization or _asked("Organization (empty: your own account)", "")
        url = _asked("Public address of this server (empty: poll, no address needed)", "")
        pull_requests = pull_requests or typer.confirm("Label pull requests too?", err=True)
    try:
        where = site(github or "https://github.com")
        public = public_address(url, where) if url else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    ours = name or f"Labelwright {organization or secrets.token_hex(2)}"[:LONGEST_NAME].strip()
    console = public or _console()
    return Wish(
        where, public, organization or None, pull_requests, ours, console, guessed=public is None
    )


def _console() -> str:
    """Where a browser on this machine finds the server that polls."""
    from bot.errors import SettingsError
    from bot.registering import shown_address
    from bot.settings import Settings

    try:
        settings = Settings.load()
    except SettingsError:  # --force replaces what is wrong
        settings = Settings.model_construct()
    return settings.public_url or shown_address(settings.host, settings.port)


def _asked(question: str, default: str) -> str:
    answer: str = typer.prompt(question, default=default, show_default=bool(default), err=True)
    return answer.strip()


def _code(wish: Wish, port: int, seconds: float) -> str:
    """Show the page until the browser comes back from GitHub with a code."""
    from bot.first_run import Visit, serving, wait_for_code

    state, ticket = secrets.token_urlsafe(24), secrets.token_urlsafe(16)

    def visit(back: str) -> Visit:
        action = wish.github.new_app(wish.organization, state)
        return Visit(action, wish.manifest(back), state=state, ticket=ticket)

    try:
        with serving(port, visit) as (address, open_visit):
            say(f"Open this page in a browser on this machine: {address}/{ticket}")
            return wait_for_code(open_visit, seconds)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _exchange(code: str, wish: Wish) -> AppCredentials:
    """The credentials for the code. No message shows the code, which may still be good."""
    from bot.errors import SetupError
    from bot.github.app import convert_manifest
    from bot.github.errors import GitHubError, NotFound
    from bot.registering import refuse_incomplete

    try:
        app = convert_manifest(code, wish.github.api)
    except NotFound:
        what = "GitHub does not take the code: it was used already or is older than an hour"
        raise SetupError(f"{what}: nothing was kept, run it again") from None
    except GitHubError as error:
        what = f"answered {error.status}" if error.status else "did not answer"
        raise SetupError(f"GitHub {what} {_start_again(wish)}") from None
    try:
        refuse_incomplete(app, wish)
    except SetupError as error:
        raise SetupError(f"{error} {_start_again(wish)}") from None
    return app


def _start_again(wish: Wish) -> str:
    pages = wish.github.apps(wish.organization)
    return (
        f"when asked for the App's key: nothing was kept, delete the App on {pages}, run it again"
    )


def _keep(place: Keeper, app: AppCredentials, wish: Wish) -> None:
    from bot.errors import SetupError
    from bot.registering import values
    from bot.settings import from_environment

    try:
        place.keep(values(app, wish, from_environment(("operators",))), app.pem)
    except OSError as error:
        why = f"{place.config.parent}: {error.strerror}"
        raise SetupError(
            f"{why}: the key was not kept: delete the App on"
            f" {wish.github.apps(wish.organization)}, run it again"
        ) from None


def _say_what_is_next(place: Keeper, app: AppCredentials, wish: Wish) -> None:
    from bot.repo_config import FILE

    page = wish.github.permissions(wish.organization, app.slug)
    print(f"{app.name} is registered (number {app.id}).")
    print(f"Kept: {place.config} and {place.key}\n")
    print("What to do next:")
    print(f"1. Say which single file it may read: on {page}")
    print(f'   under "Single file", type the path {FILE} and save.')
    print(f"2. Install it: {app.html_url}/installations/new")
    print("3. Check everything: labelwright doctor")
    print("4. Run the server: labelwright serve")
    if wish.public:
        print(f"   GitHub delivers to {wish.public}/webhook")
