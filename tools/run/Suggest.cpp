#include "tools/run/Suggest.h"

#include "tools/run/Dims.h"

#include <algorithm>
#include <cassert>
#include <cctype>
#include <numeric>
#include <set>

using namespace dscc::run;

using Values = std::map<std::string, int64_t>;

/// How many letters must be put in, taken out or changed to make one word of the other (Levenshtein).
static size_t countSlips(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string dscc::run::didYouMean(const std::string &word, const std::vector<std::string> &known) {
  // Of a short word nothing is left after two slips.
  size_t allowed = std::min<size_t>(2, word.size() / 2), best = allowed + 1;
  const std::string *nearest = nullptr;
  for (const std::string &name : known) {
    size_t slips = countSlips(word, name);
    if (slips >= best)
      continue;
    best = slips;
    nearest = &name;
  }
  return nearest ? "; did you mean `" + *nearest + "`?" : "";
}

/// Calls `visit(input, axis, text)` for each dim of the model's inputs.
template <typename Visit> static void visitDims(const dscc_model *model, Visit visit) {
  for (size_t index = 0; index < dscc_num_inputs(model); ++index)
    for (int axis = 0; axis < dscc_input(model, index)->rank; ++axis)
      visit(index, axis, std::string(dscc_input(model, index)->dims[axis]));
}

std::vector<std::string> dscc::run::listNamedDims(const dscc_model *model) {
  std::vector<std::string> names;
  visitDims(model, [&](size_t, int, const std::string &text) {
    if (isNamedDim(text) && std::find(names.begin(), names.end(), text) == names.end())
      names.push_back(text);
  });
  return names;
}

namespace {
/// Looks for values of some named dims; all others stay.
class Search {
public:
  Search(const dscc_model *model, const std::vector<HostTensor> &inputs, std::vector<int64_t> candidates)
      : model(model), inputs(inputs), candidates(std::move(candidates)) {}

  /// One name changes, or all have the same value, or two change. `values` then holds what fits.
  bool vary(const std::vector<std::string> &names, Values &values) {
    for (const std::string &name : names)
      if (tryEach({name}, values))
        return true;
    if (tryEach(names, values))
      return true;
    for (const std::string &first : names)
      for (int64_t candidate : candidates) {
        Values changed = values;
        changed[first] = candidate;
        for (const std::string &second : names)
          if (second != first && tryEach({second}, changed)) {
            values = changed;
            return true;
          }
      }
    return false;
  }

private:
  bool tryEach(const std::vector<std::string> &names, Values &values) {
    Values changed = values;
    for (int64_t candidate : candidates) {
      for (const std::string &name : names)
        changed[name] = candidate;
      if (!fits(changed))
        continue;
      values = changed;
      return true;
    }
    return false;
  }

  /// The runtime itself says whether it does: it looks at dims, not at data.
  bool fits(const Values &values) {
    // Each try takes some microseconds; a model with many names has too many combinations.
    constexpr int maxTries = 20000;
    if (++tries > maxTries)
      return false;
    std::vector<std::vector<int64_t>> dims(inputs.size());
    std::vector<dscc_buffer> buffers;
    for (size_t index = 0; index < inputs.size(); ++index) {
      const dscc_tensor *declared = dscc_input(model, index);
      dims[index] = inputs[index].dims;
      if (inputs[index].file.empty() && !evaluate(*declared, values, dims[index]))
        return false;
      buffers.push_back({declared->name, inputs[index].dtype, static_cast<int>(dims[index].size()), dims[index].data(),
                         nullptr, 0, 0});
    }
    int64_t outputDims[DSCC_MAX_RANK];
    for (size_t index = 0; index < dscc_num_outputs(model); ++index)
      if (dscc_output_dims(model, buffers.data(), buffers.size(), index, outputDims) != DSCC_OK)
        return false;
    return true;
  }

  static bool evaluate(const dscc_tensor &declared, const Values &values, std::vector<int64_t> &dims) {
    dims.clear();
    for (int axis = 0; axis < declared.rank; ++axis) {
      std::optional<int64_t> dim = evaluateDim(declared.dims[axis], values);
      if (!dim || *dim < 0)
        return false;
      dims.push_back(*dim);
    }
    return true;
  }

  const dscc_model *model;
  const std::vector<HostTensor> &inputs;
  std::vector<int64_t> candidates;
  int tries = 0;
};
} // namespace

/// Numbers of the sentence and of what was given, then sizes that models are often made for.
static std::vector<int64_t> collectCandidates(const std::string &sentence, const Values &values) {
  std::vector<int64_t> candidates;
  auto add = [&](int64_t candidate) {
    constexpr int64_t largest = 1 << 20;
    if (candidate >= 0 && candidate <= largest &&
        std::find(candidates.begin(), candidates.end(), candidate) == candidates.end())
      candidates.push_back(candidate);
  };
  for (size_t at = 0; at < sentence.size(); ++at) {
    size_t end = at;
    while (end < sentence.size() && std::isdigit(static_cast<unsigned char>(sentence[end])))
      ++end;
    // A 1 fits many a model but says little about it, so it waits for its turn among the sizes.
    constexpr size_t maxDigits = 7;
    if (end > at && end - at <= maxDigits && sentence.substr(at, end - at) != "1")
      add(std::stoll(sentence.substr(at, end - at)));
    at = end;
  }
  for (const auto &[name, value] : values)
    if (value != 1)
      add(value);
  for (int64_t size : {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 224, 256, 512})
    add(size);
  return candidates;
}

std::string dscc::run::suggestDims(const dscc_model *model, const std::vector<HostTensor> &inputs, const Values &values,
                                   const std::string &sentence) {
  assert(inputs.size() == dscc_num_inputs(model) && "one tensor an input");
  std::set<std::string> inFiles;
  visitDims(model, [&](size_t index, int, const std::string &text) {
    if (!inputs[index].file.empty())
      inFiles.insert(text);
  });
  std::vector<std::string> open, all;
  for (const std::string &name : listNamedDims(model)) {
    if (inFiles.count(name))
      continue;
    all.push_back(name);
    if (!values.count(name))
      open.push_back(name);
  }
  Values found = values;
  Search search(model, inputs, collectCandidates(sentence, values));
  if (!search.vary(open, found) && !search.vary(all, found))
    return "";
  std::string words;
  for (const std::string &name : all)
    if (auto value = found.find(name); value != found.end())
      words += (words.empty() ? "--dim " : " --dim ") + name + "=" + std::to_string(value->second);
  return words;
}
