"""The programs in the READMEs run and print what stands beside them."""
import contextlib
import io
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def block(name, language):
    text = ROOT.joinpath(name).read_text(encoding="utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.S).group(1)


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_program_prints_what_its_comments_say(name):
    code = block(name, "python")
    promised = code[code.index("print("):].split("#")[1:]
    found = io.StringIO()
    with contextlib.redirect_stdout(found):
        exec(compile(code, name, "exec"), {"__name__": "readme"})
    assert found.getvalue() == "".join(line.strip() + "\n" for line in promised)
    assert found.getvalue().startswith("Parameter containing:\ntensor([[")


@pytest.mark.parametrize("language", ["python", "cpp", "cmake", "sh"])
def test_both_languages_show_the_same_programs(language):
    without_comments = [re.sub(r"\s*(#(?!include)|//).*", "", block(name, language)) for name in ("README.md", "README.ko.md")]
    assert without_comments[0] == without_comments[1]
