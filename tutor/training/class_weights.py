from typing import Any


def balanced(y: Any, count: int) -> Any:
    return None
