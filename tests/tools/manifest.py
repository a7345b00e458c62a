"""What is promised of tools that code calls."""

from tests.behaviours import Behaviour

MCP = "the Model Context Protocol"
HOSTILE = "a kernel may say anything"

BEHAVIOURS = {
    "tools:servers:forms": Behaviour(
        "A server is a command or an address with a secret from a file or a variable; anything else gets a "
        "sentence without a secret.",
        "the setting tools",
    ),
    "tools:signatures": Behaviour(
        "Each tool is a function with a name and parameters that Python has, made from its schema.", MCP
    ),
    "tools:prompt": Behaviour("The model is told of all tools in a bounded list.", "what a request costs"),
    "tools:arguments": Behaviour(
        "Arguments are looked at before the call, in time that is in proportion to them.", HOSTILE
    ),
    "tools:values": Behaviour(
        "Code gets structured content as values, text as text, and images as what is shown.", MCP
    ),
    "tools:record": Behaviour(
        "Each call stands in the block's record with arguments, result and time; the model does not read it.",
        "a person wants to see what was done",
    ),
    "tools:errors": Behaviour("What a tool or its server says of a failure is the text of a ToolError.", MCP),
    "tools:http": Behaviour("A server at an address gets its secret in a header, and the kernel none.", MCP),
    "tools:consent": Behaviour(
        "A person is asked once for each tool of a conversation; without one, nothing is called.",
        "consent as for blocks",
    ),
    "tools:input": Behaviour("A program that asks a person gets their answer, and a call its own.", "stdin"),
    "tools:limits": Behaviour("A block's calls and each call's time are limited.", "settings"),
    "tools:stop": Behaviour("Stop ends a call, and the server hears of it.", MCP),
    "tools:once": Behaviour(
        "A call that is sent again, also over another connection, is made once, and answered.",
        "exactly once",
    ),
    "tools:hostile": Behaviour(
        "What a kernel forges calls no tool that is unknown, refused or past its block.", HOSTILE
    ),
    "tools:unreachable": Behaviour(
        "A server that cannot be reached is one sentence that says what to do; the others work.", MCP
    ),
    "tools:generations": Behaviour(
        "Tools are called, and failures told, alike by both generations of the MCP SDK.",
        "text-generation-webui pins the first",
    ),
    "tools:anew": Behaviour("A server that has ended is started anew by the next call.", MCP),
    "tools:none": Behaviour("Without tools nothing of them is imported or sent.", "no cost"),
}
