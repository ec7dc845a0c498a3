"""torch.__version__: text that compares by its numbers, so that "2.10" comes after "2.9"."""

__all__ = ["TorchVersion"]

_STAGES = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "c": -1, "rc": -1, "post": 1}


def _parsed(version):
    """Numbers without trailing zeros, stage, and what follows a plus sign; None for text that is no version (PEP 440)."""
    import re

    if isinstance(version, (tuple, list)):
        version = ".".join(map(str, version))
    pattern = r"\s*v?(\d+(?:\.\d+)*)(?:[-_.]?(dev|alpha|a|beta|b|rc|c|post)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*"
    found = re.fullmatch(pattern, str(version), re.IGNORECASE)
    if not found:
        return None
    numbers = [int(n) for n in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    stage = (_STAGES[found[2].lower()], int(found[3] or 0)) if found[2] else (0, 0)
    local = [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in re.split(r"[-_.]", found[4].lower())] if found[4] else []
    return numbers, stage, local


class TorchVersion(str):
    """A version as text. It compares with text, tuples and lists of numbers: torch.__version__ >= (2, 1)."""

    def _compare(self, other, operator):
        mine, theirs = _parsed(self), _parsed(other)
        if mine is None or theirs is None:
            return getattr(str, operator)(self, other)
        return getattr(tuple, operator)(mine, theirs)

    def __eq__(self, other):
        return self._compare(other, "__eq__")

    def __ne__(self, other):
        return self._compare(other, "__ne__")

    def __lt__(self, other):
        return self._compare(other, "__lt__")

    def __le__(self, other):
        return self._compare(other, "__le__")

    def __gt__(self, other):
        return self._compare(other, "__gt__")

    def __ge__(self, other):
        return self._compare(other, "__ge__")

    __hash__ = str.__hash__
    __module__ = "hwaro.torch_version"
