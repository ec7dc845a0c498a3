"""Cases for recorded_test that are single expressions: the name is the expression, the result what repr() shows."""


def shown(function):
    """repr of the result, or class and first line of what was raised."""
    try:
        return repr(function()).replace("hwaro", "torch")
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".replace("hwaro", "torch")


def expression_cases(text, names):
    """One case per line of text. `names(torch)` gives the names that the expressions use, fresh for each."""

    def case(expression):
        return lambda torch: shown(lambda: eval(expression, dict(names(torch), torch=torch)))

    lines = [line.strip() for line in text.strip().splitlines()]
    return {line: case(line) for line in lines if line and not line.startswith("#")}
