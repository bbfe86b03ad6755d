"""Modules of one group each, in the text of dsc: what regret.py forces every schedule of.

`CPU` and `CUDA` are {name: text}: the same kinds in both. Sizes are those of models, and beside them some that divide
by nothing; for CUDA they are smaller, because a simulated multiplication takes a hundred times as long as a real one.
"""

MODULE = """module attributes {{dsc.relations = [], dsc.stage = "imported", dsc.symbols = []}} {{
  func.func @main({arguments}) -> ({result} {{dsc.name = "result"}}) {{
{body}
    return %result : {result}
  }}
}}
"""


def tensor(*dims, element="f32"):
    return f"tensor<{''.join(f'{dim}x' for dim in dims)}{element}>"


def module(inputs, result, lines):
    arguments = ", ".join(f'%{name}: {kind} {{dsc.name = "{name}"}}' for name, kind in inputs.items())
    return MODULE.format(arguments=arguments, result=result, body="\n".join("    " + line for line in lines))


def matmul(rows, inner, columns, batch=(), transposed=False):
    a, c = tensor(*batch, rows, inner), tensor(*batch, rows, columns)
    b = tensor(*batch, *((columns, inner) if transposed else (inner, columns)))
    attributes = " {transpose_rhs}" if transposed else ""
    return module({"a": a, "b": b}, c, [f"%result = dsc.matmul %a, %b{attributes} : ({a}, {b}) -> {c}"])


def windowed(size, window, stride):
    """The size of the result, and the pad, of a window over an image."""
    pad = window // 2
    return (size + 2 * pad - window) // stride + 1, pad


def conv(channels, size, filters, window, stride=1, groups=1):
    out, pad = windowed(size, window, stride)
    x, w, y = tensor(1, channels, size, size), tensor(filters, channels // groups, window, window), \
        tensor(1, filters, out, out)
    return module({"x": x, "w": w}, y,
                  [f"%result = dsc.conv %x, %w {{strides = [{stride}, {stride}], dilations = [1, 1], "
                   f"pads = [{pad}, {pad}, {pad}, {pad}], groups = {groups}}} : ({x}, {w}) -> {y}"])


def conv_last(channels, size, filters, window, stride=1, groups=1):
    """With the channels last."""
    out, pad = windowed(size, window, stride)
    x, w, y = tensor(1, size, size, channels), tensor(window, window, channels // groups, filters), \
        tensor(1, out, out, filters)
    return module({"x": x, "w": w}, y,
                  [f"%result = dsc.conv %x, %w {{channels_last, strides = [{stride}, {stride}], dilations = [1, 1], "
                   f"pads = [{pad}, {pad}, {pad}, {pad}], groups = {groups}}} : ({x}, {w}) -> {y}"])


def pool(op, channels, size, window, stride):
    out, pad = windowed(size, window, stride)
    x, y = tensor(1, channels, size, size), tensor(1, channels, out, out)
    return module({"x": x}, y, [f"%result = dsc.{op} %x {{window = [{window}, {window}], strides = [{stride}, {stride}], "
                                f"dilations = [1, 1], pads = [{pad}, {pad}, {pad}, {pad}]}} : ({x}) -> {y}"])


def rows(op, attributes, count, length, keeps, element="f32"):
    x, y = tensor(count, length), tensor(count, length if keeps else 1, element=element)
    return module({"x": x}, y, [f"%result = dsc.{op} %x {{{attributes}}} : ({x}) -> {y}"])


def columns(count, length):
    x, y = tensor(count, length), tensor(1, length)
    return module({"x": x}, y, [f"%result = dsc.reduce_sum %x {{axes = [0]}} : ({x}) -> {y}"])


def top_k(count, length, k):
    x, values, places = tensor(count, length), tensor(count, k), tensor(count, k, element="i64")
    return module({"x": x}, values, [f"%result, %places = dsc.top_k %x {{axis = 1 : i64, k = #dsc.dims<{k}>}} : "
                                     f"({x}) -> ({values}, {places})"])


def elementwise(*dims):
    x = tensor(*dims)
    return module({"x": x, "y": x}, x, [f"%0 = dsc.add %x, %y : ({x}, {x}) -> {x}",
                                        f"%result = dsc.sigmoid %0 : ({x}) -> {x}"])


def transpose(a, b):
    x, y = tensor(a, b), tensor(b, a)
    return module({"x": x}, y, [f"%result = dsc.transpose %x {{permutation = [1, 0]}} : ({x}) -> {y}"])


def concat(count, first, second):
    x, y, z = tensor(count, first), tensor(count, second), tensor(count, first + second)
    return module({"x": x, "y": y}, z, [f"%result = dsc.concat %x, %y {{axis = 1 : i64}} : ({x}, {y}) -> {z}"])


def sliced(count, length, step):
    x, y = tensor(count, length), tensor(count, length // step)
    return module({"x": x}, y, [f"%result = dsc.slice %x {{starts = #dsc.dims<0, 0>, sizes = #dsc.dims<{count}, "
                                f"{length // step}>, steps = [1, {step}]}} : ({x}) -> {y}"])


def resize(channels, size):
    x, y = tensor(1, channels, size, size), tensor(1, channels, 2 * size, 2 * size)
    return module({"x": x}, y, ['%result = dsc.resize %x {mode = "nearest", coordinates = "asymmetric", rounding = "floor", '
                                f"scales = [1.0, 1.0, 2.0, 2.0], cubic_a = -0.75 : f64}} : ({x}) -> {y}"])


def name_of(kind, dims):
    return f"{kind}_{'x'.join(map(str, dims))}"


def products(dims, batched, transposed):
    kernels = {name_of("matmul", one): matmul(*one) for one in dims}
    kernels |= {name_of("matmul_12", one).replace("12_", "12x"): matmul(*one, batch=(12,)) for one in batched}
    return kernels | {name_of("matmul_transposed", one): matmul(*one, transposed=True) for one in transposed}


def convolutions(dims):
    """Of channels, size, filters, window, stride and groups."""
    return {name_of("conv", one): conv(*one) for one in dims}


def convolutions_last(dims):
    return {name_of("conv_last", one): conv_last(*one) for one in dims}


def over_rows(lengths, elements):
    kernels = {}
    for length in lengths:
        count = max(1, elements // length)
        kernels[f"softmax_{count}x{length}"] = rows("softmax", "axis = 1 : i64", count, length, True)
        kernels[f"layer_norm_{count}x{length}"] = rows("layer_norm", "axis = 1 : i64, epsilon = 1.0e-05 : f64", count,
                                                       length, True)
    for length in lengths[1::3]:
        count = max(1, elements // length)
        kernels[f"sum_{count}x{length}"] = rows("reduce_sum", "axes = [1]", count, length, False)
        kernels[f"arg_max_{count}x{length}"] = rows("arg_max", "axis = 1 : i64", count, length, False, "i64")
    return kernels


def movements(scale):
    """Of images and matrices so many times as large along each side."""
    s = scale
    return {
        f"sigmoid_{64 * s * s + 1}": elementwise(64 * s * s + 1),
        f"sigmoid_{16 * s - 1}x{24 * s + 1}": elementwise(16 * s - 1, 24 * s + 1),
        f"sigmoid_64x{14 * s}x{14 * s}": elementwise(64, 14 * s, 14 * s),
        f"transpose_{128 * s}x{96 * s}": transpose(128 * s, 96 * s),
        f"transpose_97x{256 * s - 1}": transpose(97, 256 * s - 1),
        f"concat_{16 * s}x{48 * s}x{16 * s}": concat(16 * s, 48 * s, 16 * s),
        f"slice_{32 * s}x{128 * s}x2": sliced(32 * s, 128 * s, 2),
        f"resize_16x{14 * s}": resize(16, 14 * s),
        f"max_pool_64x{28 * s}x3x2": pool("max_pool", 64, 28 * s, 3, 2),
        f"average_pool_64x{14 * s}x3x1": pool("average_pool", 64, 14 * s, 3, 1),
    }


CPU = products([(1, 64, 64), (1, 768, 768), (1, 768, 3072), (2, 768, 768), (3, 512, 512), (7, 33, 127), (8, 768, 768),
                (17, 255, 33), (16, 768, 768), (33, 384, 1536), (64, 384, 384), (64, 384, 1536), (64, 1536, 384),
                (127, 64, 127), (128, 768, 768), (197, 768, 3072), (255, 255, 255), (512, 512, 512), (64, 64, 5),
                (64, 64, 20), (1025, 64, 64)],
               batched=[(64, 32, 64), (64, 64, 32), (197, 64, 197)],
               transposed=[(1, 384, 384), (16, 384, 384), (64, 64, 64), (128, 256, 512)])
CPU |= convolutions([(3, 224, 64, 7, 2), (64, 56, 64, 1), (64, 56, 64, 3), (128, 28, 128, 3), (256, 14, 256, 3),
                     (512, 7, 512, 3), (256, 56, 64, 1), (1024, 14, 256, 1), (16, 112, 16, 3, 1, 16),
                     (96, 28, 96, 3, 1, 96), (960, 7, 960, 5, 1, 960), (24, 56, 72, 1), (72, 28, 40, 1),
                     (40, 28, 120, 1), (3, 224, 16, 3, 2), (64, 56, 128, 3, 2), (256, 56, 128, 1, 2),
                     (72, 56, 72, 5, 2, 72), (128, 28, 128, 3, 1, 32)])
CPU |= convolutions_last([(64, 56, 64, 3), (256, 14, 256, 3), (512, 7, 512, 3), (64, 56, 128, 3, 2), (256, 56, 128, 1, 2),
                          (32, 28, 48, 3), (24, 28, 72, 3), (16, 112, 16, 3, 1, 16), (96, 28, 96, 3, 1, 96),
                          (72, 56, 72, 3, 1, 72), (72, 56, 72, 5, 2, 72), (240, 28, 240, 5, 1, 240),
                          (960, 7, 960, 5, 1, 960), (96, 56, 96, 7, 1, 96), (128, 28, 128, 3, 1, 4)])
CPU |= over_rows((7, 33, 64, 127, 256, 768, 1025, 4096), 100000)
CPU |= {"sum_of_columns_512x512": columns(512, 512), "sum_of_columns_33x2049": columns(33, 2049),
        "top_k_100x1000x5": top_k(100, 1000, 5)}
CPU |= movements(4)

CUDA = products([(1, 64, 64), (1, 256, 256), (1, 256, 1024), (2, 256, 256), (3, 128, 512), (7, 33, 127), (8, 256, 256),
                 (17, 255, 33), (16, 256, 256), (33, 128, 512), (64, 128, 128), (64, 128, 512), (64, 512, 128),
                 (127, 64, 127), (128, 256, 256), (197, 64, 512), (255, 255, 255), (64, 64, 5), (64, 64, 20),
                 (1025, 64, 64), (512, 64, 512), (1000, 33, 300), (1024, 16, 1024), (640, 32, 768)],
                batched=[(64, 32, 64), (64, 64, 32), (50, 64, 50)],
                transposed=[(1, 256, 256), (16, 128, 128), (64, 64, 64), (128, 64, 256)])
CUDA |= convolutions([(3, 64, 32, 7, 2), (16, 28, 16, 1), (16, 28, 16, 3), (32, 14, 32, 3), (64, 7, 64, 3),
                      (64, 28, 16, 1), (128, 7, 64, 1), (16, 56, 16, 3, 1, 16), (96, 14, 96, 3, 1, 96),
                      (240, 7, 240, 5, 1, 240), (24, 28, 72, 1), (72, 14, 40, 1), (3, 64, 16, 3, 2),
                      (16, 28, 32, 3, 2), (64, 28, 32, 1, 2), (72, 28, 72, 5, 2, 72), (32, 14, 32, 3, 1, 8),
                      (32, 56, 64, 1), (16, 56, 64, 3), (3, 112, 64, 3, 2)])
CUDA |= over_rows((7, 33, 64, 127, 256, 768, 1025, 4096), 20000)
CUDA |= {"sum_of_columns_512x128": columns(512, 128), "sum_of_columns_33x513": columns(33, 513),
         "top_k_10x100x5": top_k(10, 100, 5), "top_k_4x2000x5": top_k(4, 2000, 5)}
CUDA |= movements(2)
