"""Which files a cell makes, as its result tells it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from coderunner.kernel.sessions.prelude.files.made_files import Folder
from coderunner.kernel.sessions.registry import KernelLocation, Local, Session, Sessions
from coderunner.outputs import Result, Status
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.lent import LentKernel

SETUP = """\
import os, pathlib, shutil, time
here = pathlib.Path.cwd()
for each in here.iterdir():
    shutil.rmtree(each) if each.is_dir() else each.unlink()
"""


@pytest.fixture
def here(session: Session) -> Session:
    """A conversation whose folder is empty, with each kind of kernel."""
    assert run(session, SETUP).status is Status.OK
    return session


def folder(session: Session) -> Path:
    made = run(session, "(here / 'where').write_text('x'); print(here)")
    return Path(made.outputs[0].text.strip())  # type: ignore[union-attr]


def told(result: Result | None) -> list[tuple[str, int, bool]]:
    assert result is not None
    return [(file.path, file.size, file.new) for file in result.files]


@behaviour("session:files")
def test_a_result_tells_which_files_its_cell_made_and_changed(here: Session) -> None:
    made = run(here, "(here / 'told.csv').write_text('a,b'); (here / '.hidden').write_text('x')")
    assert told(made) == [("told.csv", 3, True)]
    assert told(run(here, "(here / 'told.csv').write_text('a,b,c')")) == [("told.csv", 5, False)]
    assert told(run(here, "print((here / 'told.csv').read_text())")) == []


@behaviour("session:files")
def test_a_cell_that_fails_tells_them_as_well(here: Session) -> None:
    failed = run(here, "(here / 'failed.csv').write_text('a'); 1 / 0")
    assert (failed.status, told(failed)) == (Status.ERROR, [("failed.csv", 1, True)])


@behaviour("session:files:others")
def test_what_others_write_between_cells_is_no_cells(here: Session) -> None:
    place = folder(here)
    (place / "upload.csv").write_text("a,b")
    assert told(run(here, "print((here / 'upload.csv').read_text())")) == []
    assert told(run(here, "(here / 'upload.csv').write_text('a')")) == [("upload.csv", 1, False)]


@behaviour("session:files:late")
def test_a_cell_that_goes_on_after_its_deadline_tells_them_at_its_end(here: Session) -> None:
    place = folder(here)
    running = here.begin(
        "(here / 'begun.csv').write_text('a')\n"
        "while not (here / 'go').exists(): time.sleep(0.01)\n"
        "(here / 'late.csv').write_text('ab')",
        deadline=0.2,
        limit=BOUND,
    )
    assert told(running.wait(BOUND)) == []
    (place / "go").write_text("")
    ended = running.settled.result(BOUND)
    assert {"begun.csv", "late.csv"} <= {file.path for file in ended.files}
    here.take_late()


@behaviour("session:files")
def test_of_very_many_files_the_first_are_told_and_how_many_more_there_are(here: Session) -> None:
    many = "(here / 'd').mkdir(); [(here / 'd' / f'{n}.txt').touch() for n in range(1_500)]; None"
    made = run(here, many)
    assert (len(made.files), made.more_files) == (20, 1_480)
    assert told(run(here, "(here / 'd' / '7.txt').write_text('a')")) == [("d/7.txt", 1, False)]
    assert told(run(here, "(here / 'd').rename(here / 'e')"))[0][0].startswith("e/")


@behaviour("session:files")
def test_links_and_what_is_hidden_are_not_told(here: Session) -> None:
    hidden = "(here / '.cache').mkdir(); (here / '.cache' / 'a').touch(); (here / '__pycache__').mkdir()"
    linked = "(here / 'a.txt').touch(); (here / 'b.txt').symlink_to('/etc/hostname')"
    assert told(run(here, f"{hidden}; {linked}")) == [("a.txt", 0, True)]


@behaviour("session:files")
def test_a_kernel_that_hears_of_changes_knows_what_one_knows_that_looks(tmp_path: Path) -> None:
    hears, looks = Folder(str(tmp_path)), Folder(str(tmp_path), hears=False)
    for act in (
        lambda: (tmp_path / "a.csv").write_text("1"),
        lambda: (tmp_path / "a.csv").write_text("12"),
        lambda: (tmp_path / "d" / "e").mkdir(parents=True),
        lambda: (tmp_path / "d" / "e" / "b.csv").write_text("1"),
        lambda: (tmp_path / "d").rename(tmp_path / "f"),
        lambda: (tmp_path / "f" / "e" / "b.csv").write_text("123"),
        lambda: (tmp_path / "a.csv").rename(tmp_path / "c.csv"),
        lambda: (tmp_path / "f" / "e" / "b.csv").unlink(),
        lambda: (tmp_path / "f" / "e").rmdir(),
    ):
        act()
        hears.known, looks.known = hears.look(), looks.look()
        assert hears.known == looks.known
    hears.close()


@behaviour("session:files:unasked")
def test_nobody_looks_for_files_of_code_that_is_no_block(
    lent: Callable[[KernelLocation], LentKernel],
) -> None:
    with lent(Local()).lent() as session:
        quiet = session.execute("open('quiet.csv', 'w').close()")
        assert told(session.io_thread.call(quiet, BOUND)) == []


@behaviour("session:files")
def test_the_files_of_a_folder_that_a_person_chose_are_told_too(tmp_path: Path) -> None:
    own = tmp_path / "project"
    own.mkdir()
    (own / "theirs.csv").write_text("a")
    sessions = Sessions(tmp_path / "work")
    session = sessions.get("own", Local(directory=str(own)))
    try:
        made = run(session, "open('made.csv', 'w').write('ab')")
    finally:
        sessions.io_thread.call(sessions.close_all(keep=False), BOUND)
    assert told(made) == [("made.csv", 2, True)]
