"""The languages that kernels speak: what their blocks are called, how they are taught and shown. Pure.

Kernel specs and kernels name their language as they please; fences name it as models do. A language that is
not in the table is taken as its kernel names it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache


@dataclass(frozen=True, slots=True)
class Language:
    """One language."""

    name: str
    """As kernel specs have it, in lower case."""
    title: str
    """For people and models."""
    fences: tuple[str, ...]
    """The first words of info strings that mean it; the first is the one that is taught."""
    extension: str = field(default="", compare=False)
    """Of files in it, with a dot."""
    lexer: str = field(default="", compare=False)
    """Pygments' name for it."""
    sum: str = field(default="", compare=False)
    """A program that prints 10 + 5."""
    hello: str = field(default="", compare=False)
    """A program that greets, with its version where it can; it shows that the kernel computes."""

    @property
    def fence(self) -> str:
        """The info string that is taught."""
        return self.fences[0]

    @property
    def is_python(self) -> bool:
        """It is Python, or Python with additions."""
        return "python" in self.fences

    def runs(self, info: str) -> bool:
        """Whether code under this info string is of this language: `python title="a b"`, `{r, echo=FALSE}`.

        Not `pycon`, whose lines are a transcript, and not `python3.12` or `python:main.py`.
        """
        return _pattern(self.fences).match(info.strip(" \t")) is not None

    def names(self, info: str) -> str:
        """The name of the language in which a block of this info string asks to be run; empty: in none.

        In a conversation in Python other languages are for reading. A model that writes code of another one
        for a kernel that does not speak it waits for a result that will not come.
        """
        if self.runs(info):
            return self.name
        return "" if self.is_python else next((each.name for each in TABLE if each.runs(info)), "")


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    word = f"(?:{'|'.join(map(re.escape, words))})"
    return re.compile(
        rf"{word}(?=[ \t]|\Z)|\{{[ \t]*\.?{word}(?=[ \t,}}])[^}}]*\}}", re.IGNORECASE | re.ASCII
    )


def _language(
    name: str,
    fences: str = "",
    extension: str = "",
    lexer: str = "",
    sum: str = "",  # noqa: A002 - what it prints
    *,
    title: str = "",
    hello: str = "",
) -> Language:
    """A row of the table: fences are separated by blanks, and a name that is a word needs no more."""
    words = tuple(fences.split()) or (name,)
    return Language(name, title or name.capitalize(), words, extension, lexer or name, sum, hello)


PYTHON = _language(
    *("python", "python python3 py ipython ipython3", ".py", "python", "print(10 + 5)"),
    hello='import platform\nprint(f"Hello from Python {platform.python_version()} on {platform.system()}")\n',
)
_PYTHONS = " ".join(PYTHON.fences)
_C = '#include <stdio.h>\nint main(void) {\n    printf("%d\\n", 10 + 5);\n    return 0;\n}'

# fmt: off
TABLE = (
    PYTHON,
    _language("sage", f"sage sagemath {_PYTHONS}", ".sage", "python", "print(10 + 5)"),
    _language("xonsh", f"xonsh {_PYTHONS}", ".xsh", "python", "print(10 + 5)"),
    _language("r", "r rscript rlang", ".R", "r", "10 + 5",
              hello='cat("Hello from", R.version.string, "\\n")'),
    _language("julia", "julia jl", ".jl", "julia", "println(10 + 5)",
              hello='println("Hello from Julia ", VERSION)'),
    _language("javascript", "javascript js node jsx mjs", ".js", "", "10 + 5", title="JavaScript",
              hello='"Hello from JavaScript"'),
    _language("typescript", "typescript ts javascript js tsx jsx deno", ".ts", "", "10 + 5",
              title="TypeScript", hello='"Hello from TypeScript"'),
    _language("bash", "bash sh shell zsh", ".sh", "", "echo $((10 + 5))",
              hello='echo "Hello from Bash $BASH_VERSION"'),
    _language("zsh", "zsh sh shell bash", ".zsh", "", "echo $((10 + 5))",
              hello='echo "Hello from Zsh $ZSH_VERSION"'),
    _language("fish", "", ".fish", "", "math 10 + 5"),
    _language("powershell", "powershell pwsh ps1", ".ps1", "", "10 + 5", title="PowerShell"),
    _language("scheme", "scheme scm", ".scm", "", "(+ 10 5)", hello='(display "Hello from Scheme")'),
    _language("racket", "racket rkt", ".rkt", "", "(+ 10 5)"),
    _language("clojure", "clojure clj", ".clj", "", "(+ 10 5)"),
    _language("hy", "hy hylang", ".hy", "hylang", "(print (+ 10 5))"),
    _language("common-lisp", "common-lisp lisp", ".lisp", "", "(+ 10 5)", title="Common Lisp"),
    _language("c++", "cpp c++ cxx cc", ".cpp", "cpp",
              "#include <iostream>\nstd::cout << 10 + 5 << std::endl;"),
    _language("c", "c", ".c", "", _C),
    _language("rust", "rust rs", ".rs", "", 'println!("{}", 10 + 5);'),
    _language("go", "go golang", ".go", "", 'import "fmt"\nfmt.Println(10 + 5)'),
    _language("java", "java jshell", ".java", "", "System.out.println(10 + 5);"),
    _language("kotlin", "kotlin kt kts", ".kts", "", "println(10 + 5)"),
    _language("scala", "", ".sc", "", "println(10 + 5)"),
    _language("groovy", "", ".groovy", "", "println(10 + 5)"),
    _language("c#", "csharp c# cs", ".cs", "csharp", "Console.WriteLine(10 + 5);"),
    _language("f#", "fsharp f# fs", ".fsx", "fsharp", 'printfn "%d" (10 + 5)'),
    _language("swift", "", ".swift", "", "print(10 + 5)"),
    _language("ruby", "ruby rb irb", ".rb", "", "puts 10 + 5"),
    _language("perl", "perl pl", ".pl", "", "print 10 + 5;"),
    _language("raku", "raku perl6", ".raku", "", "say 10 + 5"),
    _language("php", "", ".php", "", "echo 10 + 5;", title="PHP"),
    _language("lua", "", ".lua", "", "print(10 + 5)"),
    _language("octave", "octave matlab", ".m", "", "disp(10 + 5)"),
    _language("matlab", "matlab octave", ".m", "", "disp(10 + 5)", title="MATLAB"),
    _language("haskell", "haskell hs", ".hs", "", "print (10 + 5)"),
    _language("ocaml", "ocaml ml", ".ml", "", "print_int (10 + 5);;", title="OCaml"),
    _language("elixir", "elixir ex exs", ".exs", "", "IO.puts(10 + 5)"),
    _language("erlang", "erlang erl", ".erl", "", "10 + 5."),
    _language("fortran", "fortran f90", ".f90", "", "print *, 10 + 5"),
    _language("nim", "", ".nim", "", "echo 10 + 5"),
    _language("sql", "sql sqlite mysql postgresql pgsql", ".sql", "", "SELECT 10 + 5;", title="SQL"),
    _language("gnuplot", "", ".gp", "", "print 10 + 5"),
    _language("wolfram", "wolfram mathematica", ".wl", "", "Print[10 + 5]", title="Wolfram Language"),
    _language("prolog", "", ".pl"),
    _language("maxima", "", ".mac", "", "10 + 5;"),
    _language("stata", "", ".do", "", "display 10 + 5"),
    _language("sas", "", ".sas", title="SAS"),
)
# fmt: on
"""Languages that there are kernels for, with names and aliases in the words of specs and models."""


def _spelt() -> Iterator[tuple[str, Language]]:
    for each in reversed(TABLE):
        yield from ((word, each) for word in reversed(each.fences))
    yield from ((each.name, each) for each in TABLE)


_BY_WORD: Mapping[str, Language] = dict(_spelt())
"""What a kernel or a spec may call each; its own name counts most, then the first that has it as an alias."""
_VERSION = re.compile(r"[ _-]?[\d.]+\Z")
_FENCE = re.compile(r"[ \t>*+\-\d.)]*[`~]{3,}[ \t]*\{?[ \t]*\.?([^\s,}`]*)")
_WORD = re.compile(r"[^\s`{}~,.]{1,40}")
"""What can stand in an info string and mean one language."""


def language_of(name: str, *, title: str = "", extension: str = "", lexer: str = "") -> Language:
    """The language that a kernel spec or a kernel names; one of its own where we know none of that name.

    `C++17` and `python3` are C++ and Python. Without a name it is Python, as kernels are that say nothing.
    """
    said = name.strip().lower()
    known = _BY_WORD.get(said) or _BY_WORD.get(_VERSION.sub("", said))
    if known is not None or not said:
        return known or PYTHON
    word = said if _WORD.fullmatch(said) else re.sub(r"[\s`{}~,.]+", "-", said)[:40].strip("-")
    return Language(said, title or name.strip(), (word or "code",), extension, lexer)


def named(word: str) -> Language | None:
    """The language that the first word of an info string means; None where we know none."""
    return _BY_WORD.get(word.strip("{}. \t").lower())


def fenced_as(line: str) -> str:
    """The word by which the opening line of a fence names its language; empty where it names none."""
    found = _FENCE.match(line)
    return found[1] if found else ""


def refusal(language: Language) -> str:
    """Why a block of another language does not run."""
    return f"this kernel speaks {language.title}"


def tool_name(language: Language) -> str:
    """What a tool is called that runs a language: APIs allow letters, digits and underscores."""
    return f"run_{re.sub(r'[^a-z0-9]+', '_', language.fence)[:40].strip('_') or 'code'}"
