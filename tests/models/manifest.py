"""What the models room promises."""

from tests.behaviours import Behaviour

CONTRACT = "plan: the models room"
FACTS = "models and hosts, section 1"

BEHAVIOURS = {
    # addresses
    "models:address:normal": Behaviour(
        "An endpoint's address may be pasted in any usual form and comes out as the API's own.", CONTRACT
    ),
    "models:address:idempotent": Behaviour("Normalising an address twice changes nothing.", CONTRACT),
    "models:address:refused": Behaviour(
        "What is no HTTP address, or has a password in it, is refused with a sentence.", CONTRACT
    ),
    "models:address:routed": Behaviour(
        "A route is found both for the API and for the server that carries it.", CONTRACT
    ),
    "models:address:loopback": Behaviour("This machine's own addresses are known as such.", CONTRACT),
    # events
    "models:events:repeated": Behaviour(
        "Chunks that differ in their text alone are not read whole each time, and say what they say.",
        "performance",
    ),
    "models:events:cuts": Behaviour("Cutting a stream of events anywhere changes nothing.", CONTRACT),
    "models:events:field": Behaviour(
        "Comments, mixed line ends, a missing empty line, newline or end mark are all read.", CONTRACT
    ),
    "models:events:lines": Behaviour(
        "JSON lines, and one value over many lines, are read; what is no event is kept for the error.",
        CONTRACT,
    ),
    "models:events:linear": Behaviour(
        "Reading a stream costs the same for each byte, and an event has a largest size.", "performance"
    ),
    # how a reply ends
    "models:ends:complete": Behaviour(
        "A reply is complete when the stream says why it ended, or sends its end mark.", CONTRACT
    ),
    "models:ends:cut-off": Behaviour(
        "A stream that ends without either is a failure, and never a complete reply.", CONTRACT
    ),
    "models:ends:errors": Behaviour(
        "An error in the stream, or in place of it, is told in its words, whatever its shape.", CONTRACT
    ),
    "models:ends:kept": Behaviour(
        "What was said before a stream broke is given; half a call is none.", CONTRACT
    ),
    # the client
    "models:client:models": Behaviour("The models of an endpoint are listed with their owners.", CONTRACT),
    "models:client:stream": Behaviour(
        "A reply's chunks arrive as they are sent, unknown fields kept.", CONTRACT
    ),
    "models:client:unstreamed": Behaviour(
        "A server that does not stream although it was asked to is read all the same.", CONTRACT
    ),
    "models:client:close": Behaviour(
        "Leaving the stream closes its connection, and the server stops generating.", FACTS + ".5"
    ),
    "models:client:unreachable": Behaviour(
        "Where nothing answers, the sentence says what to look after.", CONTRACT
    ),
    "models:client:refused": Behaviour("A key that is missing or wrong is told as such.", CONTRACT),
    "models:client:no-model": Behaviour(
        "A model that is not there is answered with those that are.", CONTRACT
    ),
    "models:client:failed": Behaviour(
        "A server's own error is told in its words, with its status.", CONTRACT
    ),
    "models:client:web-page": Behaviour(
        "A web page in place of the API is told as a wrong address.", CONTRACT
    ),
    "models:client:moved": Behaviour("A redirect is not followed, the key stays here.", CONTRACT),
    "models:client:broken-stream": Behaviour(
        "An error inside the stream, garbage, or a lost connection ends it as a failure.", CONTRACT
    ),
    "models:client:endless": Behaviour("An answer without end is given up, and not kept.", "safety: T6"),
    "models:client:odd-chunks": Behaviour(
        "Chunks without choices, or with odd fields, do no harm.", CONTRACT
    ),
    "models:client:surrogates": Behaviour("Text that has no UTF-8 is sent all the same.", CONTRACT),
    "models:client:key": Behaviour("The key goes into its header and nowhere else.", CONTRACT),
    "models:together:all": Behaviour("What came at the same time is taken as one, whole.", CONTRACT),
    "models:together:bounded": Behaviour("A slow reader makes the server wait.", CONTRACT),
    "models:together:lines": Behaviour(
        "Pieces are taken together up to a line's end, where a block may close.", CONTRACT
    ),
    # strategies
    "models:strategies:hosts": Behaviour("Hosted APIs are known by their names.", FACTS + ".1"),
    "models:strategies:prefill": Behaviour(
        "A prefill sends the reply so far, its thought and the fields that the server wants.", FACTS + ".1"
    ),
    "models:strategies:next-turn": Behaviour(
        "The next turn sends each round as a message and its result as the user's, and says so once.",
        FACTS + ".2",
    ),
    "models:strategies:next-turn-continue": Behaviour(
        "Where there is no result, the next turn asks to go on.", CONTRACT
    ),
    "models:strategies:tools": Behaviour(
        "A call of our tool goes back as it came, with its result as the tool's.", FACTS + ".7"
    ),
    # calls of our tool
    "models:calls:language": Behaviour(
        "The tool that a model calls, and the blocks of its calls, are of the kernel's language.",
        "kernels other than Python's",
    ),
    "models:calls:block": Behaviour("A call is a block of the reply, however it was sent.", FACTS + ".7"),
    "models:calls:fence": Behaviour("No code ends its own block.", "CommonMark 4.5"),
    "models:calls:unreadable": Behaviour("What is no program, or half of one, does not run.", FACTS + ".7"),
    "models:calls:several": Behaviour("Several calls are told apart; the first is taken.", FACTS + ".7"),
    # echo and restart
    "models:echo:dropped": Behaviour(
        "A server's repetition of our reply never reaches the reader, however it is cut.", FACTS + ".4"
    ),
    "models:echo:whitespace": Behaviour("An echo may have lost white space at its ends.", FACTS + ".4"),
    "models:echo:thoughts": Behaviour(
        "An echo may have lost the thoughts inside our reply, which reasoning parsers take out.", FACTS + ".6"
    ),
    "models:echo:real-text": Behaviour(
        "Text that only begins like our reply comes through whole.", FACTS + ".4"
    ),
    "models:echo:restart": Behaviour(
        "A reply begun anew is noticed, and nothing of it comes through.", FACTS + ".2"
    ),
    "models:echo:never-again": Behaviour(
        "A block of our reply never comes back out of the guard, whatever the server repeats.", FACTS + ".1"
    ),
    "models:echo:linear": Behaviour("Looking for an echo costs the same for each character.", "performance"),
    # memory
    "models:memory:recall": Behaviour("What has worked is remembered per address and model.", FACTS + ".3"),
    "models:memory:bounded": Behaviour(
        "The memory is bounded, in this process and in its file.", "safety: T6"
    ),
    "models:memory:file": Behaviour(
        "The memory's file is private, whole, without a key, and a broken one is an empty one.", CONTRACT
    ),
    # detection
    "models:detect:fingerprint": Behaviour("Each kind of server is known by its signs.", FACTS + ".3"),
    "models:detect:scan": Behaviour(
        "A scan finds the servers of this machine in time and sends no prompt.", FACTS + ".3"
    ),
    "models:detect:scan-locked": Behaviour("A server that asks for a key is found as locked.", CONTRACT),
    "models:detect:scan-slow": Behaviour(
        "A server that does not answer does not hold up the scan.", CONTRACT
    ),
    "models:detect:choose": Behaviour(
        "Each kind of server is continued in its own way, asked of its template where it has one.",
        FACTS + ".3",
    ),
    "models:detect:headless": Behaviour(
        "A prompt of ours goes on where the model would speak, after its thought, or is not made.",
        FACTS + ".6",
    ),
    "models:detect:probe": Behaviour(
        "Where a wrong guess would pass unnoticed, the model is asked once with a sentence of ours.",
        FACTS + ".3",
    ),
    # one reply
    "models:reply:continues": Behaviour(
        "Every kind of server ends in one reply with the result in it, each block run once.", FACTS
    ),
    "models:reply:strategies": Behaviour(
        "A way that the server does not know gives way to one that works.", FACTS + ".2"
    ),
    "models:reply:tools": Behaviour(
        "A model that calls a tool is shown as one that writes blocks; who cannot is asked without.",
        FACTS + ".7",
    ),
    "models:reply:raw": Behaviour(
        "Where a template closes every reply, the server's own prompt is gone on with.", FACTS + ".1"
    ),
    "models:reply:remembers": Behaviour("Only the first reply has to find out.", FACTS + ".3"),
    "models:reply:prior": Behaviour(
        "A reply that was begun before is gone on with, never repeated.", CONTRACT
    ),
    "models:reply:close": Behaviour("Closing the generator closes the connection at once.", CONTRACT),
    "models:reply:line-break": Behaviour(
        "What is said after a result begins on a line of its own.", FACTS + ".4"
    ),
    "models:reply:reasoning": Behaviour(
        "Thought never comes as content, and goes back to the model with the reply.", FACTS + ".6"
    ),
    "models:reply:usage": Behaviour("Tokens are summed over all requests of a reply.", FACTS + ".5"),
    "models:reply:usage-lost": Behaviour(
        "A count that was lost by closing is made up from the pieces that came.", FACTS + ".5"
    ),
    "models:reply:budget": Behaviour("max_tokens is a budget over the whole reply.", CONTRACT),
    "models:reply:finish": Behaviour("Why the model ended is kept.", CONTRACT),
    "models:reply:failure": Behaviour("A failure that no other way mends is raised as it is.", CONTRACT),
    "models:reply:unmetered": Behaviour(
        "A server that refuses to count tokens in the stream is asked without it.", CONTRACT
    ),
    "models:reply:whim": Behaviour(
        "One reply begun anew does not unlearn a way that has worked before.", CONTRACT
    ),
    "models:reply:setting": Behaviour("The way to continue can be set by hand.", FACTS + ".3"),
    # a real engine
    "models:llama:continues": Behaviour(
        "With llama.cpp every way ends in one reply whose block ran once.", FACTS + ".1"
    ),
    "models:llama:detected": Behaviour("llama.cpp is asked for its way by its template.", FACTS + ".3"),
    "models:llama:cache": Behaviour(
        "To go on costs the engine the tokens of the result and at most 32 more.", "performance"
    ),
    "models:llama:close": Behaviour("Closing the stream frees the engine.", FACTS + ".5"),
    "models:llama:echo": Behaviour("What the engine repeats is not heard again.", FACTS + ".1"),
    # the demo model
    "models:demo:faithful": Behaviour(
        "The official client talks to the demo model, streaming and not.", "issue: the chat app"
    ),
    "models:demo:errors": Behaviour("The demo model answers what is wrong as OpenAI does.", CONTRACT),
    "models:demo:cancel": Behaviour("The demo model stops when its client leaves.", CONTRACT),
    "models:demo:honest": Behaviour(
        "The first words of a conversation say that it is a script.", "issue: the chat app"
    ),
    "models:demo:mission": Behaviour(
        "What is 10 + 5? is computed by Python and answered from its result.", "the mission's example"
    ),
    "models:demo:own-words": Behaviour(
        "The demo answers what the person said, not what the model is told in front of it.", CONTRACT
    ),
    "models:demo:sums": Behaviour("Sums are read as people write them.", CONTRACT),
    "models:demo:code": Behaviour(
        "Each scene's Python really runs and is answered from what it gave.", CONTRACT
    ),
    "models:demo:state": Behaviour("The next turn uses the variables of the one before.", CONTRACT),
    "models:demo:truth": Behaviour("A block that gave no answer is told as that.", CONTRACT),
    "models:demo:exact": Behaviour("It goes on exactly where a text of its own was cut.", CONTRACT),
    "models:demo:next-turn": Behaviour("It reads a result that comes as a message of the user.", CONTRACT),
    "models:demo:help": Behaviour("What it has no scene for it answers with what it can show.", CONTRACT),
    "models:sight:shown": Behaviour(
        "A model that sees is shown the pictures of a result, any other reads of them.", "context thrift"
    ),
    "models:sight:refused": Behaviour(
        "Where a server refuses pictures the reply goes on without, and none are sent there again.", "errors"
    ),
    "models:sight:clients": Behaviour(
        "Where a server refuses the images of a client's own messages, the reply goes on without them.",
        "errors",
    ),
    "models:sight:scaled": Behaviour("Pictures are scaled down; what is none is left out.", "context thrift"),
    "models:sight:names": Behaviour("That a model sees is told by its name.", "context thrift"),
    "models:sight:attached": Behaviour(
        "A model that sees is shown the pictures of a person's message in every way of going on; where its "
        "server refuses them, the reply goes on without.",
        "pictures that a person sends",
    ),
}
