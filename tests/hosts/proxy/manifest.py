"""What the proxy promises."""

from tests.behaviours import Behaviour

PROXY = "models and hosts, section 4"
ISSUE = "issue: the proxy"
FILES = "issue: files behind the proxy"
MESSAGES = "docs/hosts/proxy.md, the Messages API"
RESPONSES = "docs/hosts/proxy.md, the Responses API"
LIVE = "docs/hosts/proxy.md, Charts and widgets"

BEHAVIOURS = {
    "proxy:charts:drawn": Behaviour(
        "A Vega chart that came without a picture is drawn in the reply, beside the kernel, where its "
        "environment has vl-convert.",
        "a client shows text and images",
    ),
    "proxy:charts:undrawn": Behaviour(
        "A chart that cannot be drawn in time stays as it is, whatever the kernel answers.",
        "a reply is never held up",
    ),
    "proxy:live:linked": Behaviour(
        "What a reply can only show as a picture or a text has a link to a page that shows it live, in each "
        "API; what its text says as well has none.",
        LIVE,
    ),
    "proxy:live:shown": Behaviour(
        "The page shows charts, scripts and widgets; widgets move while their kernel lives, and show their "
        "last state after that, also after a restart of the proxy.",
        LIVE,
    ),
    "proxy:live:goes-on": Behaviour("A block that runs on can be watched until its end.", LIVE),
    "proxy:live:loaded": Behaviour("The page has what earlier blocks of the conversation loaded.", LIVE),
    "proxy:live:closed": Behaviour(
        "A page sees its own block alone, and runs none; each of its routes checks Host and Origin.", LIVE
    ),
    "proxy:live:attacked": Behaviour(
        "A hostile output reaches no more from such a page than from the app's: the corpus of attacks tries.",
        LIVE,
    ),
    "proxy:live:expired": Behaviour(
        "A link that expired, whose owner has no key any more, or that somebody with another key asks for, "
        "gives one sentence; a page that is open is cut off soon after.",
        LIVE,
    ),
    "proxy:live:untold": Behaviour("The model reads nothing of the link.", LIVE),
    "proxy:deploy:kubernetes": Behaviour(
        "The manifest for Kubernetes starts a proxy that its probes, its ingress and its users reach.",
        "deploy/kubernetes.yaml",
    ),
    "proxy:reply:streamed": Behaviour(
        "A reply is one stream with the results in it: one id, one time, one model, one end.", PROXY
    ),
    "proxy:reply:whole": Behaviour("A client that does not stream gets the same as a whole.", PROXY),
    "proxy:reply:continued": Behaviour("Every way to continue a reply gives one reply.", PROXY),
    "proxy:reply:tools": Behaviour(
        "A model that calls a tool is shown as one that writes blocks; a table says which do.", PROXY
    ),
    "proxy:reply:llama": Behaviour("A real engine and a real kernel give one reply.", PROXY),
    "proxy:reply:repaired": Behaviour("An error goes back to the model, which mends its code.", ISSUE),
    "proxy:reply:reasoning": Behaviour("Thought passes as thought, and its code does not run.", PROXY),
    "proxy:reply:usage": Behaviour(
        "The client's own prompt is counted, the completion over all requests, and the sums beside.", PROXY
    ),
    "proxy:reply:budget": Behaviour("max_tokens is a budget over all requests of a reply.", PROXY),
    "proxy:reply:prior": Behaviour(
        "A reply that the client wants continued is gone on with, and nothing in it runs.", PROXY
    ),
    "proxy:reply:prior-alone": Behaviour("A reply may be continued that answers nothing.", PROXY),
    "proxy:reply:taught": Behaviour("The model is taught before what the client tells it.", ISSUE),
    "proxy:reply:alive": Behaviour("Comments keep the connection alive while code runs.", PROXY),
    "proxy:reply:guards": Behaviour(
        "The guards of a reply end it here as well, and it says so.", "decision 9"
    ),
    "proxy:leaving:stops": Behaviour(
        "What runs for a client that has left at its timeout is stopped once it asks something else, or does "
        "not come back, also a block that runs on after its deadline.",
        "docs/hosts/proxy.md, What runs, and where",
    ),
    "proxy:leaving:comes-back": Behaviour(
        "A client that comes back for its reply has its block left alone.", "docs/hosts/proxy.md"
    ),
    "proxy:leaving:busy": Behaviour(
        "A block that waits for an earlier one of its conversation for too long is not run, and says why.",
        "decision 4",
    ),
    "proxy:ends:reason": Behaviour(
        "Why the model ended is told to the client, in OpenAI's words where it has one.", PROXY
    ),
    "proxy:ends:empty": Behaviour(
        "A reply without a word, thought aside, says why in words that are no thought.", ISSUE
    ),
    "proxy:ends:broken": Behaviour(
        "A reply that breaks ends in an error after what was said; a block that had closed has run.", ISSUE
    ),
    "proxy:ends:characters": Behaviour(
        "No answer holds half a character, and code runs as it is shown.", "Unicode 3.9"
    ),
    "proxy:retry:once": Behaviour(
        "A request that a client sends again by itself takes its reply up, and runs no block of it again.",
        "decision 3",
    ),
    "proxy:retry:waits": Behaviour(
        "A client that comes again after a timeout of its own finds the block that it left running.",
        "decision 3",
    ),
    "proxy:retry:anew": Behaviour(
        "Who asks the same again, after a good reply or with another key, gets a new reply.", "decision 3"
    ),
    "proxy:retry:replica": Behaviour(
        "Another process with the same records takes it up as well.", "decision 10"
    ),
    "proxy:errors:before": Behaviour("A failure before the first word has its own status.", PROXY),
    "proxy:errors:key": Behaviour(
        "That the endpoint refuses our key is our fault, and shows no key.", "safety: T7"
    ),
    "proxy:errors:ours": Behaviour(
        "What is not served, and what breaks here, is told as OpenAI's clients read it.", ISSUE
    ),
    "proxy:errors:later": Behaviour("A failure within a reply is told in the stream.", PROXY),
    "proxy:pass:untouched": Behaviour(
        "What asks for several replies, JSON or probabilities passes untouched.", PROXY
    ),
    "proxy:pass:tools": Behaviour(
        "Calls of the client's own tools pass as they are; code runs beside them.", PROXY
    ),
    "proxy:client-tools:answered": Behaviour(
        "A block calls the client's own tools: the response ends with the calls, and the reply goes on with "
        "their answers in the next one. Nothing runs twice.",
        PROXY,
    ),
    "proxy:client-tools:images": Behaviour(
        "Images in an answer of the client's are shown by the block, and reach the model, in each API.",
        "docs/tools.md",
    ),
    "proxy:client-tools:own-images": Behaviour(
        "Images in an answer to a call of the model's own reach it, where of tools only texts are taken.",
        PROXY,
    ),
    "proxy:client-tools:unanswered": Behaviour(
        "A call that its client does not answer fails, and the model is told.", PROXY
    ),
    "proxy:client-tools:names": Behaviour(
        "Where a server has a tool of the same name, the client's gets a word before it.", PROXY
    ),
    "proxy:client-tools:history": Behaviour(
        "The model's history has a reply as one, without the calls of its blocks.", PROXY
    ),
    "proxy:pass:side-jobs": Behaviour(
        "What a chat program wants for itself, a title, say, never runs code.", PROXY
    ),
    "proxy:pass:all-models": Behaviour("By setting, the code of every model runs.", ISSUE),
    "proxy:pass:off": Behaviour("Where nothing is to run, everything passes untouched.", ISSUE),
    "proxy:pass:models": Behaviour("Each model is listed with code and without.", ISSUE),
    "proxy:errors:retry-after": Behaviour(
        "When an endpoint that is busy says after which time to ask again, clients are told.", ISSUE
    ),
    "proxy:pass:unmarked": Behaviour(
        "The suffix that has code run reaches no endpoint: not in a body, a batch, a form or a path.", ISSUE
    ),
    "proxy:pass:routes": Behaviour(
        "Every other route of the API passes as it is, with our key in place of the client's.", PROXY
    ),
    "proxy:pass:api-only": Behaviour(
        "Nothing beside the API is reached with our key, however its path is written.", "safety: T4"
    ),
    "proxy:pass:answer": Behaviour(
        "Our key, cookies, CORS and redirects of the endpoint do not come back with an answer.", "safety: T7"
    ),
    "proxy:leave:upstream": Behaviour("Who hangs up stops the model.", PROXY),
    "proxy:leave:whole": Behaviour("So does who hangs up before the whole came.", PROXY),
    "proxy:leave:kernel": Behaviour("Who hangs up interrupts the code.", PROXY),
    "proxy:leave:many": Behaviour(
        "Of hundreds who hang up in the middle of a reply, nothing is left, and the next one is served.",
        PROXY,
    ),
    "proxy:late:linked": Behaviour(
        "A chart that comes after its deadline has its live link in the next reply, below its result.", LIVE
    ),
    "proxy:late:next-request": Behaviour(
        "The result of a block that went on comes with the conversation's next request, said and read.", ISSUE
    ),
    "proxy:late:afterwards": Behaviour(
        "What a thread or a task prints after the end of its block comes with the next request, once.",
        "README: what it promises",
    ),
    "proxy:pictures:links": Behaviour(
        "A picture is a link that any page can show and only its owner's key does not spoil.", PROXY
    ),
    "proxy:pictures:sight": Behaviour(
        "A model that sees is shown a result's pictures themselves.", "context thrift"
    ),
    "proxy:pictures:inline": Behaviour(
        "By setting it stands whole in the reply; the model never reads it.", PROXY
    ),
    "proxy:pictures:claims": Behaviour("What is no picture is told in words.", "safety: T2"),
    "proxy:pictures:end": Behaviour("A link ends with its time and with its owner's key.", ISSUE),
    "proxy:pictures:room": Behaviour("Pictures have a room, and the oldest make way.", "safety: T6"),
    "proxy:pictures:names": Behaviour("A link cannot be guessed, and leads to pictures only.", "safety: T2"),
    "proxy:conversation:named": Behaviour("A header, or metadata, names the conversation.", PROXY),
    "proxy:conversation:safe": Behaviour(
        "A name, whatever is in it, goes back in a header and leads to its conversation again.", "safety: T4"
    ),
    "proxy:conversation:prefix": Behaviour(
        "Else the longest part of the history that ends with a reply of ours tells it.", PROXY
    ),
    "proxy:conversation:edited": Behaviour(
        "An edited history is the conversation of what stands before the edit.", PROXY
    ),
    "proxy:conversation:cut": Behaviour(
        "Of a history without its beginning the last reply and its question tell it, if they are no other's.",
        PROXY,
    ),
    "proxy:conversation:new": Behaviour("What is found nowhere is a conversation of its own.", PROXY),
    "proxy:conversation:bounded": Behaviour("What is remembered of histories is bounded.", ISSUE),
    "proxy:conversation:state": Behaviour(
        "Variables stay for the next question, whether a client names its chat or not.", ISSUE
    ),
    "proxy:owners:apart": Behaviour(
        "A kernel belongs to one key, however its conversation is named.", "safety: T5"
    ),
    "proxy:owners:sandboxed": Behaviour(
        "With kernels on this machine, code of one key reads neither key, runs, files nor kernel of another.",
        "safety: T5; docs/safety.md",
    ),
    "proxy:open:refuses": Behaviour(
        "What would let people run code who must not is refused with the way out.", ISSUE
    ),
    "proxy:open:apart": Behaviour(
        "Several keys with kernels on this machine need a sandbox; without one the start is refused.",
        "docs/safety.md",
    ),
    "proxy:open:allowed": Behaviour("What is isolated, allowed or keyed is opened.", ISSUE),
    "proxy:open:key": Behaviour("Nothing is answered without a key.", "safety: T4"),
    "proxy:open:gate": Behaviour(
        "Other names and other pages are kept out, and no page is ever allowed in by CORS.", "safety: T4"
    ),
    "proxy:open:origins": Behaviour(
        "By setting the origin of a desktop program is let in, with a key only and without CORS.",
        "safety: T4",
    ),
    "proxy:open:large": Behaviour("A request has a largest size.", "safety: T4"),
    "proxy:open:address": Behaviour(
        "It shows its key once, then its address once it answers, and ends without a word.", ISSUE
    ),
    "proxy:open:no-endpoint": Behaviour(
        "The only endpoint of this machine is taken; where there is none it says what to name.", ISSUE
    ),
}

TEAM = "issue: teams"

BEHAVIOURS |= {
    "team:server:own": Behaviour("A key may have a Jupyter server and token of its own.", TEAM),
    "team:key:unknown": Behaviour("With a team file, its keys are accepted and no others.", TEAM),
    "team:blocks:in-a-reply": Behaviour(
        "A block that a limit forbids is told in one sentence, and the reply goes on.", TEAM
    ),
    "team:limit:429": Behaviour(
        "A request that a limit forbids gets 429 with which limit it is and when there is room again.", TEAM
    ),
    "team:limit:followed": Behaviour(
        "A retry of a reply that has begun follows it, whatever the limits say, and runs nothing again.", TEAM
    ),
    "team:limit:counted": Behaviour(
        "In no 60 seconds more blocks run than allowed, and one refused may run when it was told.", TEAM
    ),
    "team:limit:bounded": Behaviour("What is remembered of a user is bounded by its limit.", TEAM),
    "team:kernels:oldest": Behaviour(
        "At the limit of kernels a new one replaces that unused for longest, which says so later.", TEAM
    ),
    "team:kernels:in-use": Behaviour(
        "Kernels of conversations with a reply in progress are not replaced; the client tries again.", TEAM
    ),
    "team:tokens:day": Behaviour(
        "Tokens of every route count for the day, by the endpoint's count or else by length.", TEAM
    ),
    "team:tokens:reply": Behaviour("A reply that uses the last tokens ends with a sentence.", TEAM),
    "team:tokens:saved": Behaviour("The tokens of the day outlive a restart.", TEAM),
    "team:file:read": Behaviour("A user has its own limits, and else those of all.", TEAM),
    "team:file:refused": Behaviour(
        "A team file that cannot be used is told with place and reason, and without a secret.", TEAM
    ),
    "team:file:rights": Behaviour("Keys and tokens that others can read are remarked on.", TEAM),
    "team:file:alone": Behaviour("Users are named in one place, and none has a kernel with another.", TEAM),
    "team:file:reload": Behaviour(
        "A changed file counts from the next request; a broken one changes nothing.", TEAM
    ),
    "team:health:without-a-key": Behaviour("Health and readiness need no key and tell no secret.", TEAM),
}

BEHAVIOURS |= {
    "operation:drain:finishes": Behaviour(
        "At SIGTERM nothing new begins, and a reply in progress ends as it would have.", TEAM
    ),
    "operation:drain:cut-short": Behaviour(
        "A block that takes too long is stopped and told; its kernel on a server stays, and another proxy "
        "with the same records goes on without running it again.",
        TEAM,
    ),
    "operation:drain:local": Behaviour(
        "A block that is stopped because its proxy ends says that its variables are gone where its kernel "
        "ends with the proxy, and the conversation's next block says that its kernel is a new one.",
        TEAM,
    ),
    "operation:drain:once": Behaviour(
        "A reply that was cut short is continued once, by the same request of the same key and conversation; "
        "after that the model writes a new one.",
        TEAM,
    ),
    "operation:drain:at-once": Behaviour("A second SIGTERM ends it at once.", TEAM),
    "operation:drain:idle": Behaviour("An idle proxy ends at once and without a word.", TEAM),
    "operation:reload": Behaviour("A changed team file is read at SIGHUP, and by itself.", TEAM),
    "operation:metrics:numbers": Behaviour(
        "Prometheus reads what happens, by route, outcome and user.", TEAM
    ),
    "operation:metrics:bounded": Behaviour("Nothing that a client chooses is a label.", TEAM),
    "operation:metrics:key": Behaviour("Metrics have a key of their own; without it there are none.", TEAM),
    "operation:ready:upstream": Behaviour("It is not ready while the endpoint does not answer.", TEAM),
    "operation:balancer": Behaviour(
        "Behind the balancer of the docs, another proxy goes on with what a stopped one has left.", TEAM
    ),
    "operation:log:lines": Behaviour(
        "Each request and block is a line of JSON, without content, keys or names that clients chose.", TEAM
    ),
}

REPLICAS = "docs/postgresql.md"

BEHAVIOURS |= {
    "proxy:replicas:once": Behaviour("Whichever replica a request reaches, a block runs once.", REPLICAS),
    "proxy:replicas:state": Behaviour(
        "A conversation goes on in another replica, with its kernel on the server, also where its client "
        "names none.",
        REPLICAS,
    ),
    "proxy:replicas:killed": Behaviour(
        "What a killed replica was running is told as lost by another, and not run again.", REPLICAS
    ),
    "proxy:replicas:away": Behaviour(
        "That the database is away is told at the start, in a reply and when it is back; nothing is lost.",
        REPLICAS,
    ),
    "proxy:files:forms": Behaviour(
        "A file of a message is read in every form in which OpenAI's clients send it.", FILES
    ),
    "proxy:files:images": Behaviour(
        "An image of a message is a file too, and stays for the model to see; other parts stay.", FILES
    ),
    "proxy:files:once": Behaviour(
        "The same content under the same name is one file, however often it is sent.", FILES
    ),
    "proxy:files:refused": Behaviour(
        "A file that cannot be had from a request is refused with a sentence that says what to send.", FILES
    ),
    "proxy:links:found": Behaviour(
        "A link of the model's to a file is found while the reply streams, however it is written.", FILES
    ),
    "proxy:links:others": Behaviour("Code and links that lead elsewhere stay as they are.", FILES),
    "proxy:links:cuts": Behaviour(
        "However a reply arrives, the same links are found, and only a link is held back.", FILES
    ),
    "proxy:files:story": Behaviour(
        "A table that a client sends is drawn and cleaned, and the clean one is downloaded by its link.",
        FILES,
    ),
    "proxy:files:kept": Behaviour(
        "A file that comes again with the history is not written again, nor over what was made of it.", FILES
    ),
    "proxy:files:names": Behaviour("No name of a client's leads out of the conversation's folder.", FILES),
    "proxy:files:apart": Behaviour("The same question about another file is another conversation.", FILES),
    "proxy:links:below": Behaviour(
        "Below a result each file that its block made is named once, with a link for the reader alone.", FILES
    ),
    "proxy:links:end": Behaviour(
        "A link to a file is for its owner and whom they let, and ends with its time and with their key.",
        FILES,
    ),
    "proxy:variables": Behaviour(
        "A model named with +python+variables is told after a block which variables that has changed, and "
        "any is told of one that a message names.",
        "variables_for_model",
    ),
    "proxy:messages:whole": Behaviour(
        "In the Messages API, a block is a use of the server's tool, with its result as the next block.",
        MESSAGES,
    ),
    "proxy:messages:events": Behaviour(
        "A streamed message has the API's own events, which official clients read.", MESSAGES
    ),
    "proxy:messages:history": Behaviour(
        "A history that comes back is the reply as the model wrote it, in the kernel that ran it.", MESSAGES
    ),
    "proxy:messages:files": Behaviour(
        "Documents are files of the chat; pictures and files that code makes are links.", MESSAGES
    ),
    "proxy:messages:refused": Behaviour(
        "What the proxy cannot do of the Messages API is refused with one sentence.", MESSAGES
    ),
    "proxy:messages:native": Behaviour(
        "An endpoint that has the Messages API is asked in it, and goes on with its own message after each "
        "block; thoughts, calls of tools and all that the proxy does not know survive.",
        MESSAGES,
    ),
    "proxy:messages:native-once": Behaviour(
        "A failure within such a reply is told, and a retry runs no block of it again.", MESSAGES
    ),
    "proxy:messages:native-next": Behaviour(
        "Where the model does not go on with a message that it has begun, the result is the next message.",
        MESSAGES,
    ),
    "proxy:messages:native-absent": Behaviour(
        "An endpoint without the API is asked in chat completions, once that is known; the setting says "
        "which one is asked for, too.",
        MESSAGES,
    ),
    "proxy:messages:tools": Behaviour("The client's own tools are called and answered as blocks.", MESSAGES),
    "proxy:responses:whole": Behaviour(
        "In the Responses API, a block and its result are a call of the code interpreter between messages.",
        RESPONSES,
    ),
    "proxy:responses:events": Behaviour(
        "A streamed response has the API's own events, which official clients read.", RESPONSES
    ),
    "proxy:responses:files": Behaviour(
        "Files come with a response's input; pictures and files that code makes can be fetched.", RESPONSES
    ),
    "proxy:responses:previous": Behaviour(
        "A response that follows another has its messages and its kernel.", RESPONSES
    ),
    "proxy:responses:items": Behaviour(
        "A client may keep the items itself: sent back, they are the reply as the model wrote it.", RESPONSES
    ),
    "proxy:responses:kept": Behaviour(
        "A response is kept for its owner alone, until it is deleted, and not where it is not to be.",
        RESPONSES,
    ),
    "proxy:responses:refused": Behaviour(
        "What the proxy cannot do of the Responses API is refused with one sentence.", RESPONSES
    ),
    "proxy:responses:tools": Behaviour(
        "The client's own functions are called and answered as items.", RESPONSES
    ),
    "proxy:responses:native": Behaviour(
        "An endpoint that has the Responses API is asked in it, with each result as the next message; sealed "
        "thoughts, items of its own tools and all that the proxy does not know survive.",
        RESPONSES,
    ),
    "proxy:responses:native-state": Behaviour(
        "What a response follows is given to such an endpoint as the model made it; nothing is stored there.",
        RESPONSES,
    ),
    "proxy:responses:native-once": Behaviour(
        "A failure within such a reply is told, and a retry runs no block of it again.", RESPONSES
    ),
    "proxy:responses:native-absent": Behaviour(
        "An endpoint without the Responses API is asked in chat completions, once that is known.", RESPONSES
    ),
    "proxy:responses:passed": Behaviour(
        "No route passes the suffix of a model on to the endpoint.", RESPONSES
    ),
    "proxy:files:kernel": Behaviour(
        "Where nothing but the kernel leads to the folder, it is started for a file that comes.", FILES
    ),
}

CONTAINERS = "docs/hosts/proxy.md#containers-and-files-by-their-ids"

BEHAVIOURS |= {
    "proxy:containers:story": Behaviour(
        "A response names the container that its code ran in, and cites the files that were made; OpenAI's "
        "client lists and reads them.",
        CONTAINERS,
    ),
    "proxy:containers:made": Behaviour(
        "A container is made, filled, used, emptied and deleted with its kernel and its files.", CONTAINERS
    ),
    "proxy:containers:brought": Behaviour(
        "Files that the tool names for a new container come with the first message.", CONTAINERS
    ),
    "proxy:containers:messages": Behaviour(
        "Anthropic's client uploads files for the chat, and downloads those that a result names.", CONTAINERS
    ),
    "proxy:containers:owner": Behaviour(
        "Whoever sends an id of another key's finds nothing, and changes nothing.", CONTAINERS
    ),
    "proxy:containers:names": Behaviour(
        "Any name has an id that can stand in an address, and none leads out of its folder.", CONTAINERS
    ),
    "proxy:containers:refused": Behaviour(
        "What cannot be done with containers and files is told in one sentence.", CONTAINERS
    ),
    "proxy:containers:passed": Behaviour(
        "Containers of the endpoint, and files for batches and training, are passed on to it.", CONTAINERS
    ),
}
