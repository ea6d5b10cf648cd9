"""New lesson files to start from, one for each kind of lesson."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tutor.errors import TutorError, listed
from tutor.files import Kind, Target, claim, write_whole
from tutor.lessons.course_text import CourseText
from tutor.lessons.format import Lesson
from tutor.lessons.read import parse_lesson
from tutor.worksheet.problem import Problem

LESSON = Kind("a lesson")
_TITLE = "What this lesson shows"
_SOURCE = "where the example comes from"
_ABOUT = "What the reader should know first. An empty line begins a new paragraph."
_PART = "which part of the course this belongs to"
_CAN = "what the reader can do at the end"
_PROSE = "What the reader should know first, in two or three paragraphs of Markdown."
_HEAD = f"""format = 1
title = "{_TITLE}"
source = "{_SOURCE}"
about = \"\"\"
{_ABOUT}
\"\"\"
"""

KINDS = {
    "network": _HEAD
    + """
[network]
inputs = ["X1", "X2"]
loss = "half_squared_error"

[[network.layers]]
neurons = ["h1", "h2"]
activation = "sigmoid"
weights = [[0.1, 0.2], [0.3, 0.4]]    # one row for each neuron, one number for each input
biases = [0.5, 0.6]

[[network.layers]]
neurons = ["out"]
activation = "sigmoid"
weights = [[0.7, 0.8]]
biases = [0.9]

[[examples]]
inputs = [1, -0.5]
targets = [1]

[training]
learning_rate = 0.1

# What the source prints, if it prints anything:
# [[printed]]
# name = "h1_in"
# value = "0.5"
""",
    "perceptron": _HEAD
    + """
[givens]
theta = 0.2

[network]
inputs = ["x1", "x2"]

[[network.layers]]
neurons = [{ sum = "s", output = "y" }]
activation = "step"
weights = [[0.3, -0.1]]

[[examples]]
inputs = [0, 0]
targets = [0]

[[examples]]
inputs = [0, 1]
targets = [0]

[[examples]]
inputs = [1, 0]
targets = [0]

[[examples]]
inputs = [1, 1]
targets = [1]

[training]
rule = "perceptron"
learning_rate = 0.1
fires = "s >= theta"
""",
    "equations": _HEAD
    + """
[givens]
x = -2
y = 5
z = -4

[[equations]]
name = "q"
formula = "x + y"

[[equations]]
name = "f"
formula = "q*z"

[differentiate]
of = "f"
wrt = ["x", "y", "z"]
""",
    "minimize": _HEAD
    + """
[minimize]
objective = "x**2 + 10*y**2"
start = { x = 1, y = 1 }
optimizer = "momentum"
learning_rate = 0.05
steps = 3
""",
}


COURSE_LESSON = f"""```toml lesson
format = 2
title = "{_TITLE}"
source = "{_SOURCE}"
part = "{_PART}"
order = 1000
minutes = 10
can = ["{_CAN}"]
```

{_PROSE}

```toml worksheet first
[network]
inputs = ["x1", "x2"]
loss = "half_squared_error"

[[network.layers]]
neurons = ["out"]
activation = "sigmoid"
weights = [[0.5, -0.25]]
biases = [0.1]

[[examples]]
inputs = [1, 2]
targets = [1]

[training]
learning_rate = 0.5
```

## The error falls

The error was {{first.E:4}} and is {{first.E_after:4}} after one update.

```toml question
ask = "The derivative of E by W1 has a sign. If W1 grows a little, what does E do?"
predict = "first.dE/dW1"
because = "dE/dW1 is {{first.dE/dW1:4}}: below zero, so E falls while W1 grows."
```

```toml claim
says = "One step against the gradient lowers the error."
where = "the slide on gradient descent"
verdict = "holds"
test = "first.E_after < first.E"
why = "It holds here, with this learning rate; a step that is too long raises it."
```
"""


def write_lesson(path: Path, kind: str, force: bool) -> None:
    """A new lesson of this kind in `path`. Raises TutorError rather than overwrite anything, unless `force` says so."""
    ending = ".md" if kind == "lesson" else ".toml"
    if path.suffix != ending:
        raise TutorError(f"a lesson file of this kind ends in {ending}: {path.stem or 'my'}{ending}")
    claim([Target("the lesson", path, LESSON)], force=force)
    write_whole(path, COURSE_LESSON if kind == "lesson" else KINDS[kind])


def left_as_written(text: CourseText) -> Iterator[str]:
    """What still stands in a lesson of the course as `tutor new` wrote it."""
    if text.header.title == _TITLE:
        yield f"title is still {_TITLE!r}: say in a few words what the lesson is called"
    if text.header.source == _SOURCE:
        yield f"source is still {_SOURCE!r}: say it, or that the example is your own"
    if text.header.part == _PART:
        yield f"part is still {_PART!r}: name the part of the course"
    if _CAN in text.header.can:
        yield f"can still says {_CAN!r}: say what one can do at the end"
    if any(_PROSE in part.text for part in text.parts):
        yield f"the text still says {_PROSE!r}: say in some sentences what the reader is going to see"


def placeholders(lesson: Lesson) -> Iterator[str]:
    """What still stands in the lesson as `tutor new` wrote it; each remark says what to put in its place."""
    if lesson.title == _TITLE:
        yield f"title is still {_TITLE!r}: say in a few words what the lesson is called"
    if lesson.source == _SOURCE:
        yield f"source is still {_SOURCE!r}: say it, or that the example is your own"
    if _ABOUT in lesson.about:
        yield f"about still says {_ABOUT!r}: say in two sentences what the reader is going to see"
    keys = Problem.__struct_fields__
    for kind, text in KINDS.items():
        template = parse_lesson(text, kind)
        if all(getattr(lesson, key) == getattr(template, key) for key in keys):
            written = [key for key in keys if getattr(template, key) != getattr(Problem(), key)]
            yield f"the numbers in {listed(written)} are still those of `tutor new`: write those of your example"
