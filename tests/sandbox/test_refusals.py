"""What is said of an access that the sandbox refused, by errors of real libraries and texts of others."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from coderunner.ending_sentences import what_was_refused
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Error, Refusal, Remedy, Result, Status, Stream
from coderunner.sandbox import refusals as sandbox_refusals
from coderunner.sandbox.clues.clues import Clues
from coderunner.sandbox.policy import Access, Grants, Policy
from coderunner.sandbox.refusals import Person, grants_of
from coderunner.sandbox.typed import typed_grants
from tests.behaviours import behaviour


def refusals(
    result: Result, source: str, policy: Policy, person: Person, hosts: tuple[str, ...] = ()
) -> tuple[Refusal, ...]:
    return sandbox_refusals.refusals(Clues.of(result, source, hosts), policy, person)


@dataclass(frozen=True, slots=True)
class World:
    """A home with a file in it, a sandbox that shows neither, and the person whose home it is."""

    home: Path
    policy: Policy
    person: Person

    @property
    def file(self) -> Path:
        return self.home / "data" / "sales.csv"

    @property
    def out(self) -> Path:
        return self.home / "out"

    def make(self) -> "World":
        for folder in (self.file.parent, self.out, self.policy.folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text("month,sales\n1,2\n")
        return self

    def fill(self, text: str) -> str:
        """A text with the world's own paths."""
        places = {"FILE": self.file, "OUT": self.out, "HOME": self.home, "FOLDER": self.policy.folder}
        for name, path in places.items():
            text = text.replace(name, str(path))
        return text

    def told(self, result: Result, source: str = "", hosts: tuple[str, ...] = ()) -> list[str]:
        return [refusal.sentence for refusal in refusals(result, source, self.policy, self.person, hosts)]


def world_in(place: Path) -> World:
    home = place / "home" / "ada"
    data = home / ".local" / "share" / "coderunner"
    own = place / "cr-1"
    policy = Policy(data / "kernels" / "chat", own, own / "tmp", home, (Path("/usr"),), egress=own / "egress")

    def takes(access: Access, text: str, policy: Policy) -> bool:
        return typed_grants.takes(access, text, policy, (data,))

    return World(home, policy, Person(home, (data,), buttons=True, takes=takes))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_in(tmp_path).make()


def raised(text: str) -> Result:
    name, _, message = text.partition(": ")
    return Result((Error(name, message),), Status.ERROR)


def wrote(text: str) -> Result:
    return Result((Stream("stderr", text),))


READS = [
    "open(r'FILE')",
    "open(r'FILE', 'rb')",
    "import pathlib; pathlib.Path(r'FILE').read_text()",
    "import pathlib; (pathlib.Path(r'HOME') / 'data' / 'sales.csv').read_bytes()",
    "import os; os.stat(r'FILE')",
    "import shutil; shutil.copy(r'FILE', 'here.csv')",
    "import csv\nwith open(r'FILE') as file:\n    print(list(csv.reader(file)))",
    "import pandas as pd; pd.read_csv(r'FILE')",
    "import pandas as pd; pd.read_csv('file://FILE')",
    "import numpy as np; np.load(r'FILE')",
    "import numpy as np; np.loadtxt(r'FILE')",
    "from PIL import Image; Image.open(r'FILE')",
    "import matplotlib.image as image; image.imread(r'FILE')",
    "import sqlite3; sqlite3.connect('file:FILE?mode=ro', uri=True)",
    "import zipfile; zipfile.ZipFile(r'FILE')",
    "import subprocess; subprocess.run(['cat', r'FILE'])",
    "!cat FILE",
    "!head -n 2 'FILE'",
    "!/usr/bin/head -n 2 'FILE'",
    "import os; os.system('wc -l FILE')",
    "try:\n    open(r'FILE')\nexcept OSError as error:\n    raise RuntimeError('no data') from error",
    "import json\ntry:\n    json.load(open(r'FILE'))\nexcept OSError as error:\n    print(error)",
    "import os; print(os.path.exists(r'FILE'))",
    "import glob; print(glob.glob('FILE'))",
    "open('made.txt', 'w').write(open(r'FILE').read())",
    "import pandas as pd; pd.read_csv(r'FILE').to_csv('made.csv')",
    "import json; json.dump(json.load(open(r'FILE')), open('made.json', 'w'))",
    "with open(r'FILE') as source, open('made.txt', mode='w') as target:\n    target.write(source.read())",
]  # fmt: skip
"""Code that reads the file, each in a way of its own."""

WRITES = [
    "open(r'OUT/new.csv', 'w')",
    "import pathlib; pathlib.Path(r'OUT/new.txt').write_text('x')",
    "import os; os.mkdir(r'OUT/new')",
    "import shutil; open('x', 'w').close(); shutil.copy('x', r'OUT/x')",
    "import pandas as pd; pd.DataFrame({'x': [1]}).to_csv(r'OUT/new.csv')",
    "import numpy as np; np.save(r'OUT/new.npy', np.zeros(2))",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.savefig(r'OUT/new.png')",
    "!touch OUT/new.txt",
    "!echo 1 > OUT/new.txt",
    "import subprocess; print(subprocess.getoutput('echo 1 > OUT/new.txt'))",
    "!/bin/bash -c 'echo 1 > OUT/new.txt'",
    "!/bin/sh -c 'echo 1 > OUT/new.txt'",
    "open('made.txt', 'w').close(); open(r'OUT/new.txt', 'w').write(open('made.txt').read())",
    "name = r'OUT/new.txt'\nopen('made.txt', 'w').close(); open(name, 'w').write(open('made.txt').read())",
    "!/usr/bin/touch OUT/new.txt",
]  # fmt: skip
"""Code that writes a new file into a folder, each in a way of its own."""

MISSING = [
    "open('not-there.csv')",
    "open(r'FOLDER/not-there.csv')",
    "open(r'HOME/data/no-such-file.csv')",
    "import pandas as pd; pd.read_csv('not-there.csv')",
    "!cat not-there.csv",
    "{}['FILENAME']",
    "print('/')",
    "path = r'HOME'; other = r'HOME/.local'; print(1)",
    "1 / 0",
    "open('/usr/share/no-such-file')",
]  # fmt: skip
"""Code that fails, or does not, for a reason of its own."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Session]]:
    """A kernel that sees none of the world's files, as they are only made after each cell."""
    world = world_in(tmp_path_factory.mktemp("world"))
    world.policy.folder.mkdir(parents=True)
    sessions = Sessions(world.policy.folder.parent)
    session = sessions.get("chat", Local())
    yield world, session
    sessions.io_thread.call(sessions.close_all())


def run(kernel: tuple[World, Session], code: str) -> list[str]:
    world, session = kernel
    for folder in (world.file.parent, world.out):
        shutil.rmtree(folder, ignore_errors=True)
    source = world.fill(code)
    result = session.begin(source, deadline=60).wait(90)
    assert result is not None
    return world.make().told(result, source)


@behaviour("sandbox:refusals:told")
@pytest.mark.parametrize("code", READS)
def test_a_file_that_the_sandbox_hides_is_told_as_one_that_may_not_be_read(
    code: str, kernel: tuple[World, Session]
) -> None:
    assert run(kernel, code) == ["This block may not read ~/data/sales.csv."]


@behaviour("sandbox:refusals:told")
@pytest.mark.parametrize("code", WRITES)
def test_a_folder_that_the_sandbox_hides_is_told_as_one_that_may_not_be_written(
    code: str, kernel: tuple[World, Session]
) -> None:
    sentences = run(kernel, code)
    assert len(sentences) == 1
    assert sentences[0].startswith("This block may not write to ~/out")
    assert "kept" not in sentences[0]


@behaviour("sandbox:refusals:others")
@pytest.mark.parametrize("code", MISSING)
def test_what_fails_for_a_reason_of_its_own_is_no_refusal(code: str, kernel: tuple[World, Session]) -> None:
    assert run(kernel, code) == []


TEXTS = [
    wrote("cat: FILE: No such file or directory\n"),
    wrote("ls: cannot access 'FILE': No such file or directory"),
    wrote("bash: line 1: FILE: Permission denied"),
    wrote("/bin/bash: line 1: FILE: No such file or directory"),
    wrote("/bin/sh: 1: cannot open FILE: No such file"),
    wrote("/usr/bin/cat: FILE: No such file or directory\n"),
    wrote("/opt/tools/bin/convert: unable to open image `FILE': No such file or directory @ error/blob.c"),
    wrote("FILE: No such file or directory"),
    wrote("\x1b[31mError in file(file, \"rt\") : cannot open the connection\x1b[0m\n"
          "Warning message:\ncannot open file 'FILE': No such file or directory"),
    raised("Error in file(con, \"r\"): cannot open file ‘FILE’: No such file or directory"),
    raised('SystemError: opening file "FILE": No such file or directory'),
    raised("java.io.FileNotFoundException: FILE (No such file or directory)"),
    raised("Error: ENOENT: no such file or directory, open 'FILE'"),
    raised("FileNotFoundError: No such file or directory (os error 2): FILE"),
    raised('IOException: IO Error: No files found that match the pattern "FILE"'),
    raised("FileNotFoundError: [Errno 2] Failed to open local file 'FILE'. Detail: [errno 2] No such file"),
    raised("FileNotFoundError: [Errno 2] Unable to synchronously open file (unable to open file: "
           "name = 'FILE', errno = 2, error message = 'No such file or directory', flags = 0)"),
    raised("PermissionError: [Errno 13] Permission denied: 'FILE'"),
    raised("PermissionError: [Errno 1] Operation not permitted: '~/data/sales.csv'"),
    raised("DataSourceError: FILE: No such file or directory"),
    raised("FileNotFoundError: [Errno 2] No such file or directory: '../../../../../data/sales.csv'"),
    wrote("[ WARN:0@0.1] global loadsave.cpp imread_('FILE'): can't open/read file: check file path"),
    raised("OSError: FILE not found."),
]  # fmt: skip
"""Errors of programs that are not here to raise them."""


@behaviour("sandbox:refusals:told")
@pytest.mark.parametrize("result", TEXTS, ids=range(len(TEXTS)))
def test_other_programs_say_it_in_their_own_words(result: Result, world: World) -> None:
    filled = tuple(
        replace(each, text=world.fill(each.text))
        if isinstance(each, Stream)
        else Error(each.ename, world.fill(each.evalue))
        for each in result.outputs
        if isinstance(each, Stream | Error)
    )
    assert world.told(replace(result, outputs=filled)) == ["This block may not read ~/data/sales.csv."]


CAUGHT = [
    "from pathlib import Path\np = Path.home() / 'data' / 'sales.csv'\nTRY p.read_text() CATCH",
    "from pathlib import Path\nTRY (Path('~').expanduser() / 'data/sales.csv').read_text() CATCH",
    "import pathlib\nhome = pathlib.Path.home()\nTRY home.joinpath('data', 'sales.csv').open() CATCH",
    "import os\nTRY open(os.path.join(os.path.expanduser('~'), 'data', 'sales.csv')) CATCH",
    "import os\nhome = os.environ['VARIABLE']\nTRY open(f'{home}/data/sales.csv') CATCH",
    "import os\nTRY open(os.getenv('VARIABLE') + '/data/sales.csv') CATCH",
    "from pathlib import Path\nTRY open(f'{Path.home()}/data/sales.csv') CATCH",
    "folder = 'HOME/data'\nTRY open(folder + '/sales.csv') CATCH",
    "base = 'HOME'\nname = f'{base}/data/sales.csv'\nTRY open(name) CATCH",
    "from pathlib import Path\nhome = str(Path.home())\nTRY open(Path(home, 'data', 'sales.csv')) CATCH",
    "!cat $VARIABLE/data/sales.csv 2> /dev/null || echo no",
    "path <- file.path(path.expand('~'), 'data', 'sales.csv')\ntryCatch(read.csv(path), error = print)",
    "const path = join(homedir(), 'data', 'sales.csv')\ntry { read(path) } catch { console.log('no') }",
]
"""Code that catches the error, and says nothing of the file."""


@behaviour("sandbox:refusals:caught")
@pytest.mark.parametrize("said", ["no", "Permission denied", "cannot open it: not found"])
@pytest.mark.parametrize("code", CAUGHT)
def test_where_an_error_is_caught_the_file_is_named_that_the_code_looked_for(
    code: str, said: str, world: World
) -> None:
    source = code.replace("TRY", "try:\n   ").replace("CATCH", f"\nexcept OSError:\n    print({said!r})")
    source = world.fill(source).replace("VARIABLE", "HOME")
    (refusal,) = refusals(Result((Stream("stdout", f"{said}\n"),)), source, world.policy, world.person)
    assert refusal.sentence == "This block may not read ~/data/sales.csv."
    assert grants_of(refusal) == Grants(read=frozenset({world.file.parent}))


@behaviour("sandbox:refusals:caught")
@pytest.mark.parametrize(
    "source",
    [
        "from pathlib import Path\np = Path.home() / 'out' / 'x.csv'\np.write_text('x')",
        "import os\nframe.to_csv(os.path.join(os.path.expanduser('~'), 'out', 'x.csv'))",
        "home = Path.home()\ntarget = f'{home}/out/x.csv'\nframe.to_csv(target)",
        "p = os.path.expanduser('~/out/x.csv')\nopen(p, 'w').write('x')",
        "import os; p = os.path.expanduser('~/out/x.csv')\nwith open(p, 'w') as file:\n    file.write('x')",
        "p: Path = Path('~/out/x.csv').expanduser()\np.parent.mkdir(exist_ok=True)\np.write_text('x')",
        "p = Path(os.path.expanduser('~/out/x.csv')).resolve()  # here\nwith p.open('w') as file:\n    pass",
        "p = 'HOME/out/x.csv'\nif ready:\n    np.savetxt(p, rows)",
        "frame.to_csv(\n    '~/out/x.csv',\n    index=False,\n)",
        "p = os.path.join(\n    os.path.expanduser('~'),\n    'out',\n    'x.csv',\n)\nframe.to_csv(p)",
        "p = '~/out/x.csv'\nframe.to_csv(\n    p,\n)",
        "p = os.path.expanduser('~/out/x.csv')\nshutil.copy('made.csv', p)",
        "p = os.path.expanduser('~/out/x.csv')\nq = p\nwith open(q, 'w') as file:\n    file.write('x')",
    ],
)
def test_a_path_that_is_put_together_and_written_is_told_as_lost(source: str, world: World) -> None:
    assert world.told(Result(), world.fill(source)) == [
        "This block may not write to ~/out/x.csv; what it writes there is not kept."
    ]


@behaviour("sandbox:refusals:own-words")
@pytest.mark.parametrize(
    "source",
    [
        "p = os.path.expanduser('~/new.csv')\nprint(p)\nopen('made.txt', 'w').write(p)",
        "p = os.path.expanduser('~/new.csv')\nopen('made.txt', 'w').write('x')",
        "p = os.path.expanduser('~/new.csv')\nopen('made.txt', 'w').writelines([p, 'x'])",
    ],
)
def test_a_path_that_is_only_told_to_a_file_is_not_said_to_be_written(source: str, world: World) -> None:
    assert world.told(Result(), source) == []


@behaviour("sandbox:refusals:own-words")
@pytest.mark.parametrize(
    ("printed", "source"),
    [
        ("This block may not read FILE.", "print(text)"),
        ("cannot read FILE", "print('cannot read FILE')"),
        (
            "[Errno 13] Permission denied: 'FILE'",
            "p = 'FILE'\nprint(f\"[Errno 13] Permission denied: '{p}'\")",
        ),
        ("FILE not found", "name = 'sales.csv'\nprint('HOME/data/' + name + ' not found')"),
        ("Error: FILE: No such file or directory", "print('Error: FILE: No such file or directory')"),
        ("Connection refused by localhost:PORT", "print('Connection refused by localhost:PORT')"),
        ("could not resolve host: db.example", "print('could not resolve host: db.example')"),
        ("", "print(Path.home() / 'data' / 'sales.csv')"),
        ("", "p = Path.home() / 'data'\nprint(str(p))"),
    ],
)
def test_what_code_says_in_words_of_its_own_is_no_refusal(printed: str, source: str, world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        printed, source = (world.fill(each).replace("PORT", port) for each in (printed, source))
        assert world.told(wrote(printed), source) == []
        raising = source.replace("print(", "raise ValueError(")
        frames = (f"Cell In[1], line 1\n----> 1 {raising}", f"ValueError: {printed}")
        assert world.told(Result((Error("ValueError", printed, frames),), Status.ERROR), raising) == []


@behaviour("sandbox:refusals:link")
def test_where_code_goes_by_a_link_both_are_named_and_then_what_to_use(world: World) -> None:
    link = world.home / "link"
    link.symlink_to(world.file.parent)
    failed = raised(f"FileNotFoundError: [Errno 2] No such file or directory: '{link}/sales.csv'")
    (refusal,) = refusals(failed, "", world.policy, world.person)
    assert refusal.sentence == "This block may not read ~/data/sales.csv, which ~/link/sales.csv leads to."
    assert refusal.offer == "Allow code in this chat to read the folder ~/data?"
    granted = replace(world.policy, grants=grants_of(refusal))
    for result, source in ((failed, ""), (Result(), "print(os.path.exists('~/link/sales.csv'))")):
        (refusal,) = refusals(result, source, granted, world.person)
        said = "This block cannot use ~/link/sales.csv: the sandbox has no such link. Use ~/data/sales.csv."
        assert what_was_refused([refusal]) == said
        assert not refusal.offer
    # Landlock follows it; and what a setting names by a link is there by that name.
    seen = replace(world.person, links=frozenset({link}))
    for policy, person in ((replace(granted, egress=None), world.person), (granted, seen)):
        assert refusals(failed, "", policy, person) == ()
    (world.file.parent / "inner").symlink_to(world.file)
    inner = raised(f"FileNotFoundError: [Errno 2] No such file or directory: '{world.file.parent}/inner'")
    assert refusals(inner, "", granted, world.person) == ()


@behaviour("sandbox:refusals:form")
def test_what_the_form_takes_and_no_button_offers_names_the_form(world: World) -> None:
    hidden = world.home / ".cache" / "models" / "small.bin"
    hidden.parent.mkdir(parents=True)
    hidden.touch()
    refusal = offered(world, hidden)
    assert (refusal.remedy, refusal.offer) == (Remedy.FORM, "")
    assert "The user can allow it by hand, under “What code may reach”." in what_was_refused([refusal])
    for path in (world.home / ".ssh" / "id_rsa", world.home):
        path.parent.mkdir(exist_ok=True)
        path.is_dir() or path.touch()
        assert offered(world, path).remedy is Remedy.NOTHING
    elsewhere = replace(world.person, buttons=False)
    failed = raised(f"FileNotFoundError: No such file or directory: '{hidden}'")
    (refusal,) = refusals(failed, "", world.policy, elsewhere)
    assert refusal.remedy is Remedy.NOTHING


@behaviour("sandbox:refusals:told")
def test_a_library_that_does_not_name_the_file_is_understood_by_the_line_that_was_run(world: World) -> None:
    frames = ("Cell In[1], line 3", world.fill("      2 import sqlite3\n----> 3 sqlite3.connect('FILE')"))
    error = Error("OperationalError", "unable to open database file", frames)
    assert world.told(Result((error,), Status.ERROR)) == ["This block may not read ~/data/sales.csv."]


@behaviour("sandbox:refusals:told")
def test_a_read_only_place_is_told_as_one_that_may_not_be_written(world: World) -> None:
    granted = replace(world.policy, grants=Grants(read=frozenset({world.file.parent})))
    error = raised(f"OSError: [Errno 30] Read-only file system: '{world.file}'")
    (refusal,) = refusals(error, "", granted, world.person)
    assert (refusal.sentence, refusal.grant) == (
        "This block may not write to ~/data/sales.csv.",
        str(world.file.parent),
    )


@behaviour("sandbox:refusals:told")
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import os\nos.listdir(os.path.expanduser('~'))", "This block may not read ~."),
        ("from pathlib import Path\nlist(Path.home().iterdir())", "This block may not read ~."),
        ("!ls ~/data", "This block may not read ~/data."),
        ("%cd ~/data", "This block may not read ~/data."),
        ("[ -e ~/data/sales.csv ] && echo yes", "This block may not read ~/data/sales.csv."),
    ],
)
def test_an_empty_home_is_not_passed_off_as_the_real_one(source: str, sentence: str, world: World) -> None:
    refusal = refusals(Result(), source, world.policy, world.person)[0]
    assert refusal.sentence == sentence.replace("read ~.", f"read {world.home}.")


@behaviour("sandbox:refusals:told")
@pytest.mark.parametrize(
    ("source", "offer"),
    [
        ("frame.to_csv('~/report.csv')", ""),
        ("open('HOME/report.csv', 'w').write('x')", ""),
        ("plt.savefig('~/new/plot.png')", ""),
        ("plt.savefig('~/out/plot.png')", "Allow code in this chat to read and write the folder ~/out?"),
    ],
)
def test_what_is_written_to_the_empty_home_is_not_passed_off_as_written(
    source: str, offer: str, world: World
) -> None:
    (refusal,) = refusals(Result(), world.fill(source), world.policy, world.person)
    assert refusal.sentence.startswith("This block may not write to ~/")
    assert refusal.sentence.endswith("; what it writes there is not kept.")
    assert refusal.offer == offer
    granted = replace(world.policy, grants=Grants(write=frozenset({world.home})))
    assert refusals(Result(), world.fill(source), granted, world.person) == ()


@behaviour("sandbox:refusals:more")
@pytest.mark.parametrize(
    ("many", "said"), [(4, ""), (5, "1 more access was refused."), (7, "3 more accesses were refused.")]
)
def test_how_many_were_refused_that_are_not_told_one_by_one_is_said_after_the_last(
    many: int, said: str, world: World
) -> None:
    for number in range(many):
        (world.home / f"{number}.csv").touch()
    source = "\n".join(f"open('{world.home}/{number}.csv')" for number in range(many))
    every = refusals(Result(), source, world.policy, world.person)
    assert [each.others for each in every] == ["", "", "", said]
    assert what_was_refused(every).count(said) == 1 if said else True


@behaviour("sandbox:refusals:more")
@pytest.mark.parametrize("many", [4, 12])
def test_of_many_refusals_each_kind_is_told(many: int, world: World) -> None:
    reads = "".join(f"open('{world.home}/{number}.csv')\n" for number in range(many))
    for number in range(many):
        (world.home / f"{number}.csv").touch()
    source = f"{reads}open('{world.out}/new.csv', 'w')\nsocket.create_connection(('db.example.org', 443))"
    error = raised(f"gaierror: [Errno -3] {NO_NAME}")
    every = refusals(error, source, world.policy, world.person, ("example.org", "example.net"))
    assert [each.what for each in every] == ["~/0.csv", "~/out/new.csv", "example.org", "db.example.org"]
    assert every[-1].more == many


@behaviour("sandbox:refusals:direct")
@pytest.mark.parametrize("refused", ["example.org", "example.org:8443"])
def test_a_host_that_the_proxy_refused_hides_none_that_a_program_looked_for_by_itself(
    refused: str, world: World
) -> None:
    source = "requests.get('https://example.org')\nsocket.create_connection(('db.example.net', 5432))"
    error = raised(f"gaierror: [Errno -3] {NO_NAME}")
    every = refusals(error, source, world.policy, world.person, (refused,))
    assert [(each.what, each.remedy) for each in every] == [
        (refused, Remedy.BUTTON),
        ("db.example.net", Remedy.PROXY),
    ]


@behaviour("sandbox:refusals:told")
def test_hosts_that_the_egress_proxy_refused_are_told(world: World) -> None:
    hosts = ("example.org", "example.org", "pypi.org", "db.example.org:5432", "10.0.0.1", "router.lan")
    person = replace(world.person, indexes=frozenset({"pypi.org"}))
    every = refusals(Result(), "", world.policy, person, hosts[:4])
    assert [each.sentence for each in every] == [
        "This block may not reach example.org.",
        "This block may not reach pypi.org.",
        "This block may not reach db.example.org:5432.",
    ]
    assert [grants_of(each).hosts for each in every] == [
        {"example.org"},
        {"packages"},
        {"db.example.org:5432"},
    ]
    every = refusals(Result(), "", world.policy, person, hosts[4:])
    assert [(each.what, each.remedy, each.offer) for each in every] == [
        ("10.0.0.1", Remedy.FORM, ""),
        ("router.lan", Remedy.FORM, ""),
    ]
    every = refusals(Result(), "", world.policy, replace(person, buttons=False), hosts[4:])
    assert {each.remedy for each in every} == {Remedy.SETTING}


NO_NAME = "Temporary failure in name resolution"
POOL = (
    "ConnectionError: HTTPSConnectionPool(host='example.org', port=443): Max retries exceeded with url: / "
    f"(Caused by NameResolutionError(\"Failed to resolve 'example.org' ([Errno -3] {NO_NAME})\"))"
)
UNFOUND = [
    (f"gaierror: [Errno -3] {NO_NAME}", "socket.create_connection(('example.org', 443))"),
    (f"ClientConnectorDNSError: Cannot connect to host example.org:443 ssl:default [{NO_NAME}]", ""),
    (POOL, ""),
    (f"URLError: <urlopen error [Errno -3] {NO_NAME}>", "urlopen('https://example.org/x')"),
    ("Error: getaddrinfo ENOTFOUND example.org", "!node -e 'fetch(\"https://example.org\")'"),
    ("CalledProcessError: curl: (6) Could not resolve host: example.org", "!curl -s https://example.org"),
    ("OSError: [Errno 101] Network is unreachable", "ftplib.FTP('example.org')"),
]


@behaviour("sandbox:refusals:direct")
@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize(("text", "source"), UNFOUND)
def test_a_host_that_a_program_looks_for_by_itself_has_no_button_which_would_not_help(
    text: str, source: str, granted: bool, world: World
) -> None:
    grants = Grants(hosts=frozenset({"example.org"} if granted else ()))
    (refusal,) = refusals(raised(text), source, replace(world.policy, grants=grants), world.person)
    assert refusal.offer == ""
    assert refusal.sentence == (
        "This block cannot reach example.org directly: only HTTP and HTTPS requests get out, through the "
        "sandbox's proxy."
    )
    assert what_was_refused((refusal,)).endswith("Use a library that heeds HTTPS_PROXY, such as requests.")


@behaviour("sandbox:refusals:others")
@pytest.mark.parametrize(
    "said",
    [
        "502 example.org cannot be found: Name or service not known",
        "504 example.org cannot be looked up: no answer",
    ],
)
def test_a_host_that_the_proxy_looked_for_in_vain_is_not_told_as_refused(said: str, world: World) -> None:
    error = raised(f"ProxyError: Unable to connect to proxy (OSError('Tunnel connection failed: {said}'))")
    assert world.told(error, "requests.get('https://example.org')") == []


@behaviour("sandbox:refusals:others")
@pytest.mark.parametrize(
    "text",
    [
        "FileNotFoundError: [Errno 2] No such file or directory: 'FOLDER/x.csv'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/place/x.csv'",
        "PermissionError: [Errno 13] Permission denied: '/usr/share/doc'",
        "FileNotFoundError: [Errno 2] No such file or directory: ''",
        "FileNotFoundError: [Errno 2] No such file or directory: '\0'",
        "ValueError: The file 'FILE' has too many columns",
        "KeyError: 'FILE'",
        "ConnectionError: https://example.org answered 500",
    ],
)
def test_a_text_that_only_looks_like_one_is_none(text: str, world: World) -> None:
    assert world.told(raised(world.fill(text))) == []


@behaviour("sandbox:refusals:others")
def test_what_is_granted_is_not_told_as_refused(world: World) -> None:
    granted = replace(world.policy, grants=Grants(read=frozenset({world.file.parent})))
    error = raised(f"FileNotFoundError: [Errno 2] No such file or directory: '{world.file}'")
    assert refusals(error, f"open('{world.file}')", granted, world.person) == ()


@behaviour("sandbox:refusals:others")
@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root can read everything")
def test_what_its_person_could_not_read_either_is_never_told_as_there(world: World) -> None:
    world.file.parent.chmod(0)
    try:
        assert world.told(raised(f"FileNotFoundError: No such file or directory: '{world.file}'")) == []
    finally:
        world.file.parent.chmod(0o700)


@behaviour("sandbox:refusals:others")
def test_a_stranger_does_not_learn_which_files_there_are(world: World) -> None:
    stranger = replace(world.person, stranger=True, buttons=False)
    there, not_there = (
        refusals(
            raised(f"FileNotFoundError: No such file or directory: '{path}'"), "", world.policy, stranger
        )
        for path in (world.file, world.home / "data" / "other.csv")
    )
    assert [(each.what, each.remedy) for each in (*there, *not_there)] == [
        ("~/data/sales.csv", Remedy.SETTING),
        ("~/data/other.csv", Remedy.SETTING),
    ]
    assert refusals(Result(), f"open('{world.file}')", world.policy, stranger) == ()


def offered(world: World, path: Path | str) -> Refusal:
    (refusal,) = refusals(
        raised(f"FileNotFoundError: No such file or directory: '{path}'"), "", world.policy, world.person
    )
    return refusal


@behaviour("sandbox:refusals:offered")
def test_a_button_grants_the_folder_of_a_file_and_names_it(world: World) -> None:
    refusal = offered(world, world.file)
    assert (refusal.offer, grants_of(refusal)) == (
        "Allow code in this chat to read the folder ~/data?",
        Grants(read=frozenset({world.file.parent})),
    )


@behaviour("sandbox:refusals:offered")
def test_a_file_directly_in_the_home_is_granted_alone(world: World) -> None:
    path = world.home / "sales.csv"
    path.touch()
    assert grants_of(offered(world, path)) == Grants(read=frozenset({path}))


@behaviour("sandbox:refusals:offered")
def test_what_a_link_points_to_is_what_is_named_and_granted(world: World) -> None:
    (world.policy.folder / "link").symlink_to(world.file.parent)
    refusal = offered(world, "link/sales.csv")
    assert (refusal.what, refusal.grant) == ("~/data/sales.csv", str(world.file.parent))


LINKS = [
    "import os; os.symlink(r'FILE', 'OUT/link')",
    "import os; os.symlink('FILE', 'OUT/link')",
    "import pathlib; pathlib.Path('OUT/link').symlink_to('FILE')",
    "from pathlib import Path; Path('OUT/link').symlink_to(Path('FILE'))",
]


@behaviour("sandbox:refusals:link-made")
@pytest.mark.parametrize("source", LINKS)
def test_of_a_link_that_cannot_be_made_not_what_it_leads_to_is_told(source: str, world: World) -> None:
    error = raised(world.fill("PermissionError: [Errno 13] Permission denied: 'FILE' -> 'OUT/link'"))
    assert world.told(error, world.fill(source)) == ["This block may not write to ~/out/link."]


@behaviour("sandbox:refusals:link-made")
@pytest.mark.parametrize("source", [*LINKS, "!ln -s FILE OUT/link", "import os; os.symlink('../data', 'x')"])
def test_of_a_link_that_was_made_what_it_leads_to_is_not_told(source: str, world: World) -> None:
    told = world.told(Result(), world.fill(source.replace("OUT/link", "FOLDER/link")))
    assert told == []


@behaviour("sandbox:refusals:link-made")
def test_what_is_read_by_a_link_later_is_told(world: World) -> None:
    source = world.fill("import os; os.symlink('FILE', 'link')\nopen('FILE')")
    error = raised(world.fill("FileNotFoundError: [Errno 2] No such file or directory: 'FILE'"))
    assert world.told(error, source) == ["This block may not read ~/data/sales.csv."]


SECRETS = [
    *(".ssh/id_ed25519", ".gnupg/secring.gpg", ".aws/credentials", ".config/gcloud/credentials.db", ".netrc"),
    *(".mozilla/firefox/x.default/logins.json", ".bashrc", ".local/share/coderunner/records.sqlite", ".env"),
    *(".local/share/coderunner/kernels/other/notes.txt", "Library/Keychains/login.keychain-db", "snap/x/y"),
    *("data/server.pem", "data/id_rsa", "data/credentials.json", "backup/.ssh/id_rsa", ".docker/config.json"),
    *(".cache/huggingface/token", "project/.env", "project/.git-credentials"),
]  # fmt: skip


@behaviour("sandbox:refusals:sensitive")
@pytest.mark.parametrize("name", SECRETS)
def test_what_holds_secrets_is_never_offered(name: str, world: World) -> None:
    path = world.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    refusal = offered(world, path)
    assert (refusal.sentence, refusal.offer) == (f"This block may not read ~/{name}.", "")
    assert refusal.remedy is Remedy.NOTHING
    assert not grants_of(refusal)


@behaviour("sandbox:refusals:sensitive")
@pytest.mark.parametrize(
    "place", ["/", "/etc", "/proc/1/environ", "/root", "/var/log", "HOME", "HOME/..", "/var"]
)
def test_places_of_the_system_and_whole_homes_are_never_offered(place: str, world: World) -> None:
    for each in refusals(
        raised(world.fill(f"PermissionError: Permission denied: '{place}'")), "", world.policy, world.person
    ):
        assert each.offer == ""


@behaviour("sandbox:refusals:sensitive")
def test_a_folder_that_holds_what_is_ours_is_not_offered_but_a_file_in_it_is(world: World) -> None:
    data = world.home / "work"
    ours = replace(world, person=replace(world.person, ours=(data / "coderunner",)))
    (data / "coderunner").mkdir(parents=True)
    (data / "sales.csv").touch()
    assert offered(ours, data / "sales.csv").grant == str(data / "sales.csv")
    assert offered(ours, data).offer == ""


@behaviour("sandbox:refusals:sensitive")
@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets")
def test_sockets_are_never_offered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.home / "data")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("daemon.sock")
        assert offered(world, world.home / "data" / "daemon.sock").offer == ""


@behaviour("sandbox:refusals:sensitive")
@pytest.mark.parametrize("name", ["a\u202eb", "a\nb", "*a*", "<b>", "a`b", "x" * 200])
def test_a_name_that_reads_other_than_it_is_is_not_offered(name: str, world: World) -> None:
    folder = world.home / name
    folder.mkdir()
    every = refusals(Result(), f"open('{folder}')", world.policy, world.person)
    assert all(each.offer == "" and name not in each.what for each in every)


@behaviour("sandbox:refusals:linear")
@pytest.mark.parametrize(
    "piece", ["'", "can't ", "/a", "cannot x", "'/a ", "No such file or directory ", "~/a'", "> ", "!~/"]
)
def test_a_hostile_text_costs_no_more_than_its_length(piece: str, world: World) -> None:
    def cost(length: int) -> float:
        text = (piece * length)[:length]
        result = Result((Error("FileNotFoundError", text, (text,)), Stream("stderr", text)), Status.ERROR)
        began = time.process_time()
        world.told(result, text)
        return time.process_time() - began

    cost(1_000)
    assert cost(1_000_000) < 1.0


@behaviour("sandbox:refusals:sensitive")
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may read it without a sandbox")
def test_what_of_the_system_is_of_root_alone_is_told_and_offered_to_nobody(world: World) -> None:
    system = (*world.policy.system, Path("/etc"))
    world = replace(world, policy=replace(world.policy, system=system))
    denied = "PermissionError: [Errno 13] Permission denied: '{}'"
    (refusal,) = refusals(raised(denied.format("/etc/shadow")), "", world.policy, world.person)
    assert (refusal.sentence, refusal.remedy) == ("This block may not read /etc/shadow.", Remedy.NOTHING)
    assert world.told(raised(denied.format("/etc/passwd"))) == []
