import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import manifest, snapshot
from models.errors import ArtifactRefused
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository
from tests.models.builders import write_bundle

REPOSITORY = SnapshotRepository(
    id=5,
    full_name="acme/röcket",
    labels=(SnapshotLabel("bug", 7, "Something is wrong 🐛"), SnapshotLabel("docs")),
    groups=({"name": "kind", "members": ["bug"], "max": 1},),
    label_targets={"docs": 0.95},
)
ISSUES = (
    SnapshotIssue(1, "Crash", "It crashes.", "2026-01-01T00:00:00Z", {"bug": "person"}, ("docs",)),
    SnapshotIssue(2, "Fix", "", "2026-01-02T00:00:00Z", is_pull_request=True),
)


def seal(folder: Path, issues: str, repository: object = None) -> Path:
    """A snapshot whose manifest holds, whatever is in it."""
    repository = repository if repository is not None else {"id": 1, "full_name": "a/b"}
    with manifest.writing(folder) as aside:
        (aside / "issues.jsonl").write_text(issues)
        (aside / "repository.json").write_text(json.dumps(repository))
        manifest.seal(aside, "manifest.json", {"kind": snapshot.KIND})
    return folder


def test_snapshot_round_trips(tmp_path: Path):
    vectors = {"ab": np.ones(4), "cd": np.zeros(4)}
    folder = tmp_path / "s"
    assert snapshot.write(folder, REPOSITORY, iter(ISSUES), encoder="e-1", vectors=vectors) == 2
    read = snapshot.read(folder)
    assert (read.repository, read.issues, read.encoder) == (REPOSITORY, ISSUES, "e-1")
    assert {key: row.tolist() for key, row in read.vectors.items()} == {
        "ab": [1.0] * 4,
        "cd": [0.0] * 4,
    }


def test_issues_are_read_oldest_first(tmp_path: Path):
    snapshot.write(tmp_path / "s", REPOSITORY, reversed(ISSUES))
    assert [issue.number for issue in snapshot.read(tmp_path / "s").issues] == [1, 2]


def test_same_issues_have_the_same_id_and_others_another(tmp_path: Path):
    for name, issues in (("a", ISSUES), ("b", ISSUES), ("c", ISSUES[:1])):
        snapshot.write(tmp_path / name, REPOSITORY, issues)
    ids = [snapshot.read(tmp_path / name).id for name in "abc"]
    assert ids[0] == ids[1] != ids[2]


issue = st.builds(
    SnapshotIssue,
    number=st.integers(1),
    title=st.text(st.characters()),
    body=st.text(st.characters()),
    created_at=st.just("2026-01-01T00:00:00Z"),
    labels=st.dictionaries(st.text(), st.sampled_from(["person", "us", "bot"])),
    removed=st.lists(st.text()).map(tuple),
)


@given(issue)
def test_any_text_survives_the_way_through_a_snapshot(
    tmp_path_factory: pytest.TempPathFactory, issue: SnapshotIssue
):
    folder = tmp_path_factory.mktemp("any") / "s"
    snapshot.write(folder, REPOSITORY, [issue])
    assert snapshot.read(folder).issues == (issue,)


def test_snapshot_without_issues_is_one(tmp_path: Path):
    assert snapshot.write(tmp_path / "s", REPOSITORY, []) == 0
    assert snapshot.read(tmp_path / "s").issues == ()


def test_error_among_the_issues_leaves_nothing(tmp_path: Path):
    with pytest.raises(ZeroDivisionError):
        snapshot.write(tmp_path / "s", REPOSITORY, (1 / 0 for _ in "a"))  # type: ignore[misc]
    assert list(tmp_path.iterdir()) == []


def test_snapshot_is_written_once(tmp_path: Path):
    snapshot.write(tmp_path / "s", REPOSITORY, ISSUES)
    with pytest.raises(FileExistsError):
        snapshot.write(tmp_path / "s", REPOSITORY, ISSUES)


def test_bundle_is_refused_as_a_snapshot(tmp_path: Path):
    folder = write_bundle(tmp_path / "b")
    with pytest.raises(ArtifactRefused, match=r"no manifest\.json"):
        snapshot.read(folder)
    (folder / "card.json").rename(folder / "manifest.json")
    with pytest.raises(ArtifactRefused, match="its kind is 'labelwright-bundle/1'"):
        snapshot.read(folder)


LABELED = {"id": 1, "full_name": "a/b", "labels": [], "groups": []}
ISSUE = '{"number": 1, "title": "a", "body": "b", "created_at": "2026-01-01T00:00:00Z"%s}\n'
NO_LABELS = ISSUE % ', "labels": {}, "removed": []'


@pytest.mark.parametrize(
    ("issues", "repository"),
    [
        ("not json\n", LABELED),
        ("[]\n", LABELED),
        (ISSUE % "", LABELED),
        (ISSUE % ', "removed": [], "colour": 1', LABELED),
        (ISSUE % ', "removed": [], "labels": {"bug": "alien"}', LABELED),
        (NO_LABELS.replace("2026-01-01T00:00:00Z", "yesterday"), LABELED),
        (NO_LABELS, {"id": 1}),
        (NO_LABELS, "acme/rocket"),
        (NO_LABELS, {**LABELED, "labels": [{"nom": "bug"}]}),
    ],
)
def test_sealed_content_of_another_shape_is_refused(
    tmp_path: Path, issues: str, repository: object
):
    with pytest.raises(ArtifactRefused, match="does not hold what a snapshot holds"):
        snapshot.read(seal(tmp_path / "s", issues, repository))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x80\x04]q\x00.", b"hashes"])
def test_file_without_vectors_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "vectors.safetensors").write_bytes(content)
    with pytest.raises(ArtifactRefused, match="holds no vectors"):
        snapshot.load_vectors(tmp_path / "vectors.safetensors")


def test_pickled_arrays_are_refused(tmp_path: Path):
    np.savez(tmp_path / "v.npz", hashes=np.array([{"a": 1}]), vectors=np.ones((1, 2)))
    with pytest.raises(ArtifactRefused, match="holds no vectors"):
        snapshot.load_vectors(tmp_path / "v.npz")


def test_fewer_vectors_than_hashes_are_refused(tmp_path: Path):
    np.savez(tmp_path / "v.npz", hashes=np.array(["a", "b"]), vectors=np.ones((1, 2)))
    with pytest.raises(ArtifactRefused, match="holds no vectors"):
        snapshot.load_vectors(tmp_path / "v.npz")


def test_snapshot_is_the_same_under_any_locale(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from models import snapshot as s;"
        "r = s.SnapshotRepository(1, 'a/b', (s.SnapshotLabel(chr(128027)),));"
        "s.write(Path(sys.argv[1]), r, []); assert s.read(Path(sys.argv[1])).repository == r"
    )
    command = [sys.executable, "-X", "utf8=0", "-c", code, str(tmp_path / "s")]
    environment = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_said_when_goes_along(tmp_path: Path):
    said = {"bug": "2026-01-03T00:00:00Z"}
    issue = SnapshotIssue(1, "t", "b", "2026-01-01T00:00:00Z", {"bug": "person"}, said_at=said)
    snapshot.write(tmp_path / "s", REPOSITORY, [issue], taken_at="2026-01-04T00:00:00Z")
    read = snapshot.read(tmp_path / "s")
    assert (read.issues[0].said_at, read.taken_at) == (said, "2026-01-04T00:00:00Z")


def test_a_snapshot_from_before_times_were_kept_is_read(tmp_path: Path):
    old = {"number": 1, "title": "t", "body": "", "created_at": "2026-01-01", "removed": []}
    read = snapshot.read(
        seal(
            tmp_path / "s",
            json.dumps(old),
            {"id": 1, "full_name": "a/b", "labels": [], "groups": []},
        )
    )
    assert (read.issues[0].said_at, read.taken_at) == ({}, None)


def test_a_time_that_is_none_is_refused(tmp_path: Path):
    odd = {"number": 1, "title": "t", "body": "", "created_at": "2026-01-01", "removed": []}
    lines = json.dumps({**odd, "said_at": {"bug": "yesterday"}})
    repository = {"id": 1, "full_name": "a/b", "labels": [], "groups": []}
    with pytest.raises(ArtifactRefused, match="yesterday"):
        snapshot.read(seal(tmp_path / "s", lines, repository))
