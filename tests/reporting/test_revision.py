"""A branch's revision, the one where it began, and links to the pictures of both."""

import subprocess
from pathlib import Path

import pytest

from deepfake.errors import DataError
from deepfake.reporting.revision import Revision, common_ancestor, head, trailers_since, uncommitted, web_address
from deepfake.reporting.revision_pictures import PicturePair, local_links, picture_pairs, web_links

PANELS = Path("plots/gradcam/train")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def commit(message: str) -> str:
    git("add", "--all")
    git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "--allow-empty", "-m", message)
    return git("rev-parse", "HEAD")


@pytest.fixture
def branched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Revision:
    """A repository whose main went on after a branch left it; the branch is checked out. Gives where it left."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "main")
    PANELS.mkdir(parents=True)
    for name in ("01_Deepfakes", "02_Face2Face", "perturbations"):
        (PANELS / f"{name}.png").write_bytes(f"old {name}".encode())
    left = commit("Begin")
    git("checkout", "-q", "-b", "branch")
    (PANELS / "01_Deepfakes.png").write_bytes(b"new")
    (PANELS / "02_Face2Face.png").unlink()
    (PANELS / "03_Face <Swap>.png").write_bytes(b"new")
    commit("Change\n\nAccept-decline: a.b for a reason\n that is long\nAccept-decline: c.d for another")
    git("checkout", "-q", "main")
    commit("Go on\n\nAccept-decline: e.f elsewhere")
    git("checkout", "-q", "branch")
    return Revision("main", left)


def test_a_branch_is_compared_with_where_it_left_and_not_with_what_came_after(branched: Revision) -> None:
    assert common_ancestor("main") == branched
    assert common_ancestor("HEAD").commit == head().commit
    assert common_ancestor(branched.commit).name == branched.short, "nobody reads 40 digits"


def test_only_the_branchs_own_commits_accept_something(branched: Revision) -> None:
    short = git("rev-parse", "--short", "HEAD")
    found = trailers_since(branched, "Accept-decline")
    assert found == [(short, "a.b for a reason that is long"), (short, "c.d for another")]


@pytest.mark.usefixtures("branched")
def test_an_unknown_revision_or_no_repository_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="nonsense: no such Git revision"):
        common_ancestor("nonsense")
    git("checkout", "-q", "--orphan", "alone")
    commit("Alone")
    with pytest.raises(DataError, match=r"main and HEAD have no common commit here"):
        common_ancestor("main")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="not a git repository"):
        head()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="git cannot be run"):
        head()


def test_a_file_that_the_base_has_and_git_cannot_give_is_not_taken_for_a_new_one(branched: Revision) -> None:
    path = PANELS / "02_Face2Face.png"
    assert branched.read(path) == b"old 02_Face2Face"
    assert branched.read(PANELS / "03_Face <Swap>.png") is None
    blob = git("rev-parse", f"{branched.commit}:{path}")
    Path(".git/objects", blob[:2], blob[2:]).unlink()
    with pytest.raises(DataError, match="bad object"):
        branched.read(path)


@pytest.mark.usefixtures("branched")
def test_changed_deleted_and_new_files_are_uncommitted() -> None:
    (PANELS / "01_Deepfakes.png").write_bytes(b"newer")
    (PANELS / "perturbations.png").unlink()
    (PANELS / "new.png").touch()
    assert {Path(name).stem for name in uncommitted([PANELS])} == {"01_Deepfakes", "perturbations", "new"}
    assert uncommitted([Path("elsewhere")]) == []


@pytest.mark.usefixtures("branched")
@pytest.mark.parametrize(
    "url",
    [
        "git@host.org:me/it.git",
        "https://host.org/me/it",
        "https://me:secret@host.org/me/it.git/",
        "ssh://git@host.org:22/me/it",
    ],
)
def test_every_spelling_of_a_remote_has_its_web_address_and_no_secret(url: str) -> None:
    git("remote", "add", "origin", url)
    assert web_address("origin") == "https://host.org/me/it"


@pytest.mark.usefixtures("branched")
def test_a_remote_that_is_missing_or_a_folder_has_no_web_address() -> None:
    with pytest.raises(DataError, match="origin: no such Git remote"):
        web_address("origin")
    for name, folder in (("absolute", "/some/folder"), ("relative", "../folder.git")):
        git("remote", "add", name, folder)
        with pytest.raises(DataError, match=f"remote {name} is {folder}, which is not on the web"):
            web_address(name)


def test_pictures_of_both_revisions_are_linked_on_the_web_at_their_commits(branched: Revision) -> None:
    links = web_links("https://host.org/me/it", branched, head())
    then, now = (
        f"https://host.org/me/it/raw/{commit}/plots/gradcam/train/" for commit in (branched.commit, head().commit)
    )
    assert list(picture_pairs(PANELS, branched, links)) == [
        PicturePair("Deepfakes, face 1", f"{then}01_Deepfakes.png", f"{now}01_Deepfakes.png", same=False),
        PicturePair("Face2Face, face 2", f"{then}02_Face2Face.png", "", same=False),
        PicturePair("Face <Swap>, face 3", "", f"{now}03_Face%20%3CSwap%3E.png", same=False),
        PicturePair("Perturbations", f"{then}perturbations.png", f"{now}perturbations.png", same=True),
    ]


def test_local_links_lead_from_the_file_to_pictures_of_their_revision(branched: Revision, tmp_path: Path) -> None:
    reader = tmp_path / "elsewhere" / "report.md"
    changed, *_ = picture_pairs(PANELS, branched, local_links(reader, branched, Path("store")))
    assert (reader.parent / changed.base).resolve().read_bytes() == b"old 01_Deepfakes"
    assert (reader.parent / changed.now).resolve().read_bytes() == b"new"
