"""Prints the outputs of a running cell: its stdout to ours, its stderr to ours, the rest as text."""

import os
import sys

from coderunner.ending_sentences import for_the_person, how_it_ended, refused_for_people, with_details
from coderunner.hosts.terminal.inline_images import Protocol, spelt
from coderunner.outputs import Error, Output, Result, Stream
from coderunner.runner import Change, Image, OutputDelta, made_files, parts, plain

LAST = 64 * 1024
"""Characters of stderr that may be an error's."""


class CellPrinter:
    """Writes the outputs of one cell to stdout and stderr."""

    def __init__(self, spoken: Protocol = "") -> None:
        """`spoken`: the terminal's protocol for images."""
        self._spoken = spoken
        self._news = OutputDelta()
        self._column = {"stdout": 0, "stderr": 0}
        self._errors = ""
        """The end of what is on stderr."""
        self._asked: tuple[str, str] | None = None
        self.gone = False
        """The reader of our stdout has closed the pipe."""

    def show(self, change: Change) -> None:
        """Print new output; printed output stays, also if the program clears it."""
        for output in self._news.receive(change):
            match output:
                case Stream(name, text, omitted):
                    if omitted.characters:
                        self._write("stderr", f"… {omitted} left out …\n", alone=True)
                    self._write(name, self._without_echo(text) if name == "stdout" else text)
                case Error("SystemExit") as left:
                    # As `python program.py` has it: a number is the exit code, and anything else is said.
                    self._write("stderr", said_at_exit(left), alone=True)
                case Error() as error:
                    self._fail(error)
                case other:
                    self._display(other)

    def prompt(self, text: str) -> None:
        """Print the prompt of the program."""
        self._write("stdout" if sys.stdout.isatty() else "stderr", text)

    def answered(self, prompt: str, answer: str) -> None:
        """Note that the terminal already shows prompt and answer: their echo is not printed."""
        if sys.stdout.isatty():
            self._asked = (prompt, answer)

    def reconnect(self, words: str) -> None:
        """Say that the connection to the kernel is lost, or there again: where there are no words for it."""
        self._write("stderr", f"coderunner: {words or 'The connection is back'}.\n", alone=True)

    def end(self, result: Result, *, stays: bool) -> None:
        """Say how it ended if its outputs do not; the variables matter only if the kernel `stays`."""
        how = how_it_ended(result.status, result.aftermath, result.detail)
        if sentence := with_details(how if stays else how.partition("; ")[0], for_the_person(result.detail)):
            self._write("stderr", f"coderunner: {plain(sentence)}\n", alone=True)
        if refused := refused_for_people(result.refusals, "The code"):
            self._write("stderr", f"coderunner: {plain(refused)}\n", alone=True)
        if files := made_files(result, quote=""):
            self._write("stderr", f"coderunner: {files[:1].lower()}{files[1:]}\n", alone=True)

    def _without_echo(self, text: str) -> str:
        """Remove the echo of an answer: the output of a cell includes prompt and answer."""
        if self._asked is None or not text:
            return text
        (prompt, answer), self._asked = self._asked, None
        start = 0
        for _ in range(prompt.count("\n")):
            start = text.find("\n", start) + 1
        end = text.find(f"{answer}\n", start)
        return text[end + len(answer) + 1 :] if end >= 0 else text

    def _display(self, output: Output) -> None:
        for part in parts((output,)):
            if isinstance(part, Image):
                spoken = self._spoken if sys.stdout.isatty() else ""
                if spoken or not part.told:
                    self._write("stdout", spelt(part, spoken), alone=True)
            elif part:
                self._write("stdout", f"{part}\n", alone=True)

    def _fail(self, error: Error) -> None:
        """Print an error, unless the kernel has written it to stderr already, as metakernel's do."""
        lines = [line.removesuffix("\n") for line in error.traceback]
        text = "\n".join(lines) or error.headline
        if not plain(self._errors).rstrip().endswith(plain(text).strip()):
            self._write("stderr", f"{text if sys.stderr.isatty() else plain(text)}\n")

    def _write(self, name: str, text: str, *, alone: bool = False) -> None:
        """Write text; `alone`: on lines of its own."""
        if not text or self.gone:
            return
        stream = sys.stderr if name == "stderr" else sys.stdout
        try:
            stream.write("\n" + text if alone and self._column[name] else text)
            stream.flush()
        except BrokenPipeError:
            self.gone = True
            # Python flushes again at its exit, which would print an error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if name == "stderr":
            self._errors = (self._errors + text)[-LAST:]
        self._column[name] = len(text) - (text.rfind("\n") + 1)


def said_at_exit(left: Error) -> str:
    """What a program says when it leaves by `sys.exit`; nothing where that is its exit code."""
    said = left.evalue
    quiet = said in ("", "None", "True", "False") or said.removeprefix("-").isdecimal()
    return "" if quiet else f"{plain(said)}\n"
