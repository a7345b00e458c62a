"""What the sandbox promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "sandbox:policy:reach": Behaviour(
        "A kernel may read what programs need, its own folders and what was granted; it may write its own "
        "folders and what was granted for writing.",
        "safety, T1: host files stay out of reach",
    ),
    "sandbox:policy:programs": Behaviour(
        "A kernel's program may read its installation and its interpreter's, wherever it is installed.",
        "run: kernels of conda, npm, deno's installer and virtual environments",
    ),
    "sandbox:settings:grants": Behaviour(
        "Folders and domains are granted by settings; one that cannot be meant is refused in a sentence.",
        "decision 12: bad input gets one clear sentence",
    ),
    "sandbox:granted:conversation": Behaviour(
        "What a person grants to one conversation holds for that one alone, until it is taken back.",
        "safety: grants instead of walls",
    ),
    "sandbox:granted:links": Behaviour(
        "A granted path that is a link by now grants nothing of what it leads to, and the form says so.",
        "safety: a grant is of exactly what was named",
    ),
    "sandbox:granted:file": Behaviour(
        "Grants are kept for later processes, in a file that only its owner can read.",
        "decision 3: reloads and restarts change nothing",
    ),
    "sandbox:granted:trouble": Behaviour(
        "A file of grants that is damaged grants nothing and is set aside; nothing is lost without a word.",
        "decision 12: bad input gets one clear sentence",
    ),
    "sandbox:egress:names": Behaviour(
        "A host has one spelling; what could be read as two hosts is none.", "RFC 9110, 4.2; the URL standard"
    ),
    "sandbox:egress:script": Behaviour(
        "A person reads a domain of another script in that script, too, beside the name that counts.",
        "UTS 39: letters of two scripts may look the same",
    ),
    "sandbox:typed:read": Behaviour(
        "A path that a person types is granted by itself, without its links, as a setting would grant it.",
        "safety: grants instead of walls",
    ),
    "sandbox:typed:hosts": Behaviour(
        "A domain that a person types is granted in its one spelling, as a setting would grant it.",
        "safety: grants instead of walls",
    ),
    "sandbox:typed:refused": Behaviour(
        "Of what cannot be granted one sentence says what is wrong, and what can be typed instead.",
        "safety: refusals are told truly",
    ),
    "sandbox:typed:written": Behaviour(
        "What is executed outside of the sandbox may be allowed to be read, and never to be written.",
        "safety, T1: host files stay out of reach",
    ),
    "sandbox:typed:already": Behaviour("What is allowed already is said to be.", "a newcomer's question"),
    "sandbox:typed:any": Behaviour(
        "Any text is a grant that the sandbox keeps, or refused in a sentence.", "conventions: properties"
    ),
    "sandbox:by-hand:running": Behaviour(
        "What a person allows by hand holds in the kernel that runs, and in that chat alone.",
        "safety: grants instead of walls",
    ),
    "sandbox:by-hand:shown": Behaviour(
        "What code of a chat may reach is listed, with whether a setting or the chat allows it.",
        "a newcomer's question",
    ),
    "sandbox:by-hand:elsewhere": Behaviour(
        "What was allowed to a chat's kernels on this machine is not listed while its code runs on a server, "
        "and stays allowed.",
        "a newcomer",
    ),
    "sandbox:by-hand:apart": Behaviour(
        "What a grant of a folder leaves out, because it may be a secret or is run outside, is said by name.",
        "a newcomer's question",
    ),
    "sandbox:by-hand:back": Behaviour(
        "Taken back is what a person saw and no longer wants, never what another page has allowed meanwhile.",
        "safety: consent is given by a person",
    ),
    "sandbox:by-hand:busy": Behaviour(
        "What is allowed while a block runs, and takes a new kernel, waits for the block's end and says so.",
        "decision 4: truthful ends",
    ),
    "sandbox:by-hand:full": Behaviour(
        "Beyond the most grants of a chat nothing is granted, and that is said.", "nobody reads more"
    ),
    "sandbox:by-hand:nothing": Behaviour(
        "On a server, without a sandbox and among strangers one sentence says why nothing can be allowed.",
        "safety: refusals are told truly",
    ),
    "sandbox:egress:grants": Behaviour(
        "A grant allows the host that it names, on ports 80 and 443 or the one named, and nothing else; none "
        "allows this machine.",
        "safety, T1: network",
    ),
    "sandbox:egress:addresses": Behaviour(
        "The name decides, then the address is checked: a private one is reached only by its very name, this "
        "machine and its cloud's credentials never.",
        "safety, T1: network",
    ),
    "sandbox:egress:refused": Behaviour(
        "A host that was not allowed is refused with its name, as the program reads in its exception; it is "
        "noted once for the conversation.",
        "safety, T1: refusals are told truly",
    ),
    "sandbox:egress:live": Behaviour(
        "A grant is in force for the next request, in the kernel that runs.", "safety, T1: grants"
    ),
    "sandbox:egress:unreachable": Behaviour(
        "An allowed host that cannot be reached is told as that, not as a refusal.", "RFC 9110, 15.6"
    ),
    "sandbox:egress:credentials": Behaviour(
        "On a port of this machine the proxy serves its kernel only, by a password.", "safety, T1: network"
    ),
    "sandbox:egress:namespace": Behaviour(
        "A kernel in a network namespace reaches the proxy and nothing else: no port of this machine.",
        "safety, T1: network",
    ),
    "sandbox:egress:clients": Behaviour(
        "urllib, requests, httpx, curl and WebSockets work through the proxy, with TLS from end to end.",
        "safety, T1: grants instead of walls",
    ),
    "sandbox:egress:packages": Behaviour(
        "The grant `packages` means PyPI and the indexes of pip and uv here; their passwords are not told.",
        "safety, T1: package indexes are one named grant",
    ),
    "sandbox:refusals:told": Behaviour(
        "What the sandbox refused to a block is told in a sentence that names the path or the host, whatever "
        "the library or the language said of it.",
        "decision 4: truthful ends",
    ),
    "sandbox:refusals:others": Behaviour(
        "A file that is not there, or that its person could not read either, is not told as a refusal.",
        "decision 4: truthful ends",
    ),
    "sandbox:refusals:caught": Behaviour(
        "Where code catches an error, the file is named that its text puts together, not the home around it.",
        "a newcomer's first programs",
    ),
    "sandbox:refusals:own-words": Behaviour(
        "What code prints or raises in words of its own, or of ours, is no refusal.",
        "a fault seen: a printed sentence had a button",
    ),
    "sandbox:refusals:link": Behaviour(
        "Where code goes by a link, both ends are named; of a link that is not in the sandbox it is said "
        "what to use in its place.",
        "a fault seen: a button that changed nothing",
    ),
    "sandbox:refusals:link-made": Behaviour(
        "What a link is made to lead to is neither read nor written by that, and not told as refused.",
        "docs/safety.md",
    ),
    "sandbox:refusals:form": Behaviour(
        "What no button offers and the form takes is told with the form, not with a setting.",
        "a fault seen: a restart was advised where a field would do",
    ),
    "sandbox:refusals:direct": Behaviour(
        "A program that does not use the proxy is told that only HTTP and HTTPS get out, without a button.",
        "a fault seen: a button that changed nothing",
    ),
    "sandbox:refusals:more": Behaviour(
        "Of more refusals than anybody reads, each kind is told, and the number of the others.",
        "a fault seen: the fifth and later ones were dropped without a word",
    ),
    "sandbox:refusals:offered": Behaviour(
        "What a button grants is the folder of the file, or the domain, and is named exactly.",
        "safety: grants instead of walls",
    ),
    "sandbox:refusals:sensitive": Behaviour(
        "Places that hold secrets, the system's, ours and whole homes are never offered by a button.",
        "safety, T1: host files stay out of reach",
    ),
    "sandbox:refusals:linear": Behaviour(
        "To look for refusals costs no more than the length of what a block shows.",
        "safety: cost linear in every input",
    ),
    "sandbox:egress:strict": Behaviour(
        "A request is read in one way or refused; what follows it reaches nobody.", "RFC 9112, 11.2"
    ),
    "sandbox:egress:bounded": Behaviour(
        "Heads, connections and memory are bounded; who reads slowly slows the one who sends.",
        "safety: cost linear in every input",
    ),
    "sandbox:egress:half-close": Behaviour(
        "A side of a tunnel that has ended still gets what the other sends.", "RFC 9110, 9.3.6"
    ),
    "sandbox:egress:servers": Behaviour(
        "What a server answers against the rules is told as that, and never looks complete.", "RFC 9112, 8"
    ),
    "sandbox:namespaces:files": Behaviour(
        "A kernel in namespaces sees the system, which it cannot change, and its own folder; what it writes "
        "into its home and into /tmp ends with it.",
        "safety, T1: host files stay out of reach",
    ),
    "sandbox:namespaces:processes": Behaviour(
        "A kernel in namespaces sees and signals no other process, and neither has nor gets any rights.",
        "safety, T1: other processes stay out of reach",
    ),
    "sandbox:namespaces:network": Behaviour(
        "A kernel in namespaces has a loopback interface of its own and no other way out.",
        "safety: no network unless it is granted",
    ),
    "sandbox:namespaces:families": Behaviour(
        "A kernel in namespaces gets no sockets of families that lead past its network, such as to the host "
        "of a virtual machine.",
        "vsock(7): AF_VSOCK knows no network namespaces",
    ),
    "sandbox:namespaces:owners": Behaviour(
        "Code makes no program that others run as the person, and reads and uses no keyring of theirs.",
        "credentials(7), keyrings(7): no namespace holds them",
    ),
    "sandbox:spare": Behaviour(
        "A sandboxed spare kernel reaches a conversation's folder once it is taken for that.",
        "speed: the first cell does not wait",
    ),
    "sandbox:settings:in-force": Behaviour(
        "Settings decide whether kernels are sandboxed; what is said of a place holds there, and nothing "
        "runs without a sandbox that was promised one.",
        "safety: safe by default",
    ),
    "sandbox:system:least": Behaviour(
        "A kernel reads its interpreter, what that imports and the system, and nothing else of a person's.",
        "safety, T1: host files stay out of reach",
    ),
    "sandbox:imports": Behaviour(
        "A kernel imports from a person's folders what its environment does, however it is installed, and "
        "reads neither secrets among that nor what lies beside it.",
        "a sandbox is only kept on if it is not in the way",
    ),
    "sandbox:packages:folder": Behaviour(
        "pip installs into the folder of the conversation, from where programs and what they start import.",
        "a sandbox is only kept on if it is not in the way",
    ),
    "sandbox:grant:live": Behaviour(
        "What is granted while a kernel runs holds from then on, with its variables, and nothing beyond it.",
        "safety: grants instead of walls",
    ),
    "sandbox:programs:work": Behaviour(
        "Programs that start others, share memory, use terminals, databases or time zones run as without it.",
        "a sandbox is only kept on if it is not in the way",
    ),
    "sandbox:programs:interrupted": Behaviour(
        "A sandboxed program is interrupted as any other, with those that it started.", "decision 5"
    ),
    "sandbox:limits:memory": Behaviour(
        "A sandboxed program that asks for more memory than it may gets an error; all together are ended.",
        "safety: no resource without a bound",
    ),
    "sandbox:limits:processes": Behaviour(
        "A sandboxed program that starts more others than it may is refused more, or ended with all of them.",
        "safety: no resource without a bound",
    ),
    "sandbox:limits:files": Behaviour(
        "A file that a sandboxed program writes grows to its limit.", "safety: no resource without a bound"
    ),
    "sandbox:limits:disk": Behaviour(
        "A sandboxed program whose files take more disk than they may is ended; what it left can be deleted.",
        "safety: no resource without a bound",
    ),
    "sandbox:limits:disk:looks": Behaviour(
        "A look at the disk costs the same however many files there are, and all are counted in the end.",
        "safety: cost linear in every input",
    ),
    "sandbox:ends:everything": Behaviour(
        "Whatever ends a sandboxed kernel ends all that it started, in whatever session that is.",
        "setsid(2): a group can be left",
    ),
    "sandbox:probes:refused": Behaviour(
        "What a sandbox is there to refuse succeeds without one, and in no backend.",
        "safety, T1: host files, processes and the network stay out of reach",
    ),
    "sandbox:probes:told": Behaviour(
        "Of each act that a sandbox refuses one sentence is told, or there is a reason why none is.",
        "decision 4: truthful ends",
    ),
    "sandbox:refusals:programs": Behaviour(
        "A port, a socket or a process of this machine that code may not reach is named, if it is there.",
        "decision 4: truthful ends",
    ),
    "sandbox:limits:told": Behaviour(
        "A program that gets an error from a limit is told which limit it met.", "decision 4: truthful ends"
    ),
    "sandbox:own-folder": Behaviour(
        "What a person's programs run stays read only also in the folder in which their own program runs.",
        "safety, T1: nothing that code leaves behind runs outside",
    ),
    "sandbox:closed-folders": Behaviour(
        "A granted folder that takes no new files, as something in it is kept apart, is told as that.",
        "decision 4: truthful ends",
    ),
    "sandbox:seatbelt:profile": Behaviour(
        "On macOS a profile names what a kernel may reach; a path in it is never anything but a path.",
        "Apple: sandbox-exec(1)",
    ),
    "sandbox:landlock:home": Behaviour(
        "Without namespaces a kernel has a home folder of its own, in which `~/data` means a granted folder.",
        "safety: grants instead of walls",
    ),
    "sandbox:landlock:calls": Behaviour(
        "A filter refuses what Landlock does not know of, with an error and never with an end.",
        "Linux: seccomp(2); Landlock: what is not restricted",
    ),
    "sandbox:landlock:files": Behaviour(
        "Modes, owners and times can be changed where files may be written, and nowhere else.",
        "Landlock: what is not restricted",
    ),
    "sandbox:landlock:sockets": Behaviour(
        "A program connects to Unix sockets in its own folders, and to no others.",
        "Landlock: what is not restricted",
    ),
    "sandbox:landlock:shared-memory": Behaviour(
        "Semaphores and shared memory are the program's own, and end with it.",
        "shm_overview(7): /dev/shm is everybody's",
    ),
    "sandbox:namespaces:hidden": Behaviour(
        "A grant of a folder around our own data does not show them; one around another leaves that.",
        "docs/safety.md: CodeRunner's data are never shown",
    ),
    "sandbox:guarded": Behaviour(
        "What is executed outside of the sandbox stays read only, whatever is granted, and is never offered.",
        "safety, T1: nothing that code leaves behind runs outside",
    ),
    "sandbox:secret-names": Behaviour(
        "Files and folders that usually hold secrets are known by their names, and usual data are not.",
        "docs/safety.md: A folder does not mean the secrets in it",
    ),
    "sandbox:apart": Behaviour(
        "A grant of a folder means neither the secrets in it nor what its person's programs run from there.",
        "docs/safety.md: secrets are never offered",
    ),
    "sandbox:landlock:hidden": Behaviour(
        "A grant of a folder does not show our own data in it.", "safety, T1: host files stay out of reach"
    ),
    "sandbox:landlock:no-leftovers": Behaviour(
        "What a program started and left behind ends with its kernel.", "setsid(2): a group can be left"
    ),
    "sandbox:allowed:again": Behaviour(
        "What a kernel was refused it may reach once that is granted to its conversation, and no other may.",
        "safety: grants instead of walls",
    ),
    "sandbox:allowed:ours": Behaviour(
        "What a path really leads to decides about what is offered.",
        "safety, T1: host files stay out of reach",
    ),
    "sandbox:allowed:plain": Behaviour(
        "A block that is refused nothing is told nothing.", "decision 4: truthful ends"
    ),
    "sandbox:egress:kernel": Behaviour(
        "A sandboxed kernel reaches what its conversation was granted, at once and with its variables; it "
        "reaches nothing else.",
        "safety, T1: network",
    ),
    "sandbox:secrets:put-in": Behaviour(
        "A secret is put into the headers of requests to its domain, over TLS that is verified; the code has "
        "a placeholder.",
        "safety: secrets for code",
    ),
    "sandbox:secrets:own-domain": Behaviour(
        "No other host gets a secret, and no address and no body of a request.", "safety: secrets for code"
    ),
    "sandbox:secrets:echo": Behaviour(
        "What a server repeats of a secret is a placeholder again, wherever the response is cut.",
        "safety: secrets for code",
    ),
    "sandbox:secrets:way": Behaviour(
        "Code asks for http://, which the proxy encrypts; one that asks for https:// is told so.",
        "safety: no TLS is opened",
    ),
    "sandbox:secrets:settings": Behaviour(
        "Secrets for code are named with a domain and a file or variable; no message shows a value.",
        "safety: secrets in no message",
    ),
    "sandbox:allowed:taken-back": Behaviour(
        "What is taken back is refused again; a kernel that saw a folder is replaced, which is told.",
        "safety: grants instead of walls",
    ),
    "sandbox:allowed:afterwards": Behaviour(
        "What a thread or task is refused after its block's end is told with its later output.",
        "safety: refusals are told truly",
    ),
    "sandbox:allowed:waits": Behaviour(
        "A grant ends no block that runs, also where it takes a new kernel.", "decision 4: truthful ends"
    ),
    "sandbox:words": Behaviour(
        "Each grant is listed by itself, in words.", "safety: grants instead of walls"
    ),
    "sandbox:egress:parent": Behaviour(
        "Where this machine is behind a proxy, requests go on through it; what may be reached stays.",
        "curl(1): http_proxy, https_proxy, no_proxy",
    ),
    "sandbox:secrets:kernel": Behaviour(
        "A kernel uses a secret that is nowhere in it, on every back end.", "safety: secrets for code"
    ),
}
