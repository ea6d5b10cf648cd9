"""A whole upload for Gradescope: what sets up its machine, what marks a sheet there, and the lesson.

By its rules (gradescope-autograders.readthedocs.io, Autograder Specifications) the archive has `setup.sh` and
`run_autograder` at its root, is unpacked in /autograder/source, finds what was handed in in /autograder/submission, and
writes /autograder/results/results.json. A script that does not end with 0 is an autograder that failed, so that lost
points end with 0.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from tutor.files import Kind
from tutor.homework.marker import ENDINGS

PACKAGE = "backprop-tutor"
OLDEST_PYTHON = (3, 11)
_BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE, _ORDINARY = 0o100755, 0o100644
ARCHIVE = Kind("an autograder", rb"(?s)PK\x03\x04.{26}run_autograder#!/usr/bin/env bash\n")

_RUN = """\
#!/usr/bin/env bash
# Marks the sheet that was handed in. AUTOGRADER and TUTOR say where things are on another machine than Gradescope's.
root="${AUTOGRADER:-/autograder}"
tutor="${TUTOR:-$root/tutor/bin/tutor}"
results="$root/results/results.json"
mkdir -p "$root/results"
rm -f "$results"

sheets=()
while IFS= read -r -d '' file; do
    sheets+=("$file")
done < <(find "$root/submission" -type f ENDINGS_HERE -not -name '.*' -not -path '*/__MACOSX/*' -print0)

if [ "${#sheets[@]}" -ne 1 ]; then
    printf '{"score": 0, "output": "Hand in one answer sheet (KINDS_HERE); there were %d.", "tests": []}\\n' \\
        "${#sheets[@]}" > "$results"
    exit 0
fi

"$tutor" check "$root/source/lesson.toml" "${sheets[0]}" --gradescope "$results"SCALE_HERE
code=$?
# 1: points were lost. 2: what was handed in is no sheet, as the result says. Whatever else it is, is no result.
if [ "$code" -le 2 ] && [ -s "$results" ]; then
    exit 0
fi
exit "$((code ? code : 70))"
"""
_SETUP = """\
#!/usr/bin/env bash
# Installs the program in a folder of its own, with the first Python that is new enough.
set -euo pipefail
root="${AUTOGRADER:-/autograder}"

is_new_enough() {
    command -v "$1" > /dev/null && "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < VERSION_HERE)'
}

find_python() {
    for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if is_new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

if ! python="$(find_python)"; then
    apt-get update
    apt-get install -y python3.12 python3.12-venv || apt-get install -y python3.11 python3.11-venv
    python="$(find_python)"
fi
"$python" -m venv "$root/tutor"
"$root/tutor/bin/python" -m pip install --no-cache-dir -r "$root/source/requirements.txt"
"""


def autograder(lesson: str, version: str, wheel: tuple[str, bytes] | None = None, scale: float = 0.0) -> bytes:
    """The archive, the same bytes for the same lesson. The program is the one of this version from a package index, or
    the `wheel` of that name."""
    pin = f"./{wheel[0]}" if wheel else f"{PACKAGE}=={version}"
    setup = _SETUP if not wheel else _SETUP.replace('"$python" -m venv', 'cd "$root/source"\n"$python" -m venv')
    endings = " -o ".join(f"-iname '*{ending}'" for ending in ENDINGS)
    run = _RUN.replace("ENDINGS_HERE", f"\\( {endings} \\)").replace("KINDS_HERE", ", ".join(ENDINGS))
    files: dict[str, bytes] = {
        "run_autograder": run.replace("SCALE_HERE", f" --scale {scale:g}" if scale else "").encode(),
        "setup.sh": setup.replace("VERSION_HERE", str(OLDEST_PYTHON)).encode(),
        "lesson.toml": lesson.encode(),
        "requirements.txt": f"{pin}\n".encode(),
    }
    return _zipped(files | ({wheel[0]: wheel[1]} if wheel else {}))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Without compression, whose bytes differ from one library to the next, and all of one age."""
    archive = io.BytesIO()
    with ZipFile(archive, "w", ZIP_STORED) as zipped:
        for name, text in files.items():
            entry = ZipInfo(name, _BEGINNING_OF_TIME)
            entry.create_system = 3  # Unix, whatever this runs on: the scripts are to be executable there
            entry.external_attr = (_EXECUTABLE if text.startswith(b"#!") else _ORDINARY) << 16
            zipped.writestr(entry, text)
    return archive.getvalue()
