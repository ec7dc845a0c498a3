"""python -m hwaro SCRIPT [ARGS]: run a program that says `import torch` with Hwaro in PyTorch's place."""
import sys

_USAGE = """usage: python -m hwaro SCRIPT [ARGS...]
       python -m hwaro -m MODULE [ARGS...]
       python -m hwaro -c CODE [ARGS...]
       python -m hwaro --cmake-prefix

Runs a Python program in which `import torch` gives Hwaro.
`python -m hwaro.check SCRIPT` lists, without running it, what a program uses and Hwaro lacks.
--cmake-prefix prints where find_package(hwaro) finds the C++ library of this package: CMAKE_PREFIX_PATH."""


def _own_frames():
    import runpy
    return {__file__, runpy.__file__, "<frozen runpy>", "<frozen importlib._bootstrap>",
            "<frozen importlib._bootstrap_external>"}


def _report(error):
    """Print the traceback as if the program had been started by itself."""
    skipped = _own_frames()
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in skipped:
        trace = trace.tb_next
    error.__traceback__ = trace
    sys.stdout.flush()
    sys.excepthook(type(error), error, trace)


def _fresh_main(filename, loader=None):
    """An empty module __main__ in the place of this one."""
    import builtins
    import types
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, __spec__=None, __package__=None, __loader__=loader)
    if filename is not None:
        module.__file__ = filename
        module.__cached__ = None
    sys.modules["__main__"] = module
    return module.__dict__


def _run_code(code, filename, loader=None):
    exec(code, _fresh_main(filename, loader))


def _run_script(path):
    import io
    import os
    import runpy
    if os.path.isdir(path):
        sys.path.pop(0)
        runpy.run_path(path, run_name="__main__")
        return
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except OSError as error:
        print(f"{sys.executable}: can't open file '{os.path.abspath(path)}': [Errno {error.errno}] {error.strerror}",
              file=sys.stderr)
        sys.exit(2)
    from importlib.machinery import SourceFileLoader
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    path = os.path.abspath(path)
    _run_code(compile(source, path, "exec"), path, SourceFileLoader("__main__", path))


def main(arguments):
    """Run what the arguments name; returns the exit status."""
    if not arguments:
        print(_USAGE, file=sys.stderr)
        return 2
    first, rest = arguments[0], arguments[1:]
    if first in ("-h", "--help"):
        print(_USAGE)
        return 0
    if first == "--version":
        import hwaro
        print(f"Hwaro {hwaro.__version__}")
        return 0
    if first == "--cmake-prefix":
        import os
        prefix = os.path.dirname(os.path.abspath(__file__))
        if not os.path.isdir(os.path.join(prefix, "share", "cmake", "hwaro")):
            print("hwaro: this is a source tree; the C++ files come with `pip install` and `cmake --install`",
                  file=sys.stderr)
            return 1
        print(prefix)
        return 0
    if first in ("-m", "-c") and not rest:
        print(f"Argument expected for the {first} option\n{_USAGE}", file=sys.stderr)
        return 2
    from hwaro import _alias
    _alias.install()
    try:
        if first == "-m":
            import importlib.util
            import runpy
            try:
                found = importlib.util.find_spec(rest[0]) is not None
            except ModuleNotFoundError:
                found = False
            if not found:
                print(f"{sys.executable}: No module named {rest[0]}", file=sys.stderr)
                return 1
            sys.argv[:] = [rest[0], *rest[1:]]
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif first == "-c":
            sys.argv[:] = ["-c", *rest[1:]]
            _run_code(compile(rest[0], "<string>", "exec"), None)
        elif first == "-":
            sys.argv[:] = ["-", *rest]
            _run_code(compile(sys.stdin.read(), "<stdin>", "exec"), None)
        else:
            sys.argv[:] = [first, *rest]
            _run_script(first)
    except SystemExit:
        raise
    except KeyboardInterrupt as error:
        _report(error)
        return 130
    except BaseException as error:
        _report(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
