// Where ptxas is.

#ifndef DSCC_TOOLS_FINDPTXAS_H
#define DSCC_TOOLS_FINDPTXAS_H

#include <string>

namespace dscc {

/// Looks in --cuda-path, CUDA_HOME, PATH, and in the environment that tools/setup makes beside the program's folder;
/// empty if it is nowhere. A --cuda-path without one is an error, told in `error`.
std::string findPtxas(const std::string &cudaPath, const std::string &program, std::string &error);

} // namespace dscc

#endif // DSCC_TOOLS_FINDPTXAS_H
