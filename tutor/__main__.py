"""The entry point: `tutor` and `python -m tutor`."""

import gc
import sys


def main() -> int:
    """Run the command line; the exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # building the command line takes ten times as long as the answer
        from tutor import __version__

        print(f"tutor {__version__}")
        return 0
    # Importing SymPy makes hundreds of thousands of objects that stay; looking for garbage among them takes a tenth
    # of the time of a short command.
    gc.set_threshold(100_000, 50, 50)
    try:
        from tutor.cli import run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
