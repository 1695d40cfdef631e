"""The shared encoder's versions: for operators, who go back to the one before."""

from __future__ import annotations

import json

import pytest

from models.encoders import Encoders
from tests.bot.console.world import Browser, Console
from tests.models.encoders import own_encoder


@pytest.fixture
def names(console: Console) -> list[str]:
    """Two published versions, the second in force."""
    encoders, home = Encoders(console.settings.encoders), console.settings.home
    made = [own_encoder(home / f"e{i}", name=f"adapted-{i}", seed=i) for i in range(2)]
    return [encoders.publish(each) for each in made]


def current(console: Console) -> str | None:
    return Encoders(console.settings.encoders).current()


def test_encoder_versions_are_for_operators(console: Console, operator: Browser) -> None:
    console.role("admin", "admin")
    admin = console.browser("admin")
    assert admin.get("/encoders").status_code == 403
    assert admin.post("/encoders/rollback").status_code == 403
    assert "None was adapted yet" in operator.page("/encoders")
    assert operator.post("/encoders/rollback").status_code == 409
    assert operator.get("/encoders/0001-abcdabcd").status_code == 404


def test_an_encoder_version_shows_what_it_gained_and_its_losses(
    console: Console, operator: Browser
) -> None:
    folder = console.settings.encoders / "0001-abcdabcd"
    folder.mkdir(parents=True)
    history = [{"step": 0, "eval_loss": 3.0}, {"step": 10, "masked": 2.5},
               {"step": 20, "masked": 2.1}, {"step": 20, "eval_loss": 2.4}]  # fmt: skip
    (folder / "history.json").write_text(json.dumps(history))
    card = {"files": {}, "name": "ours", "losses": {"parent": 3.0, "chosen": 2.4}, "share": 0.5}
    (folder / "card.json").write_text(json.dumps(card))
    assert "-0.600 better" in operator.page("/encoders")
    page = operator.page("/encoders/0001-abcdabcd")
    assert '<polyline class="validation"' in page and '<polyline class="training"' in page


def test_an_operator_goes_back_to_the_encoder_before_and_once_only(
    console: Console, operator: Browser, names: list[str]
) -> None:
    first, second = names
    assert f'value="{second}"' in operator.page("/encoders")
    assert operator.post("/encoders/rollback", {"seen": second}).status_code == 303
    assert f"Encoder {first} is in force now" in operator.page("/encoders")
    assert operator.post("/encoders/rollback", {"seen": second}).status_code == 409
    assert current(console) == first


def test_before_the_first_is_the_one_of_the_settings(
    console: Console, operator: Browser, names: list[str]
) -> None:
    for name in reversed(names):
        operator.post("/encoders/rollback", {"seen": name})
    assert current(console) is None
    assert console.settings.encoder in operator.page("/encoders")


def test_without_its_token_no_encoder_is_rolled_back(
    console: Console, operator: Browser, names: list[str]
) -> None:
    answer = operator.client.post("/encoders/rollback", data={"seen": names[1]})
    assert answer.status_code == 400 and current(console) == names[1]
