"""What clients send again by themselves, with the official client's own retries."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, BOB, RUNS, WAIT, Open, Proxied
from tests.models.conftest import Scripted, listening

NUMBERS = count()
AGAIN = {"x-stainless-retry-count": "1"}


@pytest.fixture
def question(tmp_path: Path) -> "Question":
    return Question(tmp_path / f"ran-{next(NUMBERS)}")


class Question:
    """One question, whose block notes each time that it runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.messages: Any = [{"role": "user", "content": f"Note it in {path.name}"}]

    def block(self, after: str = "") -> str:
        code = f"with open({str(self.path)!r}, 'a') as file:\n    file.write('x')\n{after}print('noted')"
        return f"First.\n```python\n{code}\n```\n"

    @property
    def reply(self) -> str:
        return f"{self.block()}Result: noted\n"

    @property
    def runs(self) -> int:
        return len(self.path.read_text())


def ask(proxied: Proxied, question: Question, *, key: str = ALICE, **options: Any) -> str:
    headers = options.pop("headers", {})
    with openai.OpenAI(base_url=f"{proxied.url}/v1", api_key=key, **{"timeout": WAIT, **options}) as client:
        reply = client.chat.completions.create(model=RUNS, messages=question.messages, extra_headers=headers)
    return reply.choices[0].message.content or ""


def opened_before(opened: Open, url: str, **chosen: Any) -> Proxied:
    return opened(url, continuations="*=next-turn", **chosen)


@behaviour("proxy:retry:once")
def test_an_endpoint_that_stays_away_after_a_block_lets_it_run_once(opened: Open, question: Question) -> None:
    upstream = Scripted([question.block(), 503])
    with listening(upstream) as url, pytest.raises(openai.InternalServerError, match="no room"):
        ask(opened_before(opened, url), question)
    assert (question.runs, len(upstream.asked)) == (1, 4)


@behaviour("proxy:retry:once")
def test_the_retry_gets_the_whole_reply(opened: Open, question: Question) -> None:
    upstream = Scripted([question.block(), 503, b'data: {"error": "gone"}\n\n', " All is noted."])
    with listening(upstream) as url:
        assert ask(opened_before(opened, url), question) == f"{question.reply} All is noted."
    assert question.runs == 1


@behaviour("proxy:retry:once")
@pytest.mark.parametrize("headers", [{}, AGAIN])
def test_a_client_that_retries_in_its_own_way_is_known_by_the_failure(
    opened: Open, question: Question, headers: dict[str, str]
) -> None:
    with listening(Scripted([question.block(), 503, "Done."])) as url:
        proxied = opened_before(opened, url)
        with pytest.raises(openai.InternalServerError):
            ask(proxied, question, max_retries=0)
        assert ask(proxied, question, max_retries=0, headers=headers) == f"{question.reply}Done."
    assert question.runs == 1


@behaviour("proxy:retry:once")
@pytest.mark.parametrize("headers", [AGAIN, {"Idempotency-Key": "7"}])
def test_a_reply_that_was_lost_on_its_way_is_given_once_more(
    opened: Open, question: Question, headers: dict[str, str]
) -> None:
    upstream = Scripted([question.block(), "Done."])
    first = headers if "Idempotency-Key" in headers else {}
    with listening(upstream) as url:
        proxied = opened_before(opened, url)
        said = [ask(proxied, question, headers=each) for each in (first, headers)]
    assert said == [f"{question.reply}Done."] * 2
    assert (question.runs, len(upstream.asked)) == (1, 2)


@behaviour("proxy:retry:once")
def test_a_stream_is_taken_up_as_well(opened: Open, question: Question) -> None:
    with listening(Scripted([question.block(), 503, "Done."])) as url:
        proxied = opened_before(opened, url)

        def text() -> Iterator[str]:
            with openai.OpenAI(base_url=f"{proxied.url}/v1", api_key=ALICE, timeout=WAIT) as client:
                for chunk in client.chat.completions.create(
                    model=RUNS, messages=question.messages, stream=True
                ):
                    yield chunk.choices[0].delta.content or ""

        with pytest.raises(openai.APIError, match="no room"):
            list(text())
        assert "".join(text()) == f"{question.reply}Done."
    assert question.runs == 1


@behaviour("proxy:retry:waits")
def test_a_client_that_gives_up_waiting_finds_its_block_running(opened: Open, question: Question) -> None:
    slow = question.block("import time; time.sleep(2.5)\n")
    upstream = Scripted([slow, "Done."])
    with listening(upstream) as url:
        said = ask(opened_before(opened, url), question, timeout=1.0, max_retries=8)
    assert said == f"{slow}Result: noted\nDone."
    assert (question.runs, len(upstream.asked)) == (1, 2)


@behaviour("proxy:retry:anew")
def test_who_asks_the_same_again_gets_a_new_reply(opened: Open, question: Question) -> None:
    with listening(Scripted([question.block(), "Done.", question.block(), "And again."])) as url:
        proxied = opened_before(opened, url)
        said = [ask(proxied, question) for _ in range(2)]
    assert said == [f"{question.reply}Done.", f"{question.reply}And again."]
    assert question.runs == 2


@behaviour("proxy:retry:anew")
def test_another_key_takes_up_nothing(opened: Open, question: Question) -> None:
    with listening(Scripted([question.block(), 503, "I know nothing."])) as url:
        proxied = opened_before(opened, url)
        with pytest.raises(openai.InternalServerError):
            ask(proxied, question, max_retries=0)
        assert ask(proxied, question, key=BOB, headers=AGAIN) == "I know nothing."


@behaviour("proxy:retry:anew")
def test_a_request_that_is_refused_is_asked_anew(opened: Open, question: Question) -> None:
    with listening(Scripted([question.block(), 413, "I begin anew."])) as url:
        proxied = opened_before(opened, url)
        with pytest.raises(openai.APIStatusError):
            ask(proxied, question)
        assert ask(proxied, question) == "I begin anew."
    assert question.runs == 1


@behaviour("proxy:retry:replica")
def test_another_process_takes_it_up_from_the_records(
    opened: Open, question: Question, tmp_path: Path
) -> None:
    records = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    with listening(Scripted([question.block(), 503, "Done."])) as url:
        with pytest.raises(openai.InternalServerError):
            ask(opened_before(opened, url, records_url=records), question, max_retries=0)
        other = opened_before(opened, url, records_url=records, data_dir=tmp_path / "other")
        said = ask(other, question, headers=AGAIN)
    assert said == f"{question.reply}Done.".removeprefix("First.\n")
    assert question.runs == 1
