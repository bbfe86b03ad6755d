// Reads and writes NumPy's .npy files (numpy.lib.format, versions 1 to 3): little-endian, C order.
//
//   "\x93NUMPY" | major minor | header bytes | {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } | data

#ifndef DSCC_TOOLS_RUN_NPY_H
#define DSCC_TOOLS_RUN_NPY_H

#include "tools/run/Elements.h"

namespace dscc::run {

/// Reads `path` into tensor's dtype, dims and bytes. `wanted` is the type that the model wants: where NumPy lacks it,
/// the raw integers that stand for it are taken as `wanted`. On failure returns false and a sentence in `error`.
bool readNpy(const std::string &path, int wanted, HostTensor &tensor, std::string &error);

/// Writes a version 1 file. On failure returns false and a sentence in `error`.
bool writeNpy(const std::string &path, const HostTensor &tensor, std::string &error);

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_NPY_H
