"""The lowest version of each library that pyproject.toml allows, as constraints for pip."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(sys.argv[1]).read_text())["project"]
for wanted in (*project["dependencies"], *project["optional-dependencies"]["test"]):
    name, lowest = re.match(r"([\w.-]+)>=([\d.]+)", wanted).groups()
    print(f"{name}=={lowest}" if "." in lowest else f"{name}=={lowest}.0.*")
