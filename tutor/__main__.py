"""The entry point: `tutor` and `python -m tutor`."""

import sys


def main() -> int:
    """Run the command line; the exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # answered before the command line is built: that takes ten times as long
        from tutor import __version__

        print(f"tutor {__version__}")
        return 0
    from tutor.cli import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
