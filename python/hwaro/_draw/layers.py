"""Places the nodes of a graph without cycles in layers, edges going down (Sugiyama, Tagawa and Toda, 1981).

Layers by the longest path to the last node, long edges split by invisible nodes, order within a layer by the mean
place of neighbours, then places as near to the neighbours as the widths allow.
"""

GAP = 22


def layers_of(count, edges):
    """Layer of each node: 0 for nodes without successors, else one more than the highest of its successors."""
    below = [[] for _ in range(count)]
    above = [[] for _ in range(count)]
    for start, end in edges:
        below[start].append(end)
        above[end].append(start)
    left = [len(b) for b in below]
    layer = [0] * count
    ready = [node for node in range(count) if not left[node]]
    while ready:
        node = ready.pop()
        for start in above[node]:
            layer[start] = max(layer[start], layer[node] + 1)
            left[start] -= 1
            if not left[start]:
                ready.append(start)
    return layer


def split_long(layer, edges):
    """Chains of nodes for edges over several layers. Returns (layers with the new nodes, chains)."""
    layer, chains = list(layer), []
    for start, end in edges:
        chain = [start]
        for between in range(layer[start] - 1, layer[end], -1):
            chain.append(len(layer))
            layer.append(between)
        chains.append([*chain, end])
    return layer, chains


def neighbours(count, chains):
    above = [[] for _ in range(count)]
    below = [[] for _ in range(count)]
    for chain in chains:
        for start, end in zip(chain, chain[1:]):
            below[start].append(end)
            above[end].append(start)
    return above, below


def ordered(layer, above, below, sweeps=8):
    """Nodes of each layer from left to right."""
    rows = [[] for _ in range(max(layer) + 1)]
    for node, row in enumerate(layer):
        rows[row].append(node)
    place = {node: i for row in rows for i, node in enumerate(row)}
    for sweep in range(sweeps):
        near = above if sweep % 2 else below
        for row in reversed(rows) if sweep % 2 else rows:
            row.sort(
                key=lambda n: sum(place[m] for m in near[n]) / len(near[n]) if near[n] else place[n]  # noqa: B023
            )
            place.update((node, i) for i, node in enumerate(row))
    return rows


def spread(row, wanted, width):
    """Places near the wanted ones, in order and without overlaps: the mean of a pass from each side."""
    left, x = {}, float("-inf")
    for node in row:
        x = max(x + width[node] / 2, wanted[node]) if left else wanted[node]
        left[node] = x
        x += width[node] / 2 + GAP
    right, x = {}, float("inf")
    for node in reversed(row):
        x = min(x - width[node] / 2, wanted[node]) if right else wanted[node]
        right[node] = x
        x -= width[node] / 2 + GAP
    return {node: (left[node] + right[node]) / 2 for node in row}


def place(widths, edges):
    """(x of each node's centre, its layer from the bottom, for each edge the x and layer of the points it passes)."""
    layer = layers_of(len(widths), edges)
    layer, chains = split_long(layer, edges)
    width = [*widths, *[6.0] * (len(layer) - len(widths))]
    above, below = neighbours(len(layer), chains)
    rows = ordered(layer, above, below)
    x = {}
    for row in rows:
        at = 0.0
        for node in row:
            x[node] = at + width[node] / 2
            at += width[node] + GAP
    for sweep in range(6):
        near = above if sweep % 2 else below
        for row in reversed(rows) if sweep % 2 else rows:
            wanted = {n: sum(x[m] for m in near[n]) / len(near[n]) if near[n] else x[n] for n in row}
            x.update(spread(row, wanted, width))
    start = min(x[n] - width[n] / 2 for n in range(len(layer)))
    x = [x[n] - start for n in range(len(layer))]
    return x[: len(widths)], layer[: len(widths)], [[(x[n], layer[n]) for n in chain] for chain in chains]
