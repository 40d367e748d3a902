from __future__ import annotations

import json
import pickle
from pathlib import Path

import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from tierwise.errors import OutsideFailure
from tierwise.store import grouped, load_bundle, save_bundle

ABOUT = {"as_of": "2026-09-30", "gate": "model"}


def booster() -> lgb.Booster:
    draw = np.random.default_rng(1)
    rows = draw.random((60, 2))
    data = lgb.Dataset(rows, rows[:, 0])
    return lgb.train({"num_threads": 1, "verbose": -1, "min_data_in_leaf": 5}, data, num_boost_round=3)


@pytest.fixture(scope="module")
def parts() -> dict[str, object]:
    return grouped(
        potential={
            "trees_mean": booster().model_to_string(),
            "settings": {"floor": 0.1, "whole": np.int64(3), "none": None, "list": [1, 2], "text": "Zoë"},
            "bands": pd.DataFrame({"source": ["model", None], "low": [0.1, np.nan]}),
        },
        archetypes={"scaler": LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])},
    )


@pytest.fixture
def folder(tmp_path: Path, parts: dict[str, object]) -> Path:
    save_bundle(tmp_path / "bundle", parts, ABOUT)
    return tmp_path / "bundle"


def test_every_kind_of_part_comes_back(folder, parts):
    bundle = load_bundle(folder)
    assert dict(bundle.about) == ABOUT
    potential = bundle.group("potential")
    assert potential["settings"] == {"floor": 0.1, "whole": 3, "none": None, "list": [1, 2], "text": "Zoë"}
    pd.testing.assert_frame_equal(potential["bands"], parts["potential.bands"])
    rows = np.array([[0.2, 0.4], [0.9, 0.1]])
    again = lgb.Booster(model_str=potential["trees_mean"])
    assert again.predict(rows).tolist() == booster().predict(rows).tolist()
    assert bundle.group("archetypes")["scaler"].predict([[2.0]])[0] == pytest.approx(5.0)
    assert bundle.group("nothing") == {}


def test_the_files_say_what_they_are(folder):
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "archetypes.scaler.joblib", "manifest.json", "potential.bands.parquet", "potential.settings.json",
        "potential.trees_mean.txt",
    ]  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["libraries"]) == {"joblib", "lightgbm", "numpy", "pandas", "scikit-learn"}
    assert "C:" not in (folder / "manifest.json").read_text()


def test_equal_models_make_equal_bundles(folder, tmp_path, parts):
    again = save_bundle(tmp_path / "again", parts, ABOUT)
    assert again == load_bundle(folder).sha256
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


@pytest.mark.parametrize("name", ["archetypes.scaler.joblib", "potential.settings.json", "potential.trees_mean.txt"])
def test_one_changed_byte_is_refused(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(OutsideFailure, match=f"changed since they were saved: {name}"):
        load_bundle(folder)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a part was opened before its hash was checked",)


@pytest.mark.parametrize("replaced", ["archetypes.scaler.joblib", "potential.settings.json"])
def test_no_part_is_opened_unless_all_of_them_are_right(folder, replaced, monkeypatch):
    """Also when it is another file that was changed."""
    (folder / replaced).write_bytes(pickle.dumps(Trap()))
    monkeypatch.setattr(joblib, "load", lambda *_: pytest.fail("joblib opened a file"))
    with pytest.raises(OutsideFailure, match="a changed model is never opened"):
        load_bundle(folder)


def test_a_changed_manifest_is_refused_where_its_hash_is_known(folder):
    known = load_bundle(folder).sha256
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"model"', '"other"'))
    assert load_bundle(folder).about["gate"] == "other"
    with pytest.raises(OutsideFailure, match="the manifest is not the one that was registered"):
        load_bundle(folder, known)


def test_missing_and_extra_files_are_refused_together(folder):
    (folder / "potential.settings.json").unlink()
    (folder / "extra.joblib").write_bytes(b"x")
    with pytest.raises(OutsideFailure) as caught:
        load_bundle(folder)
    assert "does not name: extra.joblib" in str(caught.value)
    assert "missing files: potential.settings.json" in str(caught.value)


def test_a_link_in_place_of_a_file_is_refused(folder, tmp_path):
    path = folder / "potential.settings.json"
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(OutsideFailure, match="not a plain file"):
        load_bundle(folder)


def manifest_with(folder: Path, name: str, kind: str = "json") -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"kind": kind, "sha256": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["../x.json", "/etc/x.json", "a/b.json", ".x.json", "x.joblib", "X.json", "x.json\n"])
def test_a_manifest_with_a_bad_file_name_is_refused(folder, name):
    manifest_with(folder, name)
    with pytest.raises(OutsideFailure, match="the manifest cannot be read"):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "files": []}', "\xff"])
def test_a_broken_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(OutsideFailure, match="the manifest cannot be read"):
        load_bundle(folder)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutsideFailure, match=r"manifest\.json is missing"):
        load_bundle(tmp_path / "nowhere")


def test_another_scikit_learn_is_refused_only_where_it_matters(folder, tmp_path, parts, monkeypatch):
    import importlib.metadata

    without = {name: part for name, part in parts.items() if name.startswith("potential")}
    save_bundle(tmp_path / "plain", without, ABOUT)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9.9")
    assert load_bundle(tmp_path / "plain").about == ABOUT
    with pytest.raises(OutsideFailure, match=r"saved with scikit-learn 1\..*, installed is 9\.9\.9"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["../x", "A", "a/b", "", "manifest", "a\n"])
def test_a_part_needs_a_plain_name(tmp_path, name):
    with pytest.raises(ValueError, match="is not a name for a part"):
        save_bundle(tmp_path / "bundle", {name: {}}, ABOUT)


def test_a_part_of_another_type_is_refused(tmp_path):
    with pytest.raises(ValueError, match="part 'x' is a bytes"):
        save_bundle(tmp_path / "bundle", {"x": b""}, ABOUT)


def test_a_folder_that_holds_something_is_never_written_into(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ValueError, match="is not empty"):
        save_bundle(tmp_path, {"x": {}}, ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
