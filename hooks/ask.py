"""`python hooks/ask.py FOLDER`, or `make project`: the questions, each asked again until its answer is taken.

cookiecutter asks all of them before a hook sees one, and prints an error of its own behind a refusal. The questions are
cookiecutter.json's, what is refused is the hook's, and cookiecutter generates the project.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config, render_variable
from cookiecutter.utils import create_env_with_context

TEMPLATE = Path(__file__).resolve().parent.parent
QUESTIONS = TEMPLATE / "cookiecutter.json"
HOOK = Path(__file__).with_name("pre_gen_project.py")


def main(output: Path) -> int:
    """Ask, and generate the project in the folder ``output``; the exit status."""
    questions = json.loads(QUESTIONS.read_text("utf-8"))
    visible = [question for question in questions if not question.startswith("_")]
    answers: dict[str, str] = {}
    try:
        for number, question in enumerate(visible, 1):
            prompt = "[%d/%d] %s" % (number, len(visible), questions["__prompts__"][question])
            answers[question] = ask(question, prompt, questions[question], answers, output)
        cookiecutter(str(TEMPLATE), no_input=True, extra_context=answers, output_dir=str(output))
    except (KeyboardInterrupt, EOFError):
        print("\nNothing was written.", file=sys.stderr)
        return 130
    except CookiecutterException as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def ask(question: str, prompt: str, default: str, answers: dict[str, str], output: Path) -> str:
    """The answer to one question, as cookiecutter takes it; ``answers`` are those to the questions before."""
    offered = render_variable(create_env_with_context(context_of(answers)), default, complete(answers))
    while True:
        typed = input("%s (%s): " % (prompt, offered)).strip() or offered
        answer = literal(typed)
        known = complete({**answers, question: answer})
        hook = hook_with(known)
        reason = hook.CHECKS[question](known[question])
        if question == "project" and reason is None and (output / known[question]).exists():
            reason = "%s is there already" % (output / known[question])
        if reason is None:
            return answer
        print('    "%s" is refused: %s.' % (hook.shown(known[question]), reason))


def literal(text: str) -> str:
    """A text as Jinja writes it, since cookiecutter renders the answers that it is given."""
    return "{{ %s }}" % json.dumps(text, ensure_ascii=False)


def context_of(answers: dict[str, str]) -> dict[str, Any]:
    """cookiecutter.json with these answers in the place of its defaults."""
    return generate_context(str(QUESTIONS), extra_context=answers)


def complete(answers: dict[str, str]) -> dict[str, Any]:
    """All answers, and what follows from them, where the rest is left to the defaults."""
    return prompt_for_config(context_of(answers), no_input=True)


def hook_with(answers: dict[str, Any]) -> SimpleNamespace:
    """The hook's names, as it has them once cookiecutter has rendered it with ``answers``."""
    source = HOOK.read_text("utf-8").replace("{{ cookiecutter | tojson }}", json.dumps(answers))
    names: dict[str, Any] = {}
    exec(compile(source, str(HOOK), "exec"), names)  # noqa: S102 - a file of this repository
    return SimpleNamespace(**names)


if __name__ == "__main__":
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)  # what is not UTF-8 is refused in a sentence
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
