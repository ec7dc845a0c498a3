"""mkldnn is not used."""


def is_available():
    return False


enabled = False
deterministic = False
