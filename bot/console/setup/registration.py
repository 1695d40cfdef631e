"""How far the first run has come. Threads share it; nothing of it outlives the process.

The code that GitHub gives is good for an hour: where GitHub or the disk fails in the middle, it is
kept here, and trying again goes on where it stopped.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.console.errors import ConsoleError
from bot.credentials import keeper
from bot.errors import SetupError
from bot.github.app import convert_manifest
from bot.github.errors import GitHubError, NotFound
from bot.registering import Wish, refuse_incomplete, values
from bot.settings import from_environment

if TYPE_CHECKING:
    from bot.github.remote import AppCredentials

MOST_WISHES = 50


class Trouble(ConsoleError):
    """Why set-up does not go on. `again`: the same can be tried again as it is.

    `link` is an address of GitHub to go to, and its name.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        title: str = "That did not work",
        again: bool = False,
        link: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.title, self.again, self.link = status, title, again, link


@dataclass(frozen=True)
class Kept:
    """The App that is set up now."""

    name: str
    wish: Wish


class Registration:
    """The token that lets somebody in, what they wish, and what GitHub has answered.

    `config` is where the settings belong; `convert` exchanges a code at an API's address.
    """

    def __init__(
        self,
        config: Path,
        convert: Callable[[str, str], AppCredentials] = convert_manifest,
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        self.kept: Kept | None = None
        self._config = config
        self._convert = convert
        self._wishes: dict[str, Wish] = {}
        self._pending: tuple[str, Wish] | None = None
        self._app: AppCredentials | None = None
        self._used = False
        self._lock = threading.Lock()

    def admit(self, token: str) -> None:
        """Take the token that the server printed; it is good once. Raises Trouble."""
        right = hmac.compare_digest(token.strip().encode(), self.token.encode())
        with self._lock:
            used, self._used = self._used, self._used or right
        if not right or used:
            what = (
                "That token was used already" if right else "That is not the token of this set-up"
            )
            raise Trouble(
                f"{what}. The server prints the whole address when it starts, with a new token each"
                " time: copy it from its newest output, or start the server again.",
                status=403,
                title="The token is used up" if right else "Wrong token",
            )

    @property
    def waits(self) -> bool:
        """Whether GitHub has made the App, and its credentials are not kept yet."""
        return self._pending is not None and self.kept is None

    def begin(self, wish: Wish) -> str:
        """Keep a wish; returns the state that must come back with the code."""
        state = secrets.token_urlsafe(24)
        with self._lock:
            self._wishes[state] = wish
            for old in list(self._wishes)[:-MOST_WISHES]:
                del self._wishes[old]
        return state

    def wish(self, state: str) -> Wish | None:
        """What is wished under a state."""
        return self._wishes.get(state)

    def come_back(self, given: str, state: str, code: str) -> Kept:
        """The browser came back from GitHub. `given` is the state that this browser was sent with.

        Raises Trouble.
        """
        with self._lock:
            if self.kept is not None:
                raise Trouble(
                    f"{self.kept.name} is set up already, and the code was used for it. Nothing was"
                    " changed.",
                    status=409,
                    title="Set up already",
                )
            wish = self._wishes.get(state)
            if wish is None or not hmac.compare_digest(given.encode(), state.encode()):
                raise Trouble(
                    "This browser was not sent to GitHub from here, or another set-up was begun"
                    " since. Nothing was kept: begin again.",
                    title="This is not the App that was asked for",
                )
            if not code:
                raise Trouble("GitHub sent no code along. Nothing was kept: begin again.")
            self._pending = (code, wish)
            return self._finish(code, wish)

    def try_again(self) -> Kept:
        """Go on where it stopped. Raises Trouble."""
        with self._lock:
            if self.kept is not None:
                return self.kept
            if self._pending is None:
                raise Trouble("There is nothing to try again: begin the set-up.", status=409)
            return self._finish(*self._pending)

    def _finish(self, code: str, wish: Wish) -> Kept:
        app = self._app or self._exchange(code, wish)
        self._app = app
        try:
            place = keeper(self._config, force=False)
            place.keep(values(app, wish, from_environment(("operators",))), app.pem)
        except (OSError, SetupError) as error:
            why = f"{error.strerror}" if isinstance(error, OSError) else str(error)
            raise Trouble(
                f"GitHub has made the App, but its key could not be written into"
                f" `{self._config.parent}`: {why}. It is held in memory: put that right, then try"
                " again, and leave the server running until then.",
                status=507,
                title="The key is not kept yet",
                again=True,
            ) from None
        self.kept, self._pending, self._app = Kept(app.name, wish), None, None
        return self.kept

    def _exchange(self, code: str, wish: Wish) -> AppCredentials:
        """The App's credentials. No message shows the code, which may still be good."""
        pages = (wish.github.apps(wish.organization), "The Apps of this account on GitHub")
        try:
            app = self._convert(code, wish.github.api)
            refuse_incomplete(app, wish)
        except NotFound:
            self._pending = None
            raise Trouble(
                "GitHub does not take the code: it was used already or is older than an hour."
                " Nothing was kept. Delete the App on GitHub where there is one, and begin again.",
                status=410,
                title="The code is used up",
                link=pages,
            ) from None
        except GitHubError as error:
            what = f"answered {error.status}" if error.status else "did not answer"
            raise Trouble(
                f"GitHub {what} when it was asked for the App's key. Nothing is lost: for an hour"
                " the code stays good. Try again in a moment.",
                status=502,
                title="GitHub does not answer",
                again=True,
            ) from None
        except SetupError as error:
            self._pending = None
            said = f"{error}. Nothing was kept. Delete the App on GitHub, and begin again."
            raise Trouble(said, status=502, link=pages) from None
        return app
