"""Prints what a cell shows while it shows it: its stdout to ours, its stderr to ours, the rest as text."""

import os
import sys

from coderunner.endings import how_it_ended
from coderunner.hosts.terminal.inline_images import Protocol, spelt
from coderunner.outputs import Error, Output, Result, Stream
from coderunner.runner import Change, Image, OutputDelta, parts, plain


class CellPrinter:
    """The two streams of a command, as one cell fills them."""

    def __init__(self, spoken: Protocol = "") -> None:
        """`spoken`: how the terminal is told to show images."""
        self._spoken = spoken
        self._news = OutputDelta()
        self._column = {"stdout": 0, "stderr": 0}
        self._asked: tuple[str, str] | None = None
        self.gone = False
        """Nobody reads any more: the pipe that stdout leads into is closed."""

    def show(self, change: Change) -> None:
        """Print what is new; what was printed stays, also where the program cleared it."""
        for output in self._news.receive(change):
            match output:
                case Stream(name, text, omitted):
                    if omitted.characters:
                        self._write("stderr", f"… {omitted} left out …\n", alone=True)
                    self._write(name, self._without_echo(text) if name == "stdout" else text)
                case Error() as error:
                    self._write("stderr", self._traceback(error))
                case other:
                    self._display(other)

    def prompt(self, text: str) -> None:
        """Print what the program asks."""
        self._write("stdout" if sys.stdout.isatty() else "stderr", text)

    def answered(self, prompt: str, answer: str) -> None:
        """Prompt and answer stand on the terminal already: do not print their echo."""
        if sys.stdout.isatty():
            self._asked = (prompt, answer)

    def end(self, result: Result, *, stays: bool) -> None:
        """Say how it ended where its outputs do not; of the variables only where the kernel `stays`."""
        how = how_it_ended(result.status, result.aftermath, result.detail)
        said = (how if stays else how.partition("; ")[0], result.detail)
        if sentence := "; ".join(filter(None, said)):
            self._write("stderr", f"coderunner: {plain(sentence)}\n", alone=True)

    def _without_echo(self, text: str) -> str:
        """Leave out what follows an answer: the kernel's room adds prompt and answer to the output."""
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

    @staticmethod
    def _traceback(error: Error) -> str:
        text = "\n".join(error.traceback) or f"{error.ename}: {error.evalue}"
        return f"{text if sys.stderr.isatty() else plain(text)}\n"

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
            # Python flushes once more at its end, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        self._column[name] = len(text) - (text.rfind("\n") + 1)
