"""Uploaded model folders: what is taken, what is refused by name, and that nothing of a refused one stays."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from hfreg.errors import StoreError, UnsafeFolder, UnsafeRepo
from hfreg.hub.files import inspect_folder
from hfreg.store import unpack
from hfreg.store.folders import Folder, Folders

GOOD = {"config.json": b'{"model_type": "bert"}', "weights/vocab.txt": b"[PAD]\nsea\n"}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "home" / "folders", inspect_folder)


def zipped(files: Mapping[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name) if kind == zipfile.ZIP_STORED else name, data)
    made.seek(0)
    return made


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def safetensors(header: bytes = b"{}", data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def test_a_zip_and_the_same_folder_are_kept_once_under_one_address(folders: Folders, tmp_path: Path) -> None:
    first = folders.add(zipped(GOOD))
    second = folders.add(written(tmp_path / "model", GOOD))
    third = folders.add(zipped({f"model/{name}": data for name, data in reversed(GOOD.items())}))
    assert first.address == second.address == third.address
    assert first.address.startswith("sha256:")
    assert len(list((tmp_path / "home" / "folders").iterdir())) == 1
    assert {file.name: (first.path / file.name).read_bytes() for file in first.files} == GOOD
    assert folders.add(zipped({**GOOD, "config.json": b"{}"})).address != first.address
    assert not (first.path / "config.json").stat().st_mode & 0o222


def test_a_zip_that_was_unpacked_before_is_recognised_and_not_unpacked_again(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(GOOD)
    assert not folders.add(archive).already
    (tmp_path / "again.zip").write_bytes(archive.getvalue())
    assert folders.add(written(tmp_path / "model", GOOD)).already  # the same content, not as a zip
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr("hfreg.store.folders.take", lambda *_: pytest.fail("it was unpacked again"))
    known = folders.add(tmp_path / "again.zip", progress=lambda done, total: heard.append((done, total)))
    assert (known.already, heard) == (True, [(known.size, known.size)])
    assert folders.get(known.address).files == known.files


def test_a_zip_with_pickles_that_is_known_is_refused_all_the_same_where_none_are_allowed(folders: Folders) -> None:
    archive = zipped({"config.json": b"{}", "model.pkl": pickle.dumps([1])})
    assert folders.add(archive, pickles=True).pickles
    with pytest.raises(UnsafeFolder, match="pickle"):
        folders.add(archive)
    assert folders.add(archive, pickles=True).already


def test_progress_tells_bytes_and_may_stop_it(folders: Folders, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    folders.add(zipped(GOOD), progress=lambda done, total: heard.append((done, total)))
    total = sum(map(len, GOOD.values()))
    assert heard[-1] == (total, total)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folders.add(zipped({"a.txt": b"other"}), progress=stop)
    assert [folder.address for folder in stored(tmp_path, folders)] == [folders.add(zipped(GOOD)).address]


def stored(tmp_path: Path, folders: Folders) -> list[Folder]:
    """Return what is stored whole; a stopped intake is not among it."""
    names = [place.name for place in (tmp_path / "home" / "folders").iterdir()]
    return [found for name in names if (found := folders.find(f"sha256:{name}")) is not None]


THREE = {f"{name}.txt": name.encode() * 3_000_000 for name in "abc"}


@pytest.mark.parametrize("as_zip", [True, False])
def test_an_intake_that_was_stopped_goes_on_with_the_same_source_behind_the_last_whole_file(
    folders: Folders, tmp_path: Path, as_zip: bool
) -> None:
    def stop(done: int, total: int) -> None:
        if done > 5_000_000:
            raise KeyboardInterrupt  # as Streamlit ends the run of a page that is clicked meanwhile

    source = zipped(THREE, zipfile.ZIP_STORED) if as_zip else written(tmp_path / "model", THREE)
    with pytest.raises(KeyboardInterrupt):
        folders.add(source, progress=stop)
    (place,) = (tmp_path / "home" / "folders").glob(".new-*")
    assert sorted(path.name for path in (place / "files").iterdir()) == [".b.txt", "a.txt"]
    before = (place / "files" / "a.txt").stat().st_mtime_ns
    kept = folders.add(source)
    assert (kept.path / "a.txt").stat().st_mtime_ns == before
    assert {file.name: (kept.path / file.name).read_bytes() for file in kept.files} == THREE
    assert not list(place.parent.glob(".new-*")) and not list(kept.path.rglob(".*"))


def test_an_intake_whose_process_was_killed_goes_on_in_another_and_an_old_one_is_forgotten(
    folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "model.zip").write_bytes(zipped(THREE, zipfile.ZIP_STORED).getvalue())
    code = (
        "import os, sys; from pathlib import Path; from hfreg.store.folders import Folders\n"
        "end = lambda done, total: os._exit(9) if done > 5_000_000 else None\n"
        "Folders(Path(sys.argv[1]), lambda folder, names: None).add(Path(sys.argv[2]), progress=end)"
    )
    root = tmp_path / "home" / "folders"
    command = [sys.executable, "-c", code, str(root), str(tmp_path / "model.zip")]
    assert subprocess.run(command, timeout=60).returncode == 9
    (place,) = root.glob(".new-*")
    whole = place / "files" / "a.txt"
    before = whole.stat().st_mtime_ns
    kept = folders.add(tmp_path / "model.zip")
    assert (kept.path / "a.txt").stat().st_mtime_ns == before
    assert folders.get(kept.address).files == kept.files
    (root / ".new-old" / "files").mkdir(parents=True)
    os.utime(root / ".new-old", (0, 0))
    folders.add(zipped(GOOD))
    assert list(root.glob(".new-*")) == []


def test_two_who_take_in_the_same_at_once_do_not_disturb_each_other(folders: Folders, tmp_path: Path) -> None:
    archive = zipped(THREE).getvalue()
    inside: list[Folder] = []

    def meanwhile(done: int, total: int) -> None:
        if not inside:
            inside.append(folders.add(io.BytesIO(archive)))

    kept = folders.add(io.BytesIO(archive), progress=meanwhile)
    assert kept.address == inside[0].address and folders.get(kept.address)
    assert len(list((tmp_path / "home" / "folders").iterdir())) == 1


def test_a_large_folder_comes_in_several_zips_whose_files_are_stored_once(folders: Folders, tmp_path: Path) -> None:
    first = folders.add(zipped({"a.txt": b"1", "b/c.txt": b"2"}, zipfile.ZIP_STORED))
    both = folders.add(zipped({"b/c.txt": b"3", "d.txt": b"4"}, zipfile.ZIP_STORED), onto=first.address)
    contents = {file.name: (both.path / file.name).read_bytes() for file in both.files}
    assert contents == {"a.txt": b"1", "b/c.txt": b"3", "d.txt": b"4"}
    assert both.address == folders.add(written(tmp_path / "model", contents)).address
    assert (both.path / "a.txt").stat().st_ino == (first.path / "a.txt").stat().st_ino
    assert folders.get(first.address).files == first.files
    for files, words in (({"A.txt": b""}, "one name where case"), ({"a.txt/b": b""}, "a file and a folder at once")):
        with pytest.raises(UnsafeFolder, match=words):
            folders.add(zipped({**files, "z": b""}), onto=first.address)
    with pytest.raises(StoreError, match="not stored here"):
        folders.add(zipped(GOOD), onto="sha256:" + "0" * 64)
    pickled = folders.add(zipped({"model.pkl": pickle.dumps([1])}), pickles=True)
    with pytest.raises(UnsafeFolder, match="pickle"):
        folders.add(zipped(GOOD), onto=pickled.address)
    assert len(stored(tmp_path, folders)) == 3


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no file in it"),
        ({"../out.txt": b"x", "a": b""}, "leads out of the folder"),
        ({"a/../../out.txt": b"x"}, "leads out of the folder"),
        ({"/etc/passwd": b"x", "a": b""}, "leads out of the folder"),
        ({"C:\\x.txt": b"x"}, "leads out of the folder"),
        ({"a\\..\\x.txt": b"x"}, "leads out of the folder"),
        ({"new\nline.txt": b"x"}, "has a character"),
        ({"a.txt": b"x", "A.txt": b"y"}, "one name where case"),
        ({"a": b"x", "a/b": b"y"}, "a file and a folder at once"),
        ({"/".join("abcdefghij"): b"x", "z": b""}, "lies too deep"),
        ({"x" * 300: b"x"}, "is too long"),
        ({".git/config": b"x", "a": b""}, "is hidden"),
        ({"modeling.py": b"x = 1", "a": b""}, "Put it into Initialization Logic"),
        ({"lib.so": b"x", "a": b""}, "is code"),
        ({"inner.zip": b"x", "a": b""}, "is an archive inside"),
        ({"weights.dat": b"PK\x03\x04rest", "a": b""}, "is an archive, whatever it is called"),
        ({"weights.dat": b"\x7fELFrest", "a": b""}, "is a program, whatever it is called"),
        ({"pytorch_model.bin": b"x", "a": b""}, "Save the weights as safetensors"),
        ({"weights.dat": pickle.dumps({"a": 1}), "a": b""}, "is a pickle"),
    ],
)  # fmt: skip
def test_what_a_folder_may_not_hold_is_refused_by_name_and_nothing_stays(
    folders: Folders, tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    with pytest.raises(UnsafeFolder) as refused:
        folders.add(zipped(files, zipfile.ZIP_STORED))
    assert words in str(refused.value)
    assert list((tmp_path / "home" / "folders").iterdir()) == []
    assert not (tmp_path / "home" / "out.txt").exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config.json": b'{"auto_map": {"AutoModel": "x.Y"}}'}, "holds `auto_map`"),
        ({"config.json": b"{"}, "is no JSON"),
        ({"config.json": b'{"a": "' + b"x" * 6_000_000 + b'"}'}, "more than 5 MB"),
        ({"model.safetensors": safetensors(b'{"w": {"data_offsets": [0, 99]}}')}, "tensors outside of the file"),
        ({"model.safetensors": struct.pack("<Q", 10**9)}, "impossible header"),
        (
            {"m.safetensors.index.json": json.dumps({"weight_map": {"w": "../x.safetensors"}}).encode()},
            "not a file of the repository",
        ),
    ],
)
def test_what_a_library_may_not_load_is_refused_by_name(
    folders: Folders, tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    with pytest.raises(UnsafeRepo) as refused:
        folders.add(zipped({**files, "a.txt": b""}))
    assert words in str(refused.value)
    assert list((tmp_path / "home" / "folders").iterdir()) == []


def test_links_are_refused_in_a_zip_and_in_a_folder(folders: Folders, tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("passwd")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UnsafeFolder, match="`passwd` is a link"):
        folders.add(made)
    folder = written(tmp_path / "model", GOOD)
    (folder / "more").symlink_to("/etc")
    with pytest.raises(UnsafeFolder, match=r"`more` is a link\. Copy the folder with"):
        folders.add(folder)
    (folder / "more").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(UnsafeFolder, match="`pipe` is no plain file"):
        folders.add(folder)


def test_bombs_are_refused_before_they_are_unpacked(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnsafeFolder, match="too many times its size"):
        folders.add(zipped({"zeros.txt": bytes(20 * 1024**2)}))
    monkeypatch.setattr(unpack, "MAX_BYTES", 1000)
    with pytest.raises(UnsafeFolder, match=r"at most 0\.0 MiB"):
        folders.add(zipped({"a.txt": os.urandom(2000)}))
    monkeypatch.setattr(unpack, "MAX_FILES", 3)
    with pytest.raises(UnsafeFolder, match="more than 3 files"):
        folders.add(zipped({f"{n}.txt": b"" for n in range(5)}))


def test_a_zip_that_lies_about_its_sizes_is_refused(folders: Folders, tmp_path: Path) -> None:
    true = zipped({"a.txt": b"x" * 5000}).getvalue()
    lie = true.replace(struct.pack("<L", 5000), struct.pack("<L", 50))
    with pytest.raises(UnsafeFolder, match=r"`a\.txt`"):
        folders.add(io.BytesIO(lie))
    for broken in (b"", b"PK", true[:100], true[:-30]):
        with pytest.raises(UnsafeFolder, match=r"no zip archive|cannot be unpacked"):
            folders.add(io.BytesIO(broken))
    assert list((tmp_path / "home" / "folders").iterdir()) == []


def test_pickles_are_taken_where_they_are_allowed_and_known_as_such(folders: Folders) -> None:
    kept = folders.add(zipped({"pytorch_model.bin": pickle.dumps([1]), **GOOD}), pickles=True)
    assert kept.pickles == ("pytorch_model.bin",)


def test_litter_of_other_systems_is_left_out(folders: Folders) -> None:
    kept = folders.add(zipped({**GOOD, "__MACOSX/._config.json": b"x", "weights/.DS_Store": b"x"}))
    assert {file.name for file in kept.files} == set(GOOD)


def test_a_folder_that_changed_on_disk_is_not_given_out(folders: Folders) -> None:
    kept = folders.add(zipped(GOOD))
    assert folders.get(kept.address) == kept
    (kept.path / "config.json").chmod(0o644)
    (kept.path / "config.json").write_bytes(b"{}")
    with pytest.raises(StoreError, match="is not the file that was uploaded"):
        folders.get(kept.address)


@pytest.mark.parametrize("address", ["", "sha256:" + "0" * 64, "sha256:../../etc", "../x" + "y" * 67])
def test_an_address_that_is_not_here_is_told(folders: Folders, address: str) -> None:
    assert folders.find(address) is None
    with pytest.raises(StoreError, match=r"not stored here\. Upload it again"):
        folders.get(address)
