"""Printing of tensors."""


def _str(self):
    return f"tensor({self.tolist()})"
