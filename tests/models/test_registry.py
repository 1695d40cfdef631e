import json
import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest

from models import bundle
from models.errors import ArtifactRefused, UnknownVersion
from models.registry import Registry
from models.versions import Versions
from tests.models.builders import write_bundle

PUBLISHERS, EACH = 4, 3


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def publish(registry: Registry, seed: int = 0) -> str:
    folder = registry.root.parent / f"bundle-{seed}"
    return registry.publish(1, folder if folder.exists() else write_bundle(folder, seed=seed))


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_published_version_is_current_and_whole(registry: Registry):
    name = publish(registry)
    assert registry.current(1) == name
    assert name.startswith("0001-")
    assert bundle.read(registry.path(1, name)).card["repository"]["id"] == 1


def test_nothing_is_current_before_the_first(registry: Registry):
    assert registry.current(1) is None
    assert registry.list(1) == []


def test_versions_are_listed_oldest_first(registry: Registry):
    names = [publish(registry, seed) for seed in range(3)]
    assert [(v.name, v.current) for v in registry.list(1)] == [
        (name, name == names[2]) for name in names
    ]
    assert registry.list(1)[0].card["kind"] == bundle.KIND


def test_repositories_have_versions_of_their_own(registry: Registry, tmp_path: Path):
    publish(registry)
    other = registry.publish(2, write_bundle(tmp_path / "other", repository=2))
    assert (registry.current(2), len(registry.list(1))) == (other, 1)


def test_same_bundle_published_twice_gives_two_versions(registry: Registry):
    assert publish(registry) != publish(registry)


def test_published_version_outlives_the_bundle_it_came_from(registry: Registry, tmp_path: Path):
    name = publish(registry)
    shutil.rmtree(tmp_path / "bundle-0")
    assert bundle.read(registry.path(1, name))


def test_rollback_goes_back_one_version_at_a_time(registry: Registry):
    first, second, _ = (publish(registry, seed) for seed in range(3))
    assert [registry.rollback(1), registry.rollback(1)] == [second, first]
    assert registry.current(1) == first


def test_rollback_of_the_first_version_is_refused(registry: Registry):
    name = publish(registry)
    with pytest.raises(UnknownVersion, match="no earlier version"):
        registry.rollback(1)
    assert registry.current(1) == name


def test_rollback_passes_over_versions_that_are_not_accepted(registry: Registry):
    first, *_ = (publish(registry, seed) for seed in range(3))
    whole = registry.path(1, first)
    assert registry.rollback(1, lambda card: card["files"] == bundle.read(whole).card["files"]) == (
        first
    )


def test_rollback_that_finds_nothing_acceptable_changes_nothing(registry: Registry):
    names = [publish(registry, seed) for seed in range(3)]
    with pytest.raises(UnknownVersion, match="no earlier version"):
        registry.rollback(1, lambda card: False)
    assert (registry.current(1), registry.rollback(1)) == (names[2], names[1])


def test_any_version_can_be_made_current(registry: Registry):
    first, second = publish(registry, 0), publish(registry, 1)
    registry.activate(1, first)
    registry.activate(1, first)
    assert registry.current(1) == first
    assert registry.rollback(1) == second


@pytest.mark.parametrize("version", ["0009-00000000", "../1", "", "current.json", "0001"])
def test_unknown_version_is_refused(registry: Registry, version: str):
    publish(registry)
    with pytest.raises(UnknownVersion):
        registry.activate(1, version)


def test_bundle_of_another_repository_is_refused_and_nothing_changes(
    registry: Registry, tmp_path: Path
):
    publish(registry)
    before = files(registry.root)
    with pytest.raises(ArtifactRefused, match="belongs to repository 2, not 1"):
        registry.publish(1, write_bundle(tmp_path / "foreign", repository=2))
    assert files(registry.root) == before


@pytest.mark.parametrize(
    "name", ["head.safetensors", "labels.json", "vectors.safetensors", "card.json"]
)
def test_tampered_bundle_is_refused_and_nothing_changes(
    registry: Registry, tmp_path: Path, name: str
):
    publish(registry)
    before = files(registry.root)
    folder = write_bundle(tmp_path / "tampered", seed=5)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-9] + b"x" + content[-8:])
    with pytest.raises(ArtifactRefused):
        registry.publish(1, folder)
    assert files(registry.root) == before


def test_damaged_version_is_neither_activated_nor_rolled_back_to(registry: Registry):
    first, second = publish(registry, 0), publish(registry, 1)
    (registry.path(1, first) / "terms.json").write_text("{}")
    for attempt in (lambda: registry.activate(1, first), lambda: registry.rollback(1)):
        with pytest.raises(ArtifactRefused, match=r"terms\.json was changed"):
            attempt()
    assert registry.current(1) == second


def test_rollback_passes_over_versions_that_are_gone(registry: Registry):
    first, second, _ = (publish(registry, seed) for seed in range(3))
    shutil.rmtree(registry.path(1, second))
    assert registry.rollback(1) == first


def test_folders_that_are_not_whole_are_not_listed(registry: Registry):
    first, second = publish(registry, 0), publish(registry, 1)
    (registry.path(1, first) / "card.json").write_text('{"kind": ')
    (registry.root / "1" / "0009-00000000").mkdir()
    (registry.root / "1" / "my-notes").mkdir()
    assert [version.name for version in registry.list(1)] == [second]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 3}', '{"history": []}'])
def test_damaged_record_of_the_current_version_is_refused(registry: Registry, content: str):
    publish(registry)
    (registry.root / "1" / "current.json").write_text(content)
    with pytest.raises(ArtifactRefused, match=r"current\.json"):
        registry.current(1)


def publish_and_die(home: Path, folder: Path) -> None:
    """Die after the copy was made, before it is renamed into place."""

    class Dying(Versions):
        def _next_number(self) -> int:
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

    Dying(home, "repository 1", bundle.read).publish(folder)


def publish_some(root: Path, folders: list[Path]) -> None:
    for folder in folders:
        Registry(root).publish(1, folder)


def start(target: object, *args: object) -> multiprocessing.Process:
    process = multiprocessing.get_context("spawn").Process(target=target, args=args)  # type: ignore[arg-type]
    process.start()
    return process  # type: ignore[return-value]


def test_crash_between_copy_and_rename_leaves_the_old_version_current(
    registry: Registry, tmp_path: Path
):
    name = publish(registry)
    process = start(publish_and_die, registry.root / "1", write_bundle(tmp_path / "new", seed=1))
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert registry.current(1) == name
    assert [version.name for version in registry.list(1)] == [name]
    assert publish(registry, 2).startswith("0002-")
    assert not list((registry.root / "1").glob(".publishing.*"))


def test_publishers_in_several_processes_lose_nothing(registry: Registry, tmp_path: Path):
    bundles = [write_bundle(tmp_path / f"b{i}", seed=i) for i in range(PUBLISHERS * EACH)]
    shares = [bundles[i::PUBLISHERS] for i in range(PUBLISHERS)]
    processes = [start(publish_some, registry.root, share) for share in shares]
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * PUBLISHERS
    names = [version.name for version in registry.list(1)]
    assert [int(name[:4]) for name in names] == list(range(1, len(bundles) + 1))
    state = json.loads((registry.root / "1" / "current.json").read_text())
    assert sorted([*state["history"], state["version"]]) == names


def test_versions_move_to_the_id_that_a_repository_gets(registry: Registry):
    name = publish(registry)
    assert registry.adopt(1, 7)
    assert (registry.current(7), registry.current(1)) == (name, None)
    assert [version.name for version in registry.list(7)] == [name]
    assert not registry.adopt(1, 7)
    registry.activate(7, name)


def test_a_repository_with_versions_of_its_own_keeps_them(registry: Registry):
    publish(registry)
    shutil.copytree(registry.root / "1", registry.root / "7")
    before = files(registry.root)
    assert not registry.adopt(1, 7)
    assert files(registry.root) == before


def test_old_versions_go_but_for_the_newest(registry: Registry):
    names = [publish(registry, seed) for seed in range(5)]
    assert registry.prune(1, 2, dry_run=True) == tuple(names[:3])
    assert len(registry.list(1)) == 5
    assert registry.prune(1, 2) == tuple(names[:3])
    assert [version.name for version in registry.list(1)] == names[3:]
    assert (registry.prune(1, 2), registry.prune(7, 2)) == ((), ())
    assert not (registry.root / "7").exists()


def test_neither_the_current_version_nor_the_one_before_goes(registry: Registry):
    names = [publish(registry, seed) for seed in range(5)]
    registry.activate(1, names[2])
    registry.rollback(1)
    registry.rollback(1)
    assert registry.current(1) == names[3]
    registry.rollback(1)
    assert registry.prune(1, 1) == (names[0], names[3])
    assert registry.rollback(1) == names[1]


def test_a_version_that_is_needed_stays(registry: Registry):
    names = [publish(registry, seed) for seed in range(5)]
    gone = registry.prune(1, 2, lambda version: version.name == names[1])
    assert gone == (names[0], names[2])


def test_numbers_of_versions_that_went_are_not_given_again(registry: Registry):
    for seed in range(3):
        publish(registry, seed)
    registry.rollback(1)
    registry.prune(1, 1)
    assert publish(registry, 5).startswith("0004-")


def test_where_it_is_not_known_what_is_in_force_nothing_goes(registry: Registry):
    for seed in range(3):
        publish(registry, seed)
    (registry.root / "1" / "current.json").write_text("{")
    with pytest.raises(ArtifactRefused):
        registry.prune(1, 1)
    assert len(list((registry.root / "1").glob("000*"))) == 3


def test_what_a_crash_left_of_a_removal_is_cleared(registry: Registry):
    publish(registry)
    (registry.root / "1" / ".removing.0009-00000000").mkdir()
    publish(registry, 1)
    assert not list((registry.root / "1").glob(".removing.*"))


def test_the_repositories_that_have_versions_are_told(registry: Registry):
    publish(registry)
    for name in ("-20", "notes", ".hidden"):
        (registry.root / name).mkdir()
    assert registry.repositories() == [-20, 1]
