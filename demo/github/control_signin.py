"""Control: what changes about an App once it runs: its addresses, keys, and who signed in."""

from __future__ import annotations

from . import authorizing, installing
from .control_base import Base, locked


class SignIn(Base):
    """Signing in through an App, and changing the secrets that it was made with."""

    @locked
    def set_app_urls(
        self, slug: str, callback_urls: list[str], setup_url: str | None = None
    ) -> None:
        """Say where people go after they signed in, and after they installed the App."""
        app = self._app(slug)
        app.callback_urls, app.setup_url = list(callback_urls), setup_url

    @locked
    def set_single_file(self, slug: str, path: str, by: str = "owner") -> None:
        """Name the file that the App's single_file permission opens, or ("") none."""
        installing.set_single_file(self.state, self._app(slug), self._by(by).account, path)

    @locked
    def user_token(self, slug: str, login: str) -> str:
        """A token of a person who signed in through an App, without a browser."""
        made = authorizing.issue(self.state, self._app(slug), self._by(login).account)
        return str(made["access_token"])

    @locked
    def expire_user_tokens(self, login: str) -> int:
        """Let the tokens of a person's sign-ins expire now; returns how many did."""
        account = self._by(login).account
        tokens = self.state.tokens.values()
        mine = [t for t in tokens if t.account_id == account.id and t.app_id is not None]
        for token in mine:
            token.expires_at = self.state.now()
        return len(mine)

    @locked
    def revoke_authorization(self, slug: str, login: str) -> int:
        """A person revokes an App's authorization; returns how many of their tokens that ended."""
        return authorizing.revoke(self.state, self._app(slug), self._by(login).account)

    @locked
    def set_webhook_secret(self, slug: str, secret: str) -> None:
        """Sign an App's webhooks with another secret from now on."""
        self._app(slug).webhook_secret = secret

    @locked
    def add_key(self, slug: str) -> str:
        """A further private key (PEM) of an App; those that it had go on working."""
        app = self._app(slug)
        private, public = installing.new_key()
        app.public_keys.append(public)
        return private

    @locked
    def remove_key(self, slug: str, pem: str) -> None:
        """Delete a private key (PEM) of an App; its last one stays."""
        keys, public = self._app(slug).public_keys, installing.public_half(pem)
        if public not in keys:
            raise LookupError("the App has no such key")
        if len(keys) == 1:
            raise ValueError("an App keeps at least one key")
        keys.remove(public)
