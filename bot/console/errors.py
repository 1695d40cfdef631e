"""Why a page is not shown, or something is not done. Each has its status and says what to do."""

from __future__ import annotations

from bot.errors import BotError


class ConsoleError(BotError):
    """Base: the message is for the person at the browser."""

    status = 400
    title = "That did not work"


class BadInput(ConsoleError):
    """What was sent makes no sense; nothing was done."""


class SignInFirst(ConsoleError):
    """Nobody is signed in, or no longer."""

    status = 401
    title = "Sign in first"

    def __init__(self, message: str = "This page is for people who are signed in.") -> None:
        super().__init__(message)


class Forbidden(ConsoleError):
    """Signed in, and not allowed."""

    status = 403
    title = "You may not do that"


class NotHere(ConsoleError):
    """There is no such thing, or this person may not know that there is."""

    status = 404
    title = "Nothing here"


class TooLate(ConsoleError):
    """It was done, or changed, meanwhile."""

    status = 409
    title = "Too late"


class TooMany(ConsoleError):
    """Others ask for the same at the moment; later it may work."""

    status = 429
    title = "Too many at once"


class GitHubSilent(ConsoleError):
    """GitHub did not answer; nothing was done."""

    status = 503
    title = "GitHub does not answer"
