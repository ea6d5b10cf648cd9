"""The application object and the options that every command has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from itertools import chain
from typing import Annotated, Any, Literal, get_args

import typer

from tutor import __version__
from tutor.cli import abandon_output

app = typer.Typer(
    name="tutor",
    help="A tutor for neural networks: every value, every derivative and every update of a training step.\n\n"
    "Start with `tutor run perceptron`. Every option can be set for good by an environment variable: "
    "TUTOR_NARRATE=1, TUTOR_DIGITS=5.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Width = Annotated[int | None, typer.Option(min=20, max=1000, help="Columns to use; the terminal's own by default.")]
Color = Annotated[Literal["auto", "always", "never"], typer.Option(help="Use colour.")]
Narrate = Annotated[bool, typer.Option("--narrate", help="Sentences instead of tables and pictures.")]
Force = Annotated[bool, typer.Option("--force", help="Also replace files that are no earlier results of this command.")]
SCREEN_OPTIONS: dict[str, tuple[Any, Any]] = {
    "width": (Width, None),
    "color": (Color, "auto"),
    "narrate": (Narrate, False),
}
SETTINGS = ("given", "penalties")
"""The parameters of a command that stand for options of a training."""


@app.callback(invoke_without_command=True)
def tutor(version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"tutor {__version__}")
        raise typer.Exit


def command(group: typer.Typer = app, name: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a command. Its parameter `printer` becomes the options --width, --color and --narrate,
    `given` an option for each setting of a training, `penalties` one for each penalty; every option gets its
    environment variable TUTOR_…"""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name not in ("printer", *SETTINGS)]
        settings = _settings([key for key in SETTINGS if key in signature.parameters])
        shared = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for key, (kind, default) in SCREEN_OPTIONS.items()
        ]

        @functools.wraps(function)
        def wrapped(**values: Any) -> Any:
            from tutor.printers import printer_for

            screen = {key: values.pop(key) for key in SCREEN_OPTIONS}
            if settings:
                from tutor.cli.training_options import given
            for key, options in settings.items():
                values[key] = given({p.name: values.pop(p.name) for p in options})
            try:
                function(**values, printer=printer_for(**screen))
            except BrokenPipeError:  # left to Typer, it would end in exit code 1
                abandon_output()

        parameters = [_with_environment(p) for p in [*own, *chain(*settings.values()), *shared]]
        wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
        group.command(name, help=_paragraphs(function.__doc__ or ""))(wrapped)
        return function

    return register


def _settings(wanted: list[str]) -> dict[str, list[inspect.Parameter]]:
    """The options for each of these parameters; of a training is loaded only what a command asks for."""
    if not wanted:
        return {}
    from tutor.cli.training_options import penalty_parameters, setting_parameters

    made = {"given": setting_parameters, "penalties": penalty_parameters}
    return {key: made[key]() for key in wanted}


def _paragraphs(docstring: str) -> str:
    """The text for --help, each paragraph in one line, which is broken where the screen ends."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(docstring).split("\n\n"))


def _with_environment(parameter: inspect.Parameter) -> inspect.Parameter:
    for extra in get_args(parameter.annotation)[1:]:
        if isinstance(extra, typer.models.OptionInfo) and extra.envvar is None:
            declared = next((d for d in extra.param_decls or () if d.startswith("--")), parameter.name)
            extra.envvar = "TUTOR_" + declared.strip("-").upper().replace("-", "_")
            extra.show_envvar = False
    return parameter
