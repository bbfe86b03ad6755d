"""Random operands, seeded: the same family, type, size and seed give the same numbers.

A maker takes (random, shape, element) and returns an array of the element's type.
"""

import numpy as np

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -2.5, 2.0]


def normal(random, shape, element):
    """About 1 in size. Integers are small, so that few sums of products overflow a byte."""
    if element.name == "bool":
        return random.random(shape) < 0.5
    if element.is_integer:
        return random.integers(0 if element.name[0] == "u" else -9, 10, shape).astype(element.numpy)
    return random.standard_normal(shape).astype(element.numpy)


def anything(random, shape, element):
    """Integers over their whole range; floats of several sizes, some of them special."""
    if not element.is_float:
        if element.name == "bool":
            return normal(random, shape, element)
        limits = np.iinfo(element.numpy)
        array = random.integers(limits.min, limits.max, shape, element.numpy, endpoint=True)
        array.flat[::5] = random.integers(0, 100, array.flat[::5].shape).astype(element.numpy)
        return array
    with np.errstate(all="ignore"):
        array = (random.standard_normal(shape) * 2.0 ** random.integers(-6, 7, shape)).astype(element.numpy)
    return sprinkle(random, array, SPECIAL)


def sprinkle(random, array, special):
    """Some of the array's numbers become special ones, if there is room."""
    if array.size > 2 * len(special):
        array.flat[random.permutation(array.size)[: len(special)]] = special
    return array


def infinite(random, shape, element):
    """Normal numbers with some infinities and ties, without NaN."""
    array = normal(random, shape, element)
    return sprinkle(random, array, [np.inf, -np.inf, 1, 1, 0]) if element.is_float else array


def sweep(random, shape, element):
    """For functions: a third in [-1, 1], a third in [-20, 20], a third of all exponents; and special ones."""
    count = int(np.prod(shape))
    highest = {"f16": 15, "f64": 1023}.get(element.name, 127)
    lowest = element.min_exponent - element.precision
    exponents = random.integers(lowest, highest + 1, count)
    with np.errstate(all="ignore"):
        parts = np.stack([random.uniform(-1, 1, count), random.uniform(-20, 20, count),
                          np.ldexp(random.uniform(1, 2, count), exponents) * random.choice([-1, 1], count)])
        array = parts[random.integers(0, 3, count), np.arange(count)].astype(element.numpy)
    return sprinkle(random, array, SPECIAL).reshape(shape)


def every_half(random, shape, element):
    """All numbers of a 16-bit format, in order; of the others a sweep of as many."""
    if element.numpy.itemsize == 2:
        return np.resize(np.arange(2**16, dtype=np.uint16), shape).view(element.numpy)
    return sweep(random, shape, element)


def no_subnormals(random, shape, element):
    """The same, but that numbers below the smallest normal one of float32 are 1: the logarithm takes them for that one."""
    array = every_half(random, shape, element)
    if element.name in ("f16", "f64"):
        return array
    is_small = (np.abs(array.astype(np.float64)) < 2.0**-126) & (array != 0)
    return np.where(is_small, np.array(1, element.numpy), array)


def angles(random, shape, element):
    """The same up to 2^40: beyond that the sines of numbers of float32 are only promised to be in [-1, 1]."""
    array = every_half(random, shape, element)
    if element.name == "f64":
        return array
    return np.where(np.abs(array.astype(np.float64)) < 2.0**40, array, np.array(1, element.numpy))


def large_quotients(random, shape, element):
    """For remainders: up to 2^30 times as large as a divisor about 1 in size."""
    array = anything(random, shape, element)
    if not element.is_float:
        return array
    with np.errstate(over="ignore"):
        return (array.astype(np.float64) * 2.0 ** random.integers(-3, 12 if element.name == "f16" else 31, shape)).astype(
            element.numpy)


def positive(random, shape, element):
    if element.is_float:
        return (np.abs(random.standard_normal(shape)) + 0.1).astype(element.numpy)
    return random.integers(1, 10, shape).astype(element.numpy)


def nonzero(random, shape, element):
    """Whole numbers to divide by: neither 0 nor, for the least number has no opposite, -1."""
    array = anything(random, shape, element)
    if not element.is_integer:
        return array
    return np.where((array == 0) | (array == np.array(-1).astype(element.numpy)), np.array(3, element.numpy), array)


def below(limit):
    """Indices of 0 to limit - 1, some counted from the end."""
    return lambda random, shape, element: random.integers(-limit, limit, shape).astype(element.numpy)


def mask(random, shape, element):
    return random.random(shape) < 0.5
