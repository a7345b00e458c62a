"""What the house itself promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "house:floors:imports": Behaviour(
        "A module imports only what its floor allows, and pure modules import no effect.", "README, the house"
    ),
    "house:floors:every-module": Behaviour(
        "Every module stands in the plan, and the plan names nothing that is not there.", "README, the house"
    ),
    "house:floors:no-circles": Behaviour("The imports of the package have no circle.", "README, the house"),
    "house:floors:third-party": Behaviour(
        "A room uses only the libraries that the plan gives it.", "README, the house"
    ),
    "house:manifest:both-ways": Behaviour(
        "Each behaviour in the manifest has a test, and each test names a behaviour of the manifest.",
        "CONTRIBUTING",
    ),
    "house:safety:no-same-origin": Behaviour(
        "No frame of ours is ever given the rights of the page around it.", "safety: peer advisories"
    ),
    "runner:reply:goes-on-with-the-result": Behaviour(
        "A block runs the moment it closes, its result is appended to the reply and the model goes on.",
        "README",
    ),
    "runner:reply:stream-closed-before-the-cell": Behaviour(
        "The model's stream is closed before its code runs: nothing is said after code that has not run.",
        "design, what flows",
    ),
    "runner:reply:state-kept": Behaviour(
        "Variables are kept from block to block and from turn to turn.", "README"
    ),
    "runner:reply:outputs-live": Behaviour("Outputs are shown while the cell still runs.", "README"),
    "runner:stop:execution": Behaviour(
        "Stop while code runs interrupts it, keeps what it showed and ends the reply.", "README"
    ),
    "runner:stop:generation": Behaviour("Stop while the model writes ends the reply where it is.", "README"),
    "runner:stop:silent-model": Behaviour("Stop is heard while the model is silent.", "README"),
    "runner:consent:declined": Behaviour(
        "Code that a person declines does not run, and the model is told.", "design, decision 7"
    ),
    "runner:consent:waits": Behaviour("A cell waits for a person's consent.", "design, decision 7"),
    "runner:leave:interrupts": Behaviour(
        "A host that stops listening interrupts the kernel.", "behaviours M5, M6"
    ),
    "runner:pictures:placed": Behaviour(
        "A host that can place pictures in a reply is given each of a result's.", "design, contract of a host"
    ),
}
