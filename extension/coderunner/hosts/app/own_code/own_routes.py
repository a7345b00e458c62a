"""Routes of a person's own code in a chat: what was run, to run some, and to have the model told of it."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from coderunner.errors import CodeRunnerError
from coderunner.hosts.app.own_code.own_runs import OwnRun, OwnRuns
from coderunner.page.server.routes import HEADER, LONGEST_CODE, TOO_LONG, Rights, own_json
from coderunner.page.server.static_files import PREFIX
from coderunner.text.surrogates import whole

NOT_OURS = "Only CodeRunner's own page may do this."
NO_CHAT = "This conversation no longer exists."
NOTHING = "The scratch cell has shown nothing yet."


@dataclass(frozen=True, slots=True)
class OwnCodeRoutes:
    """The routes, to be added to a host's app under their absolute paths."""

    rights: Rights
    runs: OwnRuns

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            Route(f"{PREFIX}/own", self.known, methods=["GET"]),
            Route(f"{PREFIX}/own", self.run, methods=["POST"]),
        ]

    async def known(self, request: Request) -> Response:
        """What was run in a chat: `?c=…`; `id` is that of its block."""
        if self.rights.admit(request.scope, request.headers.get(HEADER, "")) is None:
            return JSONResponse({"error": NOT_OURS}, 403)
        try:
            runs = await self.runs.known(request.query_params.get("c", ""))
        except CodeRunnerError as error:
            return JSONResponse({"error": str(error)}, 503)
        if runs is None:
            return JSONResponse({"error": NO_CHAT}, 404)
        scratch = next((_shown(run) for run in runs if run.scratch), None)
        return JSONResponse({"runs": [_shown(run) for run in runs if not run.scratch], "scratch": scratch})

    async def run(self, request: Request) -> Response:
        """Run code of a chat: `{"c": …, "code": …, "scratch": …}`.

        Or have the model told what the scratch cell showed: `{"c": …, "tell": true}`.
        """
        match asked := await own_json(request, self.rights):
            case Response():
                return asked
            case {"c": str(chat), "tell": True}:
                told = self.runs.tell(chat)
                return JSONResponse({} if told else {"error": NOTHING}, 200 if told else 409)
            case {"c": str(chat), "code": str(code), "scratch": bool(scratch)} if code.strip():
                return await self._ran(chat, whole(code), scratch=scratch)
            case _:
                return JSONResponse({"error": "There is no code to run."}, 400)

    async def _ran(self, chat: str, code: str, *, scratch: bool) -> Response:
        if len(code.encode()) > LONGEST_CODE:
            return JSONResponse({"error": TOO_LONG}, 413)
        try:
            run = await self.runs.run(chat, f"{code.rstrip()}\n", scratch=scratch)
        except CodeRunnerError as error:
            return JSONResponse({"error": str(error)}, 503)
        match run:
            case OwnRun():
                return JSONResponse(_shown(run))
            case None:
                return JSONResponse({"error": NO_CHAT}, 404)
        return JSONResponse({"error": run}, 409)


def _shown(run: OwnRun) -> dict[str, str]:
    return {"id": run.block.id, "code": run.code.rstrip("\n")}
