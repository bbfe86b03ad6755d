"""The families of kernels, the most telling first. Each file has one table of cases; a new file is a new row here."""

from families import (attention, casts, convolutions, elementwise, functions, movement, norms, pooling, products,
                      quantised, recurrences, reductions, softmax)

ORDER = (elementwise, products, reductions, convolutions, softmax, norms, movement, functions, casts, pooling, attention,
         quantised, recurrences)
FAMILIES = {family.name: family for module in ORDER for family in module.FAMILIES}
