// What a user who was refused might have meant: names that are close, and values of named dims that fit.

#ifndef DSCC_TOOLS_RUN_SUGGEST_H
#define DSCC_TOOLS_RUN_SUGGEST_H

#include "tools/run/Elements.h"

#include <map>
#include <string>
#include <vector>

namespace dscc::run {

/// "; did you mean `seq`?" if one of the names is a slip of a letter or two away, else nothing.
std::string didYouMean(const std::string &word, const std::vector<std::string> &known);

/// The named dims of the model's inputs, each once, in their order.
std::vector<std::string> listNamedDims(const dscc_model *model);

/// Words for the command line, such as "--dim n=4 --dim m=4", with which the inputs that no file gives would fit the
/// model. `values` are those of the command line and of the files' dims; where they allow a way, it keeps them. Numbers
/// in `sentence`, which said what does not fit, are tried first. Empty if no way is found soon.
std::string suggestDims(const dscc_model *model, const std::vector<HostTensor> &inputs,
                        const std::map<std::string, int64_t> &values, const std::string &sentence);

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_SUGGEST_H
