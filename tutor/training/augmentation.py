from dataclasses import dataclass
from typing import Any


@dataclass
class Augmentation:
    shift: int = 0
    flip: bool = False
    noise: float = 0.0

    def apply(self, x: Any, shape: Any, seed: int, epoch: int) -> Any:
        return x


def parse_augmentation(text: str) -> Augmentation:
    return Augmentation()
