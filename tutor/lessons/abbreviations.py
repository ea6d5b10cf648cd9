"""What may be written shorter in a lesson file, written out: examples by name, equal layers, equations as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tutor.errors import nearest
from tutor.maths.gates import GATES, ROWS

MOST_LAYERS = 100


def expanded(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The same keys with every abbreviation written out. Raises ValueError with the place of what cannot be meant."""
    found = dict(raw)
    if isinstance(gate := found.get("examples"), str):
        found["examples"] = _rows(gate)
    if isinstance(equations := found.get("equations"), Mapping):
        found["equations"] = [{"name": name, "formula": formula} for name, formula in equations.items()]
    network = found.get("network")
    if isinstance(network, Mapping) and isinstance(layers := network.get("layers"), list):
        found["network"] = {**network, "layers": [one for layer in layers for one in _repeated(layer)]}
    return found


def _rows(gate: str) -> list[dict[str, Any]]:
    if gate not in GATES:
        raise ValueError(f"examples: there is no gate {gate[:40]!r}{nearest(gate, GATES)}")
    return [{"inputs": list(x), "targets": [y]} for x, y in zip(ROWS, GATES[gate], strict=True)]


def _repeated(layer: Any) -> Iterator[Any]:
    """The layer as often as it says; neurons with names get the number of their layer."""
    if not isinstance(layer, Mapping) or "repeat" not in layer:
        yield layer
        return
    times = layer["repeat"]
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_LAYERS:
        raise ValueError(f"network.layers.repeat: a whole number from 1 to {MOST_LAYERS}")
    one = {key: value for key, value in layer.items() if key != "repeat"}
    for number in range(1, times + 1):
        neurons = one.get("neurons")
        if times > 1 and isinstance(neurons, list) and all(isinstance(name, str) for name in neurons):
            yield {**one, "neurons": [f"{name}{number}" for name in neurons]}
        else:
            yield one
