"""What the house itself promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "house:floors:imports": Behaviour(
        "A module imports only what its floor allows, and pure modules import no effect.", "README, the house"
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
}
