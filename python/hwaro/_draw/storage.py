"""A tensor above its storage: the same colour and the same place in the order mark an element in both."""

import itertools
import math

from hwaro._draw.svg import LINE, box, document, text, text_width

CELL_HEIGHT = 26
PER_LINE = 16  # cells of the storage in one line
MAX_STORAGE = 128  # cells of the storage drawn at most, from the first that the view sees
MAX_ROWS, MAX_COLUMNS, MAX_PLANES = 8, 12, 4
STEP = 14  # by which an arc rises above the one before
MARGIN = 16
UNSEEN = "#f2f2f2"
STEPS = ("#c2410c", "#1d5fbf", "#15803d", "#7c3aed")  # the arcs of the dimensions
COLOURS = ("#cfe2ff", "#ffd9b8", "#cdeac8", "#f3c9dd", "#d9d2f3", "#fff0b0", "#c5ebeb", "#e8d6c3")


def shown(value):
    if isinstance(value, (bool, int)):
        return str(value)
    return f"{value:.3g}" if isinstance(value, complex) else f"{value:.4g}"


def position(index, tensor):
    return tensor.storage_offset() + sum(i * s for i, s in zip(index, tensor.stride()))


def row_of(index):
    """What gives an element its colour: its row, or its place in a vector."""
    return index[-2] if len(index) > 1 else index[-1] if index else 0


def planes_of(shape):
    """Leading indices of the matrices that a tensor is drawn as, as many as are drawn, and how many there are."""
    count = 1
    for size in shape[:-2]:
        count *= size
    return list(itertools.islice(itertools.product(*map(range, shape[:-2])), MAX_PLANES)), count


def drawn_index(tensor):
    """Indices of the elements that are drawn, in order."""
    shape = tuple(tensor.shape)
    rows, columns = ((1,) * 2 + shape)[-2:]
    for lead in planes_of(shape)[0] if tensor.numel() else ():
        for r in range(min(rows, MAX_ROWS)):
            for c in range(min(columns, MAX_COLUMNS)):
                yield (*lead, r, c)[-len(shape) :] if shape else ()


def facts(tensor, seen, total):
    lines = [
        f"shape {tuple(tensor.shape)}, stride {tuple(tensor.stride())}, storage offset {tensor.storage_offset()}, "
        f"{tensor.dtype}, {tensor.device}",
        f"sees {seen} of the {total} elements of its storage"
        + ("" if tensor.is_contiguous() else "; not contiguous")
        + ("; several indices share an element" if seen < tensor.numel() else ""),
    ]
    return lines


def storage_size(tensor):
    """Elements of the storage; a tensor without data has as many as it reaches."""
    if tensor.device.type != "meta":
        return tensor.untyped_storage().nbytes() // tensor.element_size()
    return position([n - 1 for n in tensor.shape], tensor) + 1 if tensor.numel() else 0


def elements(tensor, total):
    """All elements of the storage as Python numbers, or None where there is no data."""
    if tensor.device.type == "meta" or not total:
        return None
    flat = tensor.detach().as_strided((total,), (1,), 0)
    return flat.resolve_conj().tolist()


def draw_matrices(tensor, values, top, width):
    """The tensor by its indices. Returns (parts, bottom, right)."""
    parts, right = [], 0
    shape = tuple(tensor.shape)
    rows, columns = ((1,) * 2 + shape)[-2:]
    planes, count = planes_of(shape)
    x = MARGIN
    for lead in planes if tensor.numel() else ():
        label = "[" + ", ".join([*map(str, lead), ":", ":"][: len(shape)]) + "]" if len(shape) > 2 else ""
        if label:
            parts.append(text(x, top + LINE - 4, label, "small"))
        for r in range(min(rows, MAX_ROWS)):
            for c in range(min(columns, MAX_COLUMNS)):
                index = (*lead, r, c)[-len(shape) :] if shape else ()
                at = position(index, tensor)
                left, upper = x + c * width, top + LINE + r * CELL_HEIGHT
                fill = COLOURS[row_of(index) % len(COLOURS)]
                parts.append(box(left, upper, width, CELL_HEIGHT, fill, title=f"{list(index)} is element {at}"))
                value = "?" if values is None else shown(values[at])
                parts.append(text(left + width / 2, upper + 17, value, "middle"))
        end = x + min(columns, MAX_COLUMNS) * width
        if columns > MAX_COLUMNS:
            parts.append(text(end + 4, top + LINE + 17, "…"))
            end += 16
        if rows > MAX_ROWS:
            parts.append(text(x, top + LINE + MAX_ROWS * CELL_HEIGHT + 14, f"… {rows} rows", "small"))
        right = max(right, end)
        x = end + 24
    if count > MAX_PLANES:
        parts.append(text(x - 12, top + LINE + 17, f"… {count} of them"))
        right = x + 90
    bottom = top + LINE + min(rows, MAX_ROWS) * CELL_HEIGHT + (18 if rows > MAX_ROWS else 0)
    if not tensor.numel():
        parts.append(text(MARGIN, top + LINE + 12, "no elements", "small"))
        bottom = top + 2 * LINE
    return parts, bottom, right


def draw_cells(tensor, values, total, top, width):
    """The storage, line by line. Returns (parts, bottom, right, centre of a drawn element)."""
    owner = {}
    for order, index in enumerate(drawn_index(tensor)):
        owner.setdefault(position(index, tensor), (order, index))
    first = max(0, min(owner, default=0) // PER_LINE * PER_LINE)
    last = min(total, first + MAX_STORAGE)
    parts, centres = [], {}
    pitch = CELL_HEIGHT + 34
    for at in range(first, last):
        line, column = divmod(at - first, PER_LINE)
        left, upper = MARGIN + column * width, top + line * pitch
        order, index = owner.get(at, (None, None))
        fill = UNSEEN if index is None else COLOURS[row_of(index) % len(COLOURS)]
        title = f"element {at}" + ("" if index is None else f" is {list(index)}")
        parts.append(box(left, upper, width, CELL_HEIGHT, fill, title=title))
        parts.append(text(left + width / 2, upper + 17, "?" if values is None else shown(values[at]), "middle"))
        parts.append(text(left + width / 2, upper + CELL_HEIGHT + 11, str(at), "small middle"))
        centres[at] = (left + width / 2, upper)
    lines = -(-max(last - first, 1) // PER_LINE)
    bottom = top + lines * pitch
    if first or last < total:
        parts.append(text(MARGIN, bottom + 10, f"elements {first} to {last - 1} of {total} are drawn", "small"))
        bottom += LINE
    return parts, bottom, MARGIN + min(last - first, PER_LINE) * width, centres


def head(x, y, dx, dy, colour):
    """An arrow's head at (x, y) that points along (dx, dy)."""
    length = math.hypot(dx, dy)
    dx, dy = 7 * dx / length, 7 * dy / length
    corners = f"L{x - dx - dy / 2:.1f} {y - dy + dx / 2:.1f}L{x - dx + dy / 2:.1f} {y - dy - dx / 2:.1f}"
    return f'<path d="M{x:.1f} {y:.1f}{corners}z" fill="{colour}"/>'


def draw_steps(tensor, centres, legend):
    """One arc per dimension, the shortest lowest: from the first element to the next along it. Their names stand in a line
    of their own, at `legend`, in the arcs' colours, so that nothing lies over them."""
    parts, lift = [], 0
    x, y = legend
    start = tensor.storage_offset()
    steps = [(stride, dim) for dim, (stride, size) in enumerate(zip(tensor.stride(), tensor.shape)) if size > 1]
    for stride, dim in sorted(steps):
        here, there = centres.get(start), centres.get(start + stride)
        if stride == 0 or here is None or there is None:
            continue
        colour = STEPS[dim % len(STEPS)]
        if here[1] == there[1]:
            lift += STEP
            top = here[1] - 2
            middle, peak = (here[0] + there[0]) / 2, top - 2 * lift
            path = f"M{here[0]:.1f} {top:.1f}Q{middle:.1f} {peak:.1f} {there[0]:.1f} {top:.1f}"
            parts.append(head(there[0], top, there[0] - middle, top - peak, colour))
        else:
            low, high = here[1] + CELL_HEIGHT + 14, there[1] - 2  # below the element's number
            middle = (low + high) / 2
            path = f"M{here[0]:.1f} {low:.1f}C{here[0]:.1f} {middle:.1f} {there[0]:.1f} {middle:.1f} "
            path += f"{there[0]:.1f} {high:.1f}"
            parts.append(head(there[0], high, 0, 1, colour))
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
        name = f"dim {dim}: {stride:+d}"
        parts.append(f'<path d="M{x:.1f} {y - 4:.1f}h16" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(text(x + 21, y, name))
        x += 21 + text_width(name) + 18
    return parts, x


def count_seen(tensor):
    """How many different elements of the storage a tensor has: dimensions of stride 0 repeat theirs."""
    if 0 in tensor.shape:
        return 0
    pairs = sorted((abs(st), n) for st, n in zip(tensor.stride(), tensor.shape) if n > 1 and st)
    count, reach, exact = 1, 0, True
    for stride, size in pairs:
        exact, reach = exact and stride > reach, reach + stride * (size - 1)
        count *= size
    if exact:
        return count
    places = {0}  # dimensions that overlap, as those of unfold do
    for stride, size in pairs:
        places = {p + stride * i for p in places for i in range(size)}
    return len(places)


def draw_storage(tensor):
    tensor = tensor.detach()
    total = storage_size(tensor)
    values = elements(tensor, total)
    drawn = [values[position(i, tensor)] for i in drawn_index(tensor)] if values is not None else []
    nearby = drawn + (values[:MAX_STORAGE] if values is not None else [])
    width = max(30.0, max((text_width(shown(v)) for v in nearby), default=0) + 10)
    head = facts(tensor, count_seen(tensor), total)
    parts = [text(MARGIN, MARGIN + (i + 1) * LINE - 4, line) for i, line in enumerate(head)]
    top = MARGIN + len(head) * LINE + 4
    more, bottom, right = draw_matrices(tensor, values, top, width)
    parts += more
    parts.append(text(MARGIN, bottom + 28, "storage"))
    arcs = sum(n > 1 and s != 0 for n, s in zip(tensor.shape, tensor.stride()))
    legend = MARGIN + text_width("storage") + 24, bottom + 28
    cells, bottom, cells_right, centres = draw_cells(tensor, values, total, bottom + 40 + STEP * arcs, width)
    steps, names_right = draw_steps(tensor, centres, legend)
    parts += cells + steps
    width = max(right, cells_right, names_right, *(MARGIN + text_width(line) for line in head)) + MARGIN
    return document(width, bottom + MARGIN, parts, head[0])
