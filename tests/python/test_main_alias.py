"""python -m hwaro: `import torch` in a program, and in what it imports, is Hwaro."""
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run(tmp_path):
    """Runs `python -m hwaro <arguments>` in a directory with the given files; (status, stdout, stderr)."""
    def call(*arguments, files=None, python=(), stdin=None):
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        done = subprocess.run([sys.executable, *(python or ("-m", "hwaro")), *arguments], cwd=tmp_path, text=True,
                              capture_output=True, timeout=120, input=stdin)
        return done.returncode, done.stdout, done.stderr
    return call


def test_torch_and_its_submodules_are_the_very_modules(run):
    status, out, err = run("program.py", "one", "--two", files={
        "helper.py": "import torch.nn.functional as F\nimport torch\n",
        "program.py": """
            import sys
            import torch, torch.nn as nn, torch.nn.functional as F, torch.optim.lr_scheduler, torch.utils.data
            from torch.utils.data import DataLoader
            from torch import nn as again, optim
            from torch.nn.modules.conv import Conv2d
            import helper
            import hwaro, hwaro.nn, hwaro.utils.data
            assert torch is hwaro and nn is hwaro.nn and again is nn and F is hwaro.nn.functional
            assert helper.torch is hwaro and helper.F is F and Conv2d is nn.Conv2d
            assert torch.optim.lr_scheduler is optim.lr_scheduler and DataLoader is hwaro.utils.data.DataLoader
            assert hwaro.nn.__spec__.name == "hwaro.nn" and hwaro.__spec__.name == "hwaro"
            print(sys.argv, __name__, float((torch.ones(2) + 1).sum()))
            """})
    assert (status, err) == (0, "")
    assert out == "['program.py', 'one', '--two'] __main__ 4.0\n"


def test_main_is_the_program(run):
    status, out, err = run("program.py", files={"program.py": """
        import __main__, os, pickle, sys
        class Thing:
            pass
        assert __main__.Thing is Thing and pickle.loads(pickle.dumps(Thing())).__class__ is Thing
        print(os.path.basename(__file__), os.path.isabs(__file__), sys.path[0] == os.path.dirname(__file__), __spec__)
        """})
    assert (status, err, out) == (0, "", "program.py True True None\n")


def test_tracebacks_look_like_the_program_s_own(run, tmp_path):
    files = {"program.py": "def f():\n    raise ValueError('boom')\n\nf()\n"}
    status, out, err = run("program.py", files=files)
    plain = run("program.py", python=("-u",))
    assert (status, out, err) == plain
    assert status == 1 and err.startswith("Traceback (most recent call last):\n  File ")
    for text in ("hwaro", "runpy"):
        assert text not in err.replace(str(tmp_path), "")


def test_a_syntax_error_looks_as_ever(run):
    run(files={"bad.py": "x = (\n"})
    assert run("bad.py") == run("bad.py", python=("-u",))


def test_exit_status_is_the_program_s(run):
    assert run("-c", "import sys; sys.exit(3)")[0] == 3
    assert run("-c", "raise SystemExit('gone')") == (1, "", "gone\n")
    assert run("-c", "raise KeyboardInterrupt")[0] == 130


def test_code_modules_packages_directories_and_stdin(run):
    package = {"package/__init__.py": "import torch\n",
               "package/__main__.py": "import sys, package, hwaro\nprint(package.torch is hwaro, sys.argv[1:])\n"}
    assert run("-m", "package", "x", files=package) == (0, "True ['x']\n", "")
    files = {"folder/__main__.py": "import sys, torch\nprint(torch.__name__, sys.argv[1:])\n"}
    assert run("folder", "y", files=files) == (0, "hwaro ['y']\n", "")
    assert run("-c", "import torch, sys; print(torch.__name__, sys.argv)", "z") == (0, "hwaro ['-c', 'z']\n", "")
    assert run("-", stdin="import torch; print(torch.__name__)") == (0, "hwaro\n", "")
    status, _, err = run("-m", "no_such_module")
    assert status == 1 and err.endswith(": No module named no_such_module\n")


def test_a_missing_program_is_one_line(run):
    status, out, err = run("nothing.py")
    assert status == 2 and out == "" and len(err.splitlines()) == 1
    assert "can't open file" in err and "nothing.py': [Errno 2] No such file or directory" in err


def test_no_arguments_print_the_usage(run):
    status, out, err = run()
    assert status == 2 and out == "" and err.startswith("usage: python -m hwaro SCRIPT")
    assert run("--help")[0] == 0 and run("--help")[1].startswith("usage: ")
    assert run("--version")[1].startswith("Hwaro ")


def test_a_module_that_hwaro_lacks_can_be_imported_and_its_first_use_raises_one_line(run):
    status, out, err = run("program.py", files={"program.py": """
        import torch.no_such_part.deeper as d
        from torch.no_such_part import Conv2dd, some_function
        try:
            some_function(1)
        except NotImplementedError as error:
            print(error)
        try:
            d.anything.at.all()
        except NotImplementedError as error:
            print(error)
        try:
            class Mine(Conv2dd):
                pass
        except NotImplementedError as error:
            print(error)
        print(hasattr(d, "__wrapped__"), isinstance(3, Conv2dd))
        Conv2dd()
        """})
    lines = out.splitlines()
    assert lines[0].startswith("Hwaro does not have torch.no_such_part.some_function")
    assert lines[1].startswith("Hwaro does not have torch.no_such_part.deeper.anything.at.all")
    assert lines[2] == ("Hwaro does not have torch.no_such_part.Conv2dd; "
                        "the nearest thing that it has is torch.nn.Conv2d")
    assert lines[3:] == ["False False"]
    assert status == 1 and err.splitlines()[-1] == "NotImplementedError: " + lines[2]


def test_errors_inside_of_an_existing_module_are_not_hidden():
    from hwaro import _alias
    import importlib
    import types
    broken = types.ModuleType("hwaro.broken_for_test")
    calls = []

    def fail(name):
        calls.append(name)
        raise ModuleNotFoundError("No module named 'other'", name="other")

    original, importlib.import_module = importlib.import_module, fail
    try:
        with pytest.raises(ModuleNotFoundError, match="other"):
            _alias._own_module(broken.__name__)
    finally:
        importlib.import_module = original
    assert calls == [broken.__name__]


def test_install_refuses_when_pytorch_is_there_already(monkeypatch):
    import types
    from hwaro import _alias
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    with pytest.raises(ImportError, match="PyTorch is already imported"):
        _alias.install()


def test_missing_modules_are_there_as_attributes_and_their_first_use_raises_one_line(run):
    status, out, err = run("program.py", files={"program.py": """
        import torch
        import torch.onnx, torch.utils.tensorboard, torch.distributed.rpc as rpc, torch.jit.frontend
        from torch.utils.tensorboard import SummaryWriter
        from torch.distributed import ReduceOp, init_process_group
        import torch.distributed as dist
        print(hasattr(torch, "onnx"), hasattr(torch, "hub"), hasattr(torch, "no_such_module"), hasattr(dist, "nothing"))
        for use in (lambda: torch.onnx.export(None, None, "a.onnx"), lambda: torch.hub.load("a/b", "c"),
                    lambda: SummaryWriter("runs"), lambda: dist.all_to_all([], []), lambda: ReduceOp.SUM + 1,
                    lambda: torch.fx.symbolic_trace(None), lambda: rpc.init_rpc("worker")):
            try:
                use()
            except NotImplementedError as error:
                print(error)
        """})
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0] == "True True False False"
    assert lines[1] == ("Hwaro does not have torch.onnx.export; the nearest thing that it has is "
                        "torch.save(model.state_dict(), path)")
    names = ("torch.onnx.export", "torch.hub.load", "torch.utils.tensorboard.SummaryWriter",
             "torch.distributed.all_to_all", "torch.distributed.ReduceOp.SUM", "torch.fx.symbolic_trace",
             "torch.distributed.rpc.init_rpc")
    assert [line.split(";")[0] for line in lines[1:]] == [f"Hwaro does not have {name}" for name in names]
    assert all("the nearest thing that it has is" in line for line in lines[1:])


def test_without_the_alias_missing_modules_are_attribute_errors():
    import hwaro
    with pytest.raises(AttributeError, match="module 'torch' has no attribute 'onnx'"):
        hwaro.onnx
