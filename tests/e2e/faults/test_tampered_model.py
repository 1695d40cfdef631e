"""A model that cannot be trusted."""

from __future__ import annotations

from tests.e2e.site import Site


def test_a_version_that_was_tampered_with_is_refused_by_name(site: Site):
    repo = site.repository()
    [head] = (site.server.home / "models" / str(repo.id)).glob("*/head.safetensors")
    head.write_bytes(head.read_bytes()[:-1] + b"!")
    number = repo.open()
    assert "suggest" in str(repo.settled(number, "done").result)
    decision = repo.decision(number)
    assert decision is not None and decision.version == "zero-shot"
    assert repo.labels_on(number) == []
    why = f"{head.parent} is refused: head.safetensors was changed"
    assert why in site.server.log("worker")
