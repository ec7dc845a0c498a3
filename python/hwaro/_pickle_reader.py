"""A reader of pickles that can only build data.

It knows the opcodes that data needs, resolves names through a table instead of importing, calls nothing but the
functions in that table, and sets attributes on nothing but OrderedDicts, tensors and classes that the user allowed.
"""

import collections
import io
import pickle
import struct


class UnsafePickle(pickle.UnpicklingError):
    """The pickle asks for something that is not plain data."""


_MARK = object()


class _Input:
    def __init__(self, file):
        self.file = file

    def take(self, count):
        data = self.file.read(count)
        if len(data) < count:
            raise EOFError("pickle data was truncated")
        return data

    def line(self):
        data = self.file.readline(1 << 16)
        if not data.endswith(b"\n"):
            raise EOFError("pickle data was truncated")
        return data[:-1]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]


def _long(data):
    return int.from_bytes(data, "little", signed=True)


class Reader:
    """Reads one pickle. `resolve(module, name)` gives the object of a global or raises; `persistent_load(id)` a
    storage; `may_call(function)` and `may_set_state(object)` say what is allowed."""

    def __init__(self, file, resolve, may_call, may_set_state, persistent_load, encoding="ASCII"):
        self.input = _Input(file)
        self.resolve, self.may_call, self.may_set_state = resolve, may_call, may_set_state
        self.persistent_load, self.encoding = persistent_load, encoding

    def load(self):
        self.stack, self.memo = [], {}
        while True:
            opcode = self.input.take(1)
            if opcode == pickle.STOP:
                return self.stack.pop()
            action = _ACTIONS.get(opcode)
            if action is None:
                raise UnsafePickle(f"Unsupported operand {opcode[0]}")
            action(self)

    # ---- helpers ----

    def push(self, value):
        self.stack.append(value)

    def pop_mark(self):
        items = []
        while self.stack:
            item = self.stack.pop()
            if item is _MARK:
                items.reverse()
                return items
            items.append(item)
        raise UnsafePickle("a mark is missing")

    def text(self, count):
        self.push(self.input.take(count).decode("utf-8", "surrogatepass"))

    def string(self, count):
        data = self.input.take(count)
        self.push(data if self.encoding == "bytes" else data.decode(self.encoding))

    # ---- opcodes with some logic ----

    def find(self, module, name):
        self.push(self.resolve(module, name))

    def call(self):
        args = self.stack.pop()
        function = self.stack[-1]
        if not self.may_call(function) or not isinstance(args, tuple):
            raise UnsafePickle(f"Trying to call reduce for unrecognized function {function}")
        self.stack[-1] = function(*args)

    def new_object(self):
        args = self.stack.pop()
        cls = self.stack[-1]
        if not isinstance(cls, type) or not self.may_call(cls) or not isinstance(args, tuple):
            raise UnsafePickle(f"Trying to create new object for unrecognized class {cls}")
        self.stack[-1] = cls.__new__(cls, *args)

    def build(self):
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is collections.OrderedDict:
            if isinstance(state, dict):
                target.__dict__.update(state)
        elif self.may_set_state(target):
            if hasattr(target, "__setstate__"):
                target.__setstate__(state)
            else:
                attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
                target.__dict__.update(attributes or {})
                for name, value in (slots or {}).items():
                    setattr(target, name, value)
        else:
            raise UnsafePickle(
                "Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got"
                f" {type(target)}"
            )

    def items(self):
        items = self.pop_mark()
        target = self.stack[-1]
        if len(items) % 2 or not isinstance(target, dict):
            raise UnsafePickle("only dictionaries take items")
        for key, value in zip(items[::2], items[1::2]):
            target[key] = value

    def item(self):
        value, key = self.stack.pop(), self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise UnsafePickle("only dictionaries take items")
        self.stack[-1][key] = value

    def appends(self, items):
        if type(self.stack[-1]) is not list:
            raise UnsafePickle(f"Can only append to lists, but got {type(self.stack[-1])}")
        self.stack[-1].extend(items)

    def adds(self):
        items = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise UnsafePickle(f"Can only add to sets, but got {type(self.stack[-1])}")
        self.stack[-1].update(items)

    def tuple_of(self, count):
        items = tuple(self.stack[-count:])
        if len(items) < count:
            raise UnsafePickle("a tuple lacks items")
        self.stack[-count:] = [items]

    def persistent(self):
        self.push(self.persistent_load(self.stack.pop()))

    def global_names(self):
        module, name = self.input.line().decode("utf-8"), self.input.line().decode("utf-8")
        self.find(module, name)

    def stack_global(self):
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise UnsafePickle("a global is not named by strings")
        self.find(module, name)

    def int_line(self):
        text = self.input.line()
        self.push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text))

    def protocol(self):
        version = self.input.number("<B")
        if not 0 <= version <= 5:
            raise UnsafePickle(f"unsupported pickle protocol: {version}")


def _dict_of(reader):
    items = reader.pop_mark()
    return dict(zip(items[::2], items[1::2]))


_ACTIONS = {
    pickle.PROTO: Reader.protocol,
    pickle.FRAME: lambda r: r.input.take(8),
    pickle.MARK: lambda r: r.push(_MARK),
    pickle.POP: lambda r: r.stack.pop(),
    pickle.POP_MARK: lambda r: r.pop_mark(),
    pickle.NONE: lambda r: r.push(None),
    pickle.NEWTRUE: lambda r: r.push(True),
    pickle.NEWFALSE: lambda r: r.push(False),
    pickle.INT: Reader.int_line,
    pickle.LONG: lambda r: r.push(int(r.input.line().rstrip(b"L"))),
    pickle.FLOAT: lambda r: r.push(float(r.input.line())),
    pickle.BININT: lambda r: r.push(r.input.number("<i")),
    pickle.BININT1: lambda r: r.push(r.input.number("<B")),
    pickle.BININT2: lambda r: r.push(r.input.number("<H")),
    pickle.LONG1: lambda r: r.push(_long(r.input.take(r.input.number("<B")))),
    pickle.LONG4: lambda r: r.push(_long(r.input.take(max(r.input.number("<i"), 0)))),
    pickle.BINFLOAT: lambda r: r.push(r.input.number(">d")),
    pickle.UNICODE: lambda r: r.push(r.input.line().decode("raw-unicode-escape")),
    pickle.SHORT_BINUNICODE: lambda r: r.text(r.input.number("<B")),
    pickle.BINUNICODE: lambda r: r.text(r.input.number("<I")),
    pickle.BINUNICODE8: lambda r: r.text(r.input.number("<Q")),
    pickle.SHORT_BINSTRING: lambda r: r.string(r.input.number("<B")),
    pickle.BINSTRING: lambda r: r.string(max(r.input.number("<i"), 0)),
    pickle.SHORT_BINBYTES: lambda r: r.push(r.input.take(r.input.number("<B"))),
    pickle.BINBYTES: lambda r: r.push(r.input.take(r.input.number("<I"))),
    pickle.BINBYTES8: lambda r: r.push(r.input.take(r.input.number("<Q"))),
    pickle.BYTEARRAY8: lambda r: r.push(bytearray(r.input.take(r.input.number("<Q")))),
    pickle.EMPTY_LIST: lambda r: r.push([]),
    pickle.EMPTY_DICT: lambda r: r.push({}),
    pickle.EMPTY_TUPLE: lambda r: r.push(()),
    pickle.EMPTY_SET: lambda r: r.push(set()),
    pickle.LIST: lambda r: r.push(r.pop_mark()),
    pickle.TUPLE: lambda r: r.push(tuple(r.pop_mark())),
    pickle.DICT: lambda r: r.push(_dict_of(r)),
    pickle.FROZENSET: lambda r: r.push(frozenset(r.pop_mark())),
    pickle.TUPLE1: lambda r: r.tuple_of(1),
    pickle.TUPLE2: lambda r: r.tuple_of(2),
    pickle.TUPLE3: lambda r: r.tuple_of(3),
    pickle.APPEND: lambda r: r.appends([r.stack.pop()]),
    pickle.APPENDS: lambda r: r.appends(r.pop_mark()),
    pickle.SETITEM: Reader.item,
    pickle.SETITEMS: Reader.items,
    pickle.ADDITEMS: Reader.adds,
    pickle.GLOBAL: Reader.global_names,
    pickle.STACK_GLOBAL: Reader.stack_global,
    pickle.REDUCE: Reader.call,
    pickle.NEWOBJ: Reader.new_object,
    pickle.BUILD: Reader.build,
    pickle.BINPERSID: Reader.persistent,
    pickle.PUT: lambda r: r.memo.__setitem__(int(r.input.line()), r.stack[-1]),
    pickle.BINPUT: lambda r: r.memo.__setitem__(r.input.number("<B"), r.stack[-1]),
    pickle.LONG_BINPUT: lambda r: r.memo.__setitem__(r.input.number("<I"), r.stack[-1]),
    pickle.MEMOIZE: lambda r: r.memo.__setitem__(len(r.memo), r.stack[-1]),
    pickle.GET: lambda r: r.push(r.memo[int(r.input.line())]),
    pickle.BINGET: lambda r: r.push(r.memo[r.input.number("<B")]),
    pickle.LONG_BINGET: lambda r: r.push(r.memo[r.input.number("<I")]),
}


def globals_in(data):
    """The names "module.name" of all globals that a pickle refers to."""
    found, strings = [], []
    import pickletools

    for opcode, argument, _ in pickletools.genops(io.BytesIO(data)):
        if opcode.name == "GLOBAL":
            found.append(argument.replace(" ", ".", 1))
        elif opcode.name == "STACK_GLOBAL":
            found.append(".".join(strings[-2:]))
        elif isinstance(argument, str):
            strings.append(argument)
    return sorted(set(found))
