import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from models.errors import ArtifactRefused
from tests.training.small import arguments, write_recipe, write_small
from tests.training.tiny import tiny_encoder
from training.adapt import main
from training.export import NotUploaded, export, push_to_hub


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's interface as an upload of small files asks of it."""

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._say({"name": "someone", "type": "user", "orgs": [], "siblings": [], "sha": "0" * 40})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((self.path, body))  # type: ignore[attr-defined]
        here = f"http://127.0.0.1:{self.server.server_port}/o/n"  # type: ignore[attr-defined]
        if "preupload" in self.path:
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            self._say({"files": modes})
        elif "/commit/" in self.path:
            self._say({"commitOid": "1" * 40, "commitUrl": f"{here}/commit/{'1' * 40}"})
        else:
            self._say({"url": here, "name": "o/n", "id": "o/n"})

    def _say(self, value: Any) -> None:
        payload = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked = []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "config.json").write_text("{}")
    return tmp_path / "plain"


def test_folder_is_uploaded_as_a_private_model(hub, folder: Path):
    push_to_hub(folder, "o/n")
    paths = [path for path, _ in hub.asked]
    assert "/api/repos/create" in paths
    created = json.loads(hub.asked[paths.index("/api/repos/create")][1])
    assert created["name"] == "n" and "private" in str(created), created
    (commit,) = [body for path, body in hub.asked if "/api/models/o/n/commit/" in path]
    assert '"config.json"' in commit


def test_adaptation_uploads_only_where_it_is_told_to(hub, tmp_path: Path):
    recipe = write_recipe(tmp_path, "max_tokens=48\nmax_windows=20\nsave_steps=0\n[[phase]]\n")
    source, encoder = write_small(tmp_path, 24), tiny_encoder(tmp_path / "tiny")
    quiet, loud = (arguments([source], encoder, recipe, tmp_path / name) for name in "ab")
    assert main(quiet) == 0
    assert hub.asked == []
    assert main([*loud, "--push-to-hub", "o/n"]) == 0
    (commit,) = [body for path, body in hub.asked if "/commit/" in path]
    assert '"model.safetensors"' in commit and '"card.json"' not in commit


def test_upload_without_a_network_is_a_clear_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with pytest.raises(NotUploaded, match=r"o/n was not uploaded.*the folder is whole"):
        push_to_hub(folder, "o/n")


def test_folder_that_is_no_version_is_not_exported(folder: Path, tmp_path: Path):
    with pytest.raises(ArtifactRefused, match=r"it has no card\.json"):
        export(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
