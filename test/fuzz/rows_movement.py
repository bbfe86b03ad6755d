"""Operators that carry elements from place to place, make them of nothing, or compute shapes."""

import numpy as np

from drawing import FLOATS, INTEGERS, Row, Unfit

ANY = FLOATS + INTEGERS + (np.bool_,)
WIDE = np.int64


def pick(graph, ranks=range(1, 6), types=ANY, accept=None):
    """The graph's main type mostly."""
    types = [graph.main] if graph.chance(0.6) else types
    return graph.pick(types, ranks=ranks, accept=accept)


def integers(graph, values):
    return graph.constant(np.array(values, WIDE))


def some_axis(graph, x, negative=True):
    axis = graph.integer(0, x.rank - 1)
    return axis - x.rank if negative and graph.chance(0.3) else axis


def smallest(x, axis):
    """The axis's size in the run where it is smallest."""
    return min(x.dims[axis])


def with_axes(graph, op, inputs, axes, as_input_since, **attributes):
    """A node whose axes are an input from some opset on, and an attribute before."""
    if axes is None:
        return graph.add(op, inputs, **attributes)
    if graph.opset >= as_input_since:
        return graph.add(op, [*inputs, integers(graph, axes)], **attributes)
    return graph.add(op, inputs, axes=axes, **attributes)


def transpose(graph, row):
    x = pick(graph, range(1, 6))
    perm = None if graph.chance(0.2) else [int(axis) for axis in graph.random.permutation(x.rank)]
    graph.add("Transpose", [x], perm=perm)


def factors(graph, count):
    """A random way to write `count` as a product."""
    dims = []
    while count > 1 and len(dims) < 3:
        choices = [factor for factor in range(2, min(count, 64) + 1) if count % factor == 0]
        dims.append(graph.choose(choices) if choices else count)
        count //= dims[-1]
    dims += [count] if count > 1 or not dims else []
    if graph.chance(0.3):
        dims.insert(graph.integer(0, len(dims)), 1)
    return dims


def reshape(graph, row):
    """Runs of axes are joined or split; the dims with names are kept by 0, or swallowed by -1."""
    x = pick(graph, range(0, 6))
    if graph.is_fixed(x.dims):
        target = factors(graph, graph.most(x.dims))
        if target and graph.chance(0.5):
            target[graph.integer(0, len(target) - 1)] = -1
    else:
        kept = graph.integer(0, x.rank - 1)
        target = [0] * kept
        rest = x.dims[kept:]
        if graph.is_fixed(rest):
            target += factors(graph, graph.most(rest))
        else:
            whole = int(np.prod([dim[0] for dim in rest if len(set(dim)) == 1]))
            tail = [factor for factor in (1, 2, 3, 4, 5, 7) if whole % factor == 0]
            target += [-1] + ([graph.choose(tail)] if graph.chance(0.5) else [])
    graph.add("Reshape", [x, integers(graph, target)])


def dim_of(graph, x, axis):
    """The size of an axis as a tensor of one element, by Shape and Gather or Slice."""
    if graph.opset >= 15 and graph.chance(0.3):
        return graph.add("Shape", [x], start=axis, end=axis + 1)
    shape = graph.add("Shape", [x])
    if graph.chance(0.5):
        return graph.add("Gather", [shape, integers(graph, [axis])], axis=0)
    if graph.opset < 10:
        return graph.add("Slice", [shape], starts=[axis], ends=[axis + 1], axes=[0])
    return graph.add("Slice", [shape, integers(graph, [axis]), integers(graph, [axis + 1]), integers(graph, [0])])


def reshape_by_shapes(graph, row):
    """Two neighbours are joined by arithmetic on Shape, and possibly taken apart again."""
    x = pick(graph, range(2, 6))
    axis = graph.integer(0, x.rank - 2)
    product = graph.add("Mul", [dim_of(graph, x, axis), dim_of(graph, x, axis + 1)])
    parts = [dim_of(graph, x, each) for each in range(axis)] + [product]
    parts += [dim_of(graph, x, each) for each in range(axis + 2, x.rank)]
    if len(parts) > 1 and graph.chance(0.4):
        parts[graph.integer(0, len(parts) - 1)] = integers(graph, [-1])
    target = graph.add("Concat", parts, axis=0)
    joined = graph.add("Reshape", [x, target])
    if graph.chance(0.5):
        graph.add("Reshape", [graph.add("Neg", [joined]) if x.dtype.kind == "f" else joined, graph.add("Shape", [x])])


def sliced_by_shape(graph, row):
    """The last elements of an axis, counted from its size; or its first half."""
    x = pick(graph, range(1, 5))
    if graph.opset < 10:
        raise Unfit("Slice has attributes")
    axis = some_axis(graph, x, negative=False)
    size = dim_of(graph, x, axis)
    if graph.chance(0.5):
        begin, end = graph.add("Sub", [size, integers(graph, [1])]), size
    else:
        one_more = graph.add("Add", [size, integers(graph, [1])])
        begin, end = integers(graph, [0]), graph.add("Div", [one_more, integers(graph, [2])])
    graph.add("Slice", [x, begin, end, integers(graph, [axis])])


def flatten(graph, row):
    x = pick(graph, range(1, 6))
    graph.add("Flatten", [x], axis=graph.choose((None, *range(0, x.rank + 1))))


def squeeze(graph, row):
    x = pick(graph, range(1, 6), accept=lambda value: graph.fixed(1) in value.dims)
    ones = [axis for axis, dim in enumerate(x.dims) if dim == graph.fixed(1)]
    axes = [axis - x.rank * graph.chance(0.3) for axis in ones if graph.chance(0.7)] or ones[:1]
    named = any(1 in dim for dim in x.dims if dim != graph.fixed(1))
    every = graph.chance(0.2) and graph.is_fixed(x.dims) and not named
    with_axes(graph, "Squeeze", [x], None if every else axes, 13)


def unsqueeze(graph, row):
    x = pick(graph, range(0, 5))
    count = graph.integer(1, 2)
    axes = sorted(int(axis) for axis in graph.random.choice(x.rank + count, count, replace=False))
    with_axes(graph, "Unsqueeze", [x], axes, 13)


def expand(graph, row):
    x = pick(graph, range(0, 5))
    if graph.chance(0.4):
        like = graph.pick(ANY, ranks=range(0, 5))
        graph.add("Expand", [x, graph.add("Shape", [like])])
        return
    if graph.chance(0.5) and not graph.is_fixed(x.dims):
        target = [1] * x.rank
    else:
        target = [size for dim in x.dims for size in [dim[0] if len(set(dim)) == 1 else 1]]
    target = [graph.choose((1, 2, 3, 5)) if size == 1 and dim == graph.fixed(1) else size
              for size, dim in zip(target, x.dims)]
    graph.add("Expand", [x, integers(graph, [graph.integer(1, 3)] * graph.integer(0, 1) + target)])


def tile(graph, row):
    x = pick(graph, range(1, 5))
    graph.add("Tile", [x, integers(graph, [graph.choose((1, 1, 2, 3)) for _ in range(x.rank)])])


def concat(graph, row):
    x = pick(graph, range(1, 5))
    axis = some_axis(graph, x)
    where = axis % x.rank

    def suits(other):
        return other.rank == x.rank and all(
            mine == its for at, (mine, its) in enumerate(zip(x.dims, other.dims)) if at != where)

    parts = [x]
    for _ in range(graph.integer(1, 3)):
        if graph.chance(0.5):
            parts.append(graph.pick([x.dtype], accept=suits, fresh=False))
        else:
            dims = list(x.dims)
            dims[where] = graph.fixed(graph.integer(1, 5))
            parts.append(graph.fresh(tuple(dims), x.dtype, weight=graph.chance(0.5)))
    graph.add("Concat", [parts[index] for index in graph.random.permutation(len(parts))], axis=axis)


def split(graph, row):
    x = pick(graph, range(1, 5), accept=lambda value: any(
        len(set(dim)) == 1 and dim[0] > 1 for dim in value.dims))
    axis = graph.choose([axis for axis, dim in enumerate(x.dims) if len(set(dim)) == 1 and dim[0] > 1])
    size = x.dims[axis][0]
    even = [count for count in (2, 3, 4, 5) if size % count == 0]
    if even and graph.chance(0.5):
        count = graph.choose(even)
        graph.add("Split", [x], count, axis=axis, num_outputs=count if graph.opset >= 18 else None)
        return
    if graph.opset >= 18 and size >= 5 and graph.chance(0.3):
        graph.add("Split", [x], 2 if size < 8 else 3, axis=axis, num_outputs=2 if size < 8 else 3)
        return
    first = graph.integer(1, size - 1)
    sizes = [first, size - first]
    if graph.opset >= 13:
        graph.add("Split", [x, integers(graph, sizes)], 2, axis=axis)
    else:
        graph.add("Split", [x], 2, axis=axis, split=sizes)


def slice_(graph, row):
    x = pick(graph, range(1, 6))
    axes = sorted(int(axis) for axis in graph.random.choice(x.rank, graph.integer(1, x.rank), replace=False))
    starts, ends, steps = [], [], []
    for axis in axes:
        size = smallest(x, axis)
        step = graph.choose((1, 1, 1, 2, 3, -1, -2)) if graph.opset >= 10 else 1
        begin = graph.integer(0, size - 1)
        end = graph.integer(begin + 1, size) if graph.chance(0.5) else 1 << 40
        if step < 0:
            begin, end = graph.choose((-1, 1 << 40, begin)), graph.choose((-1 - size, -(1 << 40)))
        elif graph.chance(0.3):
            begin -= size
            end = end if end > size else (graph.choose((1 << 40, -1)) if begin < -1 else 1 << 40)
        starts, ends, steps = [*starts, begin], [*ends, end], [*steps, step]
    if graph.opset < 10:
        graph.add("Slice", [x], starts=starts, ends=ends, axes=axes)
        return
    unit = all(step == 1 for step in steps) and graph.chance(0.5)
    axes = [axis - x.rank * graph.chance(0.3) for axis in axes]
    graph.add("Slice", [x, *(integers(graph, each) for each in (starts, ends, axes)),
                        None if unit else integers(graph, steps)])


def pad(graph, row):
    x = pick(graph, range(1, 5), FLOATS + (np.int32, np.int64))
    modes = ["constant", "reflect", "edge"] + (["wrap"] if graph.opset >= 19 else [])
    mode = graph.choose(modes)
    most = [3 if mode in ("constant", "edge") else smallest(x, axis) - (mode == "reflect") for axis in range(x.rank)]
    pads = [graph.integer(0, min(3, size)) if graph.chance(0.6) else 0 for size in most * 2]
    if mode == "constant" and graph.chance(0.3):
        pads = [-(value > 1 and smallest(x, at % x.rank) > 2) or value for at, value in enumerate(pads)]
    if graph.opset < 11:
        graph.add("Pad", [x], mode=mode, pads=pads, value=0.5 if mode == "constant" else None)
        return
    fill = graph.constant(np.array(2, x.dtype)) if mode == "constant" and graph.chance(0.5) else None
    graph.add("Pad", [x, integers(graph, pads), fill], mode=mode)


def indices(graph, dims, size, low=None):
    """Indices into an axis: constants, or an input; some from the end."""
    return graph.fresh(dims, graph.choose((np.int64, np.int64, np.int32)), -size if low is None else low, size - 1,
                       weight=graph.chance(0.5))


def gather(graph, row):
    x = pick(graph, range(1, 5))
    axis = some_axis(graph, x)
    dims = tuple(graph.draw_dim(5) for _ in range(graph.choose((0, 1, 1, 2))))
    graph.add("Gather", [x, indices(graph, dims, smallest(x, axis))], axis=axis)


def gather_elements(graph, row):
    x = pick(graph, range(1, 5))
    axis = some_axis(graph, x)
    dims = [dim if len(set(dim)) > 1 else graph.fixed(graph.integer(1, dim[0])) for dim in x.dims]
    dims[axis] = graph.draw_dim(5)
    graph.add("GatherElements", [x, indices(graph, tuple(dims), smallest(x, axis))], axis=axis)


def gather_nd(graph, row):
    x = pick(graph, range(1, 5))
    batch = graph.integer(0, x.rank - 1) if graph.opset >= 12 and graph.chance(0.5) else 0
    depth = graph.integer(1, x.rank - batch)
    size = min(smallest(x, axis) for axis in range(batch, batch + depth))
    dims = (*x.dims[:batch], graph.draw_dim(5), graph.fixed(depth))
    found = graph.fresh(dims, WIDE, -size, size - 1, weight=graph.chance(0.5))
    graph.add("GatherND", [x, found], batch_dims=batch or None)


def distinct(graph, size, count):
    return graph.random.choice(size, count, replace=False).astype(WIDE)


def reductions(graph):
    """The kinds of ScatterElements and ScatterND at the graph's opset."""
    return [None] + ["add", "mul"] * (graph.opset >= 16) + ["max", "min"] * (graph.opset >= 18)


def scatter_elements(graph, row):
    x = pick(graph, range(1, 4), FLOATS + (np.int32, np.int64))
    axis = some_axis(graph, x)
    where = axis % x.rank
    count = graph.integer(1, min(3, smallest(x, axis)))
    dims = [graph.fixed(graph.integer(1, min(dim))) for dim in x.dims]
    dims[where] = graph.fixed(count)
    shape = graph.shape(dims, 0)
    reduction = graph.choose(reductions(graph))
    if reduction in ("add", "max", "min"):
        places = graph.random.integers(-smallest(x, axis), smallest(x, axis), shape).astype(WIDE)
    else:  # where two updates meet, the last may win, or another
        lanes = np.moveaxis(np.zeros(shape, WIDE), where, -1)
        for lane in np.ndindex(lanes.shape[:-1]):
            lanes[lane] = distinct(graph, smallest(x, axis), count)
        places = np.moveaxis(lanes, -1, where)
    updates = graph.fresh(tuple(dims), x.dtype, weight=graph.chance(0.4))
    graph.add("ScatterElements", [x, graph.constant(places), updates], axis=axis, reduction=reduction)


def scatter_nd(graph, row):
    x = pick(graph, range(1, 5), FLOATS + (np.int32, np.int64))
    depth = graph.integer(1, x.rank)
    sizes = [smallest(x, axis) for axis in range(depth)]
    count = graph.integer(1, min(4, int(np.prod(sizes))))
    flat = distinct(graph, int(np.prod(sizes)), count)
    places = np.stack(np.unravel_index(flat, sizes), -1).astype(WIDE)
    updates = graph.fresh((graph.fixed(count), *x.dims[depth:]), x.dtype, weight=graph.chance(0.4))
    graph.add("ScatterND", [x, graph.constant(places), updates], reduction=graph.choose(reductions(graph)))


def depth_to_space(graph, row):
    block = graph.choose((2, 3))
    x = pick(graph, [4], FLOATS, accept=lambda value: len(set(value.dims[1])) == 1)
    channels = x.dims[1][0]
    if channels % block**2:
        x = graph.add("Concat", [x] * block**2, axis=1)
    mode = graph.choose((None, "DCR", "CRD")) if graph.opset >= 11 else None
    graph.add("DepthToSpace", [x], blocksize=block, mode=mode)


def space_to_depth(graph, row):
    block = graph.choose((2, 3))
    x = pick(graph, [4], FLOATS)
    if any(size % block for axis in (2, 3) for size in x.dims[axis]):
        x = graph.add("Tile", [x, integers(graph, [1, 1, block, block])])
    graph.add("SpaceToDepth", [x], blocksize=block)


def resize(graph, row):
    x = pick(graph, range(3, 5), (np.float32,))
    mode = graph.choose(("nearest", "linear", "cubic")) if x.rank == 4 else graph.choose(("nearest", "linear"))
    scale = graph.choose((0.5, 1.5, 2.0, 3.0)) if mode != "cubic" else graph.choose((1.5, 2.0))
    scales = [1.0] * (x.rank - 2) + [scale, graph.choose((1.0, scale, 2.0))]
    if any(size * factor < 1 for dim, factor in zip(x.dims, scales) for size in dim):
        raise Unfit("Resize would leave nothing")
    ways = ["half_pixel", "asymmetric", "align_corners"] + ["half_pixel_symmetric"] * (graph.opset >= 19)
    way = graph.choose(ways)
    nearest = graph.choose((None, "floor", "ceil", "round_prefer_ceil")) if mode == "nearest" else None
    more = {"coordinate_transformation_mode": way, "nearest_mode": nearest,
            "cubic_coeff_a": graph.choose((None, -0.5)) if mode == "cubic" else None,
            "exclude_outside": graph.choose((None, 1)) if mode == "cubic" else None}
    if graph.opset < 11:
        graph.add("Resize", [x, graph.constant(np.array(scales, np.float32))], mode=graph.choose(("nearest", "linear")))
    elif graph.chance(0.4) and graph.is_fixed(x.dims[-2:]) and graph.is_fixed(x.dims):
        sizes = [dim[0] for dim in x.dims[:-2]] + [graph.integer(1, 9), graph.integer(1, 9)]
        empty = None if graph.opset >= 13 else graph.constant(np.zeros(0, np.float32))
        graph.add("Resize", [x, empty, empty, integers(graph, sizes)], mode=mode, **more)
    else:
        roi = None if graph.opset >= 13 else graph.constant(np.zeros(0, np.float32))
        graph.add("Resize", [x, roi, graph.constant(np.array(scales, np.float32))], mode=mode, **more)


def upsample(graph, row):
    x = pick(graph, [4], (np.float32,))
    scales = graph.constant(np.array([1, 1, graph.choose((1, 2, 3)), 2], np.float32))
    graph.add("Upsample", [x, scales], mode=graph.choose(("nearest", "linear")))


def trilu(graph, row):
    x = pick(graph, range(2, 5), FLOATS + (np.int32, np.int64, np.bool_))
    k = graph.constant(np.array(graph.choose((-2, -1, 0, 1, 3)), WIDE)) if graph.chance(0.7) else None
    graph.add("Trilu", [x, k], upper=graph.choose((None, 0, 1)))


def one_hot(graph, row):
    depth = graph.choose((2, 3, 5, 7))
    found = graph.fresh(graph.draw_dims(graph.integer(1, 2)), WIDE, -depth, depth - 1)
    values = graph.constant(np.array(graph.choose(((0, 1), (-1, 2))), graph.main))
    graph.add("OneHot", [found, graph.constant(np.array(depth, WIDE)), values], axis=graph.choose((None, -1, 0, 1)))


def range_(graph, row):
    if graph.chance(0.6):
        x = graph.pick(ANY, ranks=range(1, 5))
        size = graph.add("Gather", [graph.add("Shape", [x]), graph.constant(np.array(0, WIDE))], axis=0)
        kind = np.dtype(WIDE)
        bounds = [graph.constant(np.array(0, WIDE)), size, graph.constant(np.array(1, WIDE))]
    else:
        kind = np.dtype(graph.choose((np.int32, np.int64, np.float32)))
        bounds = [graph.constant(np.array(value, kind)) for value in graph.choose(((0, 7, 1), (10, -3, -4), (2, 9, 3)))]
    places = graph.add("Range", bounds)
    graph.add("Cast", [places], to=1 if kind.kind != "f" else 7)


def eye_like(graph, row):
    x = pick(graph, [2], (np.float32, np.int32, np.float64))
    graph.add("EyeLike", [x], k=graph.choose((None, -1, 0, 2)), dtype=graph.choose((None, 1, 7)))


def constant_of_shape(graph, row):
    x = graph.pick(ANY, ranks=range(1, 5))
    fill = graph.numbers(graph.choose((np.float32, np.int64, np.int32)), (1,))
    from onnx import numpy_helper
    graph.add("ConstantOfShape", [graph.add("Shape", [x])], value=numpy_helper.from_array(fill))


def size_of(graph, row):
    x = graph.pick(ANY, ranks=range(1, 5))
    count = graph.add("Size", [x])
    y = graph.pick((np.float32,))
    graph.add("Div", [y, graph.add("Cast", [count], to=1)])


def reverse_sequence(graph, row):
    x = pick(graph, range(2, 5))
    batch = graph.choose((0, 1))
    time = 1 - batch
    lengths = graph.fresh((x.dims[batch],), WIDE, 1, smallest(x, time), weight=graph.chance(0.5))
    graph.add("ReverseSequence", [x, lengths], batch_axis=batch, time_axis=time)


def center_crop_pad(graph, row):
    x = pick(graph, range(1, 5), FLOATS)
    axis = some_axis(graph, x, negative=False)
    graph.add("CenterCropPad", [x, integers(graph, [graph.integer(1, 9)])], axes=[axis])


def tensor_scatter(graph, row):
    past = graph.fresh(graph.draw_dims(4), graph.main)
    size = smallest(past, 2)
    dims = list(past.dims)
    dims[2] = graph.fixed(graph.integer(1, size))
    places = graph.fresh((past.dims[0],), WIDE, 0, size - dims[2][0])
    graph.add("TensorScatter", [past, graph.fresh(tuple(dims), graph.main), places],
              mode=graph.choose((None, "linear", "circular")))


def grid_sample(graph, row):
    x = pick(graph, [4], (np.float32,))
    grid = graph.fresh((x.dims[0], graph.draw_dim(5), graph.draw_dim(5), graph.fixed(2)), x.dtype, -1.25, 1.25)
    names = ("bilinear", "nearest", "bicubic") if graph.opset < 20 else ("linear", "nearest", "cubic")
    graph.add("GridSample", [x, grid], mode=graph.choose(names), align_corners=graph.choose((None, 0, 1)),
              padding_mode=graph.choose(("zeros", "border", "reflection")))


def window(graph, row):
    size = graph.constant(np.array(graph.choose((3, 5, 16)), WIDE))
    made = graph.add(row.op, [size], periodic=graph.choose((None, 0, 1)))
    if np.dtype(graph.main) == np.float32:
        graph.add("Mul", [graph.fresh((graph.fixed(3), made.dims[0]), np.float32), made])


ROWS = [
    Row("Transpose", transpose, weight=4),
    Row("Reshape", reshape, weight=3),
    Row("Reshape", reshape_by_shapes, 9, weight=2, label="Reshape(Shape)"),
    Row("Slice", sliced_by_shape, 9, weight=1, label="Slice(Shape)"),
    Row("Flatten", flatten),
    Row("Squeeze", squeeze, weight=1.5),
    Row("Unsqueeze", unsqueeze, weight=1.5),
    Row("Expand", expand, 8, weight=1.5),
    Row("Tile", tile, weight=1.5),
    Row("Concat", concat, weight=4),
    Row("Split", split, weight=2),
    Row("Slice", slice_, weight=3),
    Row("Pad", pad, weight=2),
    Row("Gather", gather, weight=2),
    Row("GatherElements", gather_elements, 11),
    Row("GatherND", gather_nd, 11),
    Row("ScatterElements", scatter_elements, 11, weight=1.5),
    Row("ScatterND", scatter_nd, 11, weight=1.5),
    Row("DepthToSpace", depth_to_space),
    Row("SpaceToDepth", space_to_depth),
    Row("Resize", resize, 10, weight=2),
    Row("Upsample", upsample, 9, 9),
    Row("Trilu", trilu, 14, weight=1.5),
    Row("OneHot", one_hot, 9),
    Row("Range", range_, 11),
    Row("EyeLike", eye_like, 9),
    Row("ConstantOfShape", constant_of_shape, 9),
    Row("Size", size_of),
    Row("ReverseSequence", reverse_sequence, 10),
    Row("CenterCropPad", center_crop_pad, 18),
    Row("TensorScatter", tensor_scatter, 24, weight=2),
    Row("GridSample", grid_sample, 16),
    Row("HannWindow", window, 17, weight=0.4),
    Row("HammingWindow", window, 17, weight=0.4),
    Row("BlackmanWindow", window, 17, weight=0.4),
]
