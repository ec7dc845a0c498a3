"""Runs the snippets of Markdown pages and puts what they print below them.

    python snippets.py TREE SOURCE.md… FOLDER       (TREE/hwaro/_C*.so is the built package)

The fences of a page are one program: ```python blocks share their variables, and so do ```cpp blocks. A cpp block right
after a python block is the same in C++: both are run, must print the same, and are shown side by side.

    ```python            its output follows
    ```python raises     raises; class and first line follow
    ```python quiet      run, no output expected
    ```python draw NAME  the value of the last line is a Picture, saved as NAME.svg and shown
    ```cpp               as above; with `raises`, what() of the hwaro::Error follows, after its class
    ```cpp alone         has no Python beside it, or prints something else
"""

import ast
import contextlib
import io
import pathlib
import re
import subprocess
import sys
import tempfile
from itertools import zip_longest

FENCE = re.compile(r"^```(python|cpp)([^\n]*)\n(.*?)^```\n", re.M | re.S)
BETWEEN = "\x1e"  # printed by the C++ program after each of its blocks
PRELUDE = """#include <hwaro/hwaro.h>

#include <iostream>

[[maybe_unused]] static std::string first_line(const hwaro::Error& e) {
  const std::string text = e.what();
  const char* name = dynamic_cast<const hwaro::AssertionError*>(&e)        ? "AssertionError"
                     : dynamic_cast<const hwaro::IndexError*>(&e)          ? "IndexError"
                     : dynamic_cast<const hwaro::TypeError*>(&e)           ? "TypeError"
                     : dynamic_cast<const hwaro::ValueError*>(&e)          ? "ValueError"
                     : dynamic_cast<const hwaro::NotImplementedError*>(&e) ? "NotImplementedError"
                                                                           : "RuntimeError";
  return name + (": " + text.substr(0, text.find('\\n')));
}

"""
ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_python(torch, code, mode, scope, folder):
    """What a block prints; an expression on its last line is shown as at the prompt."""
    out = io.StringIO()
    tree = ast.parse(code)
    last = tree.body.pop().value if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    words = mode.split()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(tree, "<page>", "exec"), scope)
            value = None if last is None else eval(compile(ast.Expression(last), "<page>", "eval"), scope)
        except Exception as error:  # noqa: BLE001  (told below, unless the page says that it raises)
            if "raises" not in words:
                raise
            return out.getvalue() + f"{type(error).__name__}: {str(error).splitlines()[0]}\n", None
    if "raises" in words:
        raise SystemExit(f"docs: this should raise and does not:\n{code}")
    if "draw" in words:
        name = f"{words[words.index('draw') + 1]}.svg"
        value.save(folder / name)
        return out.getvalue(), name
    return out.getvalue() + ("" if value is None else f"{value!r}\n"), None


def cpp_program(blocks):
    body = []
    for code, mode in blocks:
        if "raises" in mode.split():
            code = (
                "try {\n" + code + '} catch (const hwaro::Error& e) {\n  std::cout << first_line(e) << "\\n";\n}\n'
            )
        body.append(code + f'std::cout << "{BETWEEN}";\n')
    return f"{PRELUDE}int main() {{\nusing namespace hwaro;\n{''.join(body)}}}\n"


def run_cpp(tree, blocks):
    """What each block prints."""
    if not blocks:
        return []
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "page.cpp"), pathlib.Path(folder, "page")
        source.write_text(cpp_program(blocks), encoding="utf-8")
        library = tree / "hwaro"
        flags = ["-std=c++20", "-Wall", "-Wno-unused-variable", f"-I{ROOT}", f"-I{tree.parent / 'generated'}"]
        link = [f"-L{library}", "-lhwaro", f"-Wl,-rpath,{library}"]
        subprocess.run(["g++", *flags, str(source), "-o", str(program), *link], check=True)
        done = subprocess.run([str(program)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"docs: the C++ of a page fails:\n{done.stdout}\n{done.stderr}")
        return done.stdout.split(BETWEEN)[:-1]


def indented(text):
    return "".join("    " + line if line.strip() else line for line in text.splitlines(True))


def fenced(language, code):
    return f"```{language}\n{code}```\n"


def page(torch, tree, text, folder):
    """The page with outputs."""
    found = list(FENCE.finditer(text))
    cpp_outputs = iter(run_cpp(tree, [(m[3], m[2]) for m in found if m[1] == "cpp"]))
    torch.manual_seed(0)
    scope = {"torch": torch, "hwaro": torch}
    parts, at, i = [], 0, 0
    while i < len(found):
        match = found[i]
        parts.append(text[at : match.start()])
        at = match.end()
        i += 1
        if match[1] == "cpp":
            output = next(cpp_outputs)
            parts.append("\n" + fenced("cpp", match[3]))
        else:
            output, picture = run_python(torch, match[3], match[2], scope, folder)
            beside = found[i] if i < len(found) and found[i][1] == "cpp" and "alone" not in found[i][2] else None
            if beside is not None and not text[at : beside.start()].strip():
                at = beside.end()
                i += 1
                other = next(cpp_outputs)
                if other != output:
                    raise SystemExit(f"docs: C++ prints\n{other}\nand Python\n{output}\nin\n{match[3]}\n{beside[3]}")
                parts.append('=== "Python"\n\n' + indented(fenced("python", match[3])) + "\n")
                parts.append('=== "C++"\n\n' + indented(fenced("cpp", beside[3])) + "\n")
            else:
                parts.append(fenced("python", match[3]))
            if picture:
                parts.append(f"\n![{picture.removesuffix('.svg')}]({picture})\n")
        if output.strip():
            parts.append("\n" + fenced("text", output if output.endswith("\n") else output + "\n"))
    return "".join(parts) + text[at:]


def check_translations(sources):
    """The pages of a folder are one page in several languages: all but comments is the same code in each."""
    codes = {}
    for source in sources:
        found = FENCE.findall(source.read_text("utf-8"))
        code = [(language, mode, re.sub(r"\s*(#|//).*", "", text)) for language, mode, text in found]
        first, other = codes.setdefault(source.parent, (source, code))
        for mine, theirs in zip_longest(code, other):
            if mine != theirs:
                raise SystemExit(f"docs: {source.name} and {first.name} differ:\n{mine}\n{theirs}")


def main():
    tree, *sources, target = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    check_translations(sources)
    sys.path.insert(0, str(tree))
    import hwaro as torch

    target.mkdir(parents=True, exist_ok=True)
    for source in sources:
        (target / source.name).write_text(page(torch, tree, source.read_text("utf-8"), target), encoding="utf-8")
    print(f"docs: {len(sources)} pages with snippets")


if __name__ == "__main__":
    main()
