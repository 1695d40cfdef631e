"""Control: faults, limits, the clock, webhooks and the log of requests."""

from __future__ import annotations

import re
from typing import Any

from . import hooks_api, webhooks
from .control_base import Base, locked
from .faults import Fault
from .limits import Limits


class Instruments(Base):
    """What breaks things on purpose, and what shows what happened."""

    @locked
    def fail(self, kind: str, **how: Any) -> None:
        """Let requests to come go wrong; see `faults.Fault` for kinds and fields."""
        self.state.faults.append(Fault(kind, **how))

    @locked
    def clear_faults(self) -> None:
        """Forget the faults that have not struck yet."""
        self.state.faults.clear()

    @locked
    def set_limits(self, **limits: int) -> None:
        """Change limits: primary, graphql, anonymous, writes_per_minute, writes_per_hour."""
        for name, value in limits.items():
            if name not in Limits.__dataclass_fields__:
                raise ValueError(f"no limit {name}")
            setattr(self.state.limits, name, value)

    @locked
    def limits(self) -> dict[str, Any]:
        """Requests used by caller and resource, writes in the last hour, writes refused."""
        limits = self.state.limits
        used = {f"{who} {what}": w.used for (who, what), w in limits.windows.items()}
        writes = {who: len(times) for who, times in limits.writes.items()}
        return {"used": used, "writes": writes, "refused": limits.refused}

    @locked
    def forget_usage(self) -> None:
        """Start every limit afresh."""
        self.state.limits.windows.clear()
        self.state.limits.writes.clear()

    @locked
    def expire_tokens(self) -> int:
        """Let every installation token expire now; returns how many did."""
        mine = [t for t in self.state.tokens.values() if t.installation_id is not None]
        for token in mine:
            token.expires_at = self.state.now()
        return len(mine)

    @locked
    def advance(self, seconds: float) -> float:
        """Move the stand-in's clock; returns its time now, in epoch seconds."""
        self.state.skew += seconds
        return self.state.now()

    @locked
    def requests(
        self, method: str | None = None, path: str = "", since: int = 0
    ) -> list[dict[str, Any]]:
        """The log: requests by method and a pattern in the path, with a number above `since`."""
        return [
            entry.summary()
            for entry in self.state.log
            if method in (None, entry.method)
            and re.search(path, entry.path)
            and entry.number > since
        ]

    @locked
    def count(self, method: str | None = None, path: str = "") -> int:
        """How many requests there were, by method and a pattern in the path."""
        found = (e for e in self.state.log if method in (None, e.method))
        return sum(re.search(path, entry.path) is not None for entry in found)

    @locked
    def clear_log(self) -> None:
        """Forget the requests so far."""
        self.state.log.clear()

    @locked
    def deliveries(self, event: str | None = None) -> list[dict[str, Any]]:
        """The webhooks sent so far, oldest first, without their bodies."""
        wanted = [d for d in self.state.deliveries if event in (None, d.event)]
        return [hooks_api.listed(delivery) for delivery in wanted]

    @locked
    def redeliver(self, delivery_id: int) -> dict[str, Any]:
        """Send a delivery again under the same guid."""
        delivery = next(d for d in self.state.deliveries if d.id == delivery_id)
        return hooks_api.listed(webhooks.redeliver(self.state, delivery))

    @locked
    def lose_webhooks(self, lost: bool = True) -> None:
        """From now on deliveries are recorded as failed and not sent, or (False) sent again."""
        self.state.webhooks_lost = lost

    def pause_webhooks(self) -> None:
        """Keep deliveries back, in order."""
        self.deliverer.pause()

    def resume_webhooks(self) -> None:
        """Send what was kept back."""
        self.deliverer.resume()

    def drain(self, timeout: float = 10.0) -> bool:
        """Wait until every webhook was sent; False after `timeout` seconds."""
        return self.deliverer.drain(timeout)
