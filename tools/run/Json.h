// The few pieces of JSON that dscc-run writes.

#ifndef DSCC_TOOLS_RUN_JSON_H
#define DSCC_TOOLS_RUN_JSON_H

#include <string>

namespace dscc::run {

/// The text in quotes, with what JSON does not allow in them escaped.
std::string jsonString(const std::string &text);
/// With 9 digits; null for NaN and the infinities, for which JSON has no word.
std::string jsonNumber(double value);

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_JSON_H
