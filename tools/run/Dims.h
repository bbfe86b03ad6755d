// The dims of random inputs: numbers, or expressions over named dims such as `past + seq` or `floordiv(h + 1, 2)`.

#ifndef DSCC_TOOLS_RUN_DIMS_H
#define DSCC_TOOLS_RUN_DIMS_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace dscc::run {

/// The value of a dim's text; a named dim without a value counts as 1. Empty if the text is no expression or its
/// value does not fit 64 bits.
std::optional<int64_t> evaluateDim(const std::string &text, const std::map<std::string, int64_t> &values);

/// True if the text is one bare named dim.
bool isNamedDim(const std::string &text);

/// True if `name` stands in the text as a named dim.
bool mentionsDim(const std::string &text, const std::string &name);

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_DIMS_H
