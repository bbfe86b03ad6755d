// Tensors that do not fit a signature are refused, with a sentence that names the input, the dim and both values.

#include "runtime/Inputs.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dscc {

// A model by hand: tokens [batch, seq] of int64, cache [batch, past, 8] of float32  ->  scores [batch, past + seq].
static const char *const tokensDims[] = {"batch", "seq"}, *const cacheDims[] = {"batch", "past", "8"},
                         *const maskDims[] = {"past + seq"}, *const scoresDims[] = {"batch", "past + seq"};
static const dscc_symbol symbols[] = {{"batch", 1, 16, DSCC_SYMBOL_AXIS, 0, 0, 0},
                                      {"seq", 0, 1000, DSCC_SYMBOL_AXIS, 0, 1, 0},
                                      {"past", 0, 1000, DSCC_SYMBOL_AXIS, 1, 1, 0}};
static const dscc_tensor inputTensors[] = {
    {"tokens", DSCC_INT64, 2, tokensDims}, {"cache", DSCC_FLOAT, 3, cacheDims}, {"mask", DSCC_BOOL, 1, maskDims}};
static const dscc_tensor outputTensors[] = {{"scores", DSCC_FLOAT, 2, scoresDims}};

static void computeDims(const int64_t *symbol, int64_t *dims) {
  const int64_t batch = symbol[0], seq = symbol[1], past = symbol[2];
  for (int64_t dim : {batch, seq, batch, past, int64_t(8), past + seq, batch, past + seq})
    *dims++ = dim;
}

/// All elements of something like an array.
template <typename Array> static dscc_table recordsOf(const Array &array) {
  return {std::data(array), uint32_t(std::size(array)), uint32_t(sizeof(*std::data(array)))};
}

static dscc_model_v2 makeTable() {
  dscc_model_v2 table = {};
  table.symbols = recordsOf(symbols);
  table.inputs = recordsOf(inputTensors);
  table.outputs = recordsOf(outputTensors);
  table.dims = computeDims;
  return table;
}

namespace {
/// Buffers that fit: batch 2, seq 3, past 4. A test spoils one thing.
struct Inputs : testing::Test {
  dscc_model_v2 table = makeTable();
  std::vector<int64_t> tokens = {2, 3}, cache = {2, 4, 8}, mask = {7}, scores = {2, 7};
  std::array<char, 4096> memory = {};
  std::array<dscc_buffer, 3> inputs = {{{"tokens", DSCC_INT64, 2, tokens.data(), memory.data(), 2 * 3 * 8, 0},
                                        {"cache", DSCC_FLOAT, 3, cache.data(), memory.data(), 2 * 4 * 8 * 4, 0},
                                        {"mask", DSCC_BOOL, 1, mask.data(), memory.data(), 7, 0}}};
  dscc_buffer output = {"scores", DSCC_FLOAT, 2, scores.data(), memory.data(), 2 * 7 * 4, 0};

  int64_t symbolValues[3] = {}, dims[8] = {};
  const dscc_buffer *boundInputs[3] = {}, *boundOutputs[1] = {};
  Binding binding = {symbolValues, dims, boundInputs, boundOutputs, nullptr};

  dscc_status bind(bool needData = true) { return bindInputs(table, inputs.data(), inputs.size(), needData, binding); }
  void expectRefused(const char *sentence) {
    EXPECT_EQ(bind(), DSCC_BAD_INPUT);
    EXPECT_STREQ(dscc_last_error(), sentence);
  }
  void expectOutputRefused(dscc_status status, const char *sentence) {
    ASSERT_EQ(bind(), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(bindOutputs(table, &output, 1, binding), status);
    EXPECT_STREQ(dscc_last_error(), sentence);
  }
};
} // namespace

/// Both sides of: tokens' seq against cache's past; 2 * past against seq.
static void computeSides(const int64_t *symbol, int64_t *sides) {
  const int64_t seq = symbol[1], past = symbol[2];
  for (int64_t side : {seq, past, 2 * past, seq})
    *sides++ = side;
}

namespace {
struct Relations : Inputs {
  int32_t both[2] = {1, 2};
  dscc_relation relations[2] = {{"add", "seq", "past", both, 2, DSCC_BROADCAST},
                                {"split", "2*past", "seq", both, 2, DSCC_MULTIPLE}};
  int64_t sides[4] = {};

  Relations() {
    table.relations = recordsOf(relations);
    table.sides = computeSides;
    binding.sides = sides;
    setDims(4, 4);
  }
  void setDims(int64_t seq, int64_t past) {
    tokens[1] = seq;
    cache[1] = past;
    mask[0] = seq + past;
    inputs[0].bytes = inputs[1].bytes = inputs[2].bytes = memory.size();
  }
};
} // namespace

TEST_F(Relations, Hold) {
  EXPECT_EQ(bind(), DSCC_OK) << dscc_last_error();
  setDims(1, 4);
  EXPECT_EQ(bind(), DSCC_OK) << dscc_last_error();
  setDims(2, 1);
  EXPECT_EQ(bind(), DSCC_OK) << dscc_last_error();
}

TEST_F(Relations, BroadcastIsRefused) {
  setDims(3, 4);
  expectRefused("node 'add' needs 'seq' and 'past' to be equal, or one of them 1, but they are 3 and 4: input 'tokens' "
                "axis 1 ('seq') is 3, input 'cache' axis 1 ('past') is 4");
}

TEST_F(Relations, MultipleIsRefused) {
  setDims(4, 1);
  expectRefused("node 'split' needs '2*past' and 'seq' to divide without remainder, but they are 2 and 4: input "
                "'tokens' axis 1 ('seq') is 4, input 'cache' axis 1 ('past') is 1");
}

TEST_F(Relations, EqualIsRefused) {
  relations[0].kind = DSCC_EQUAL;
  setDims(1, 4);
  expectRefused("node 'add' needs 'seq' and 'past' to be equal, but they are 1 and 4: input 'tokens' axis 1 ('seq') is "
                "1, input 'cache' axis 1 ('past') is 4");
}

TEST_F(Relations, NothingTimesNothing) {
  setDims(0, 0);
  EXPECT_EQ(bind(), DSCC_OK) << dscc_last_error();
}

TEST_F(Inputs, ThatFitAreBound) {
  ASSERT_EQ(bind(), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(symbolValues[0], 2);
  EXPECT_EQ(symbolValues[1], 3);
  EXPECT_EQ(symbolValues[2], 4);
  EXPECT_EQ(bindOutputs(table, &output, 1, binding), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(dims[7], 7); // past + seq
}

TEST_F(Inputs, ByNameMayComeInAnyOrder) {
  std::swap(inputs[0], inputs[2]);
  ASSERT_EQ(bind(), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(boundInputs[0], &inputs[2]);
}

TEST_F(Inputs, ByPosition) {
  for (dscc_buffer &buffer : inputs)
    buffer.name = nullptr;
  EXPECT_EQ(bind(), DSCC_OK) << dscc_last_error();
}

TEST_F(Inputs, NamesThatDoNotFit) {
  inputs[1].name = "cash";
  expectRefused("the model has no input 'cash'; it has 'tokens', 'cache', 'mask'");
  inputs[1].name = "tokens";
  expectRefused("input 'tokens' was given twice");
  EXPECT_EQ(bindInputs(table, inputs.data(), 1, true, binding), DSCC_BAD_INPUT);
  EXPECT_STREQ(dscc_last_error(), "input 'cache' is missing");
}

TEST_F(Inputs, OneTooManyByPosition) {
  std::vector<dscc_buffer> four(4);
  for (size_t i = 0; i < 4; ++i) {
    four[i] = inputs[i % 3];
    four[i].name = nullptr;
  }
  EXPECT_EQ(bindInputs(table, four.data(), 4, true, binding), DSCC_BAD_INPUT);
  EXPECT_STREQ(dscc_last_error(), "input number 4 was given, but the model has only 3");
}

// As many names as a sentence has room for, and no half one.
TEST_F(Inputs, ManyNames) {
  const std::string name(100, 'n');
  std::vector<dscc_tensor> many(9, {name.c_str(), DSCC_FLOAT, 0, nullptr});
  table.inputs = recordsOf(many);
  std::string four;
  for (int i = 0; i < 4; ++i)
    four += "'" + name + "', ";
  expectRefused(("the model has no input 'tokens'; it has " + four + "...").c_str());
  table.inputs.count = 0;
  expectRefused("the model has no input 'tokens'; it has none");
}

TEST_F(Inputs, TypeAndRank) {
  inputs[0].dtype = DSCC_INT32;
  expectRefused("input 'tokens' has element type int32, but the model takes int64");
  inputs[0].dtype = DSCC_INT64;
  inputs[0].rank = 1;
  expectRefused("input 'tokens' has rank 1, but the model takes rank 2");
  inputs[0].rank = 2;
  inputs[0].dims = nullptr;
  expectRefused("input 'tokens' has no dims");
}

TEST_F(Inputs, FixedDim) {
  cache[2] = 9;
  expectRefused("input 'cache' axis 2 is 9, but the model takes 8");
}

// Two inputs that share a named dim must agree on it.
TEST_F(Inputs, SharedDim) {
  cache[0] = 5;
  expectRefused("input 'cache' axis 0 ('batch') is 5, but input 'tokens' made it 2");
}

// A dim that is computed from others: past + seq = 4 + 3.
TEST_F(Inputs, Relation) {
  mask[0] = 8;
  expectRefused("input 'mask' axis 0 is 8, but the model takes 7 (past + seq)");
}

TEST_F(Inputs, Bounds) {
  tokens[0] = 17;
  expectRefused("input 'tokens' axis 0 ('batch') is 17, but the model was compiled for at most 16");
  tokens[0] = 0;
  expectRefused("input 'tokens' axis 0 ('batch') is 0, but the model was compiled for at least 1");
  tokens[0] = -2;
  expectRefused("input 'tokens' axis 0 is -2");
}

TEST_F(Inputs, EmptyDimIsAllowedWhereItIsInBounds) {
  cache[1] = 0;
  mask[0] = 3;
  inputs[1].bytes = 0;
  inputs[1].data = nullptr;
  EXPECT_EQ(bind(), DSCC_OK) << dscc_last_error();
}

TEST_F(Inputs, TooFewBytes) {
  inputs[0].bytes = 47;
  expectRefused("input 'tokens' has 47 bytes, but its dims need 48");
  EXPECT_EQ(bind(/*needData=*/false), DSCC_OK);
  inputs[0].bytes = 48;
  inputs[0].data = nullptr;
  expectRefused("input 'tokens' has 0 bytes, but its dims need 48");
}

TEST_F(Inputs, Outputs) {
  output.bytes = 55;
  expectOutputRefused(DSCC_TOO_SMALL, "output 'scores' has room for 55 bytes and needs 56");
  output.bytes = 56;
  scores[1] = 6;
  expectOutputRefused(DSCC_BAD_INPUT, "output 'scores' axis 1 is given as 6, but these inputs make it 7");
  output.dims = nullptr;
  output.dtype = DSCC_DOUBLE;
  expectOutputRefused(DSCC_BAD_INPUT, "output 'scores' has element type float64, but the model takes float32");
}

static void computeHugeScores(const int64_t *symbol, int64_t *dims) {
  computeDims(symbol, dims);
  dims[6] = dims[7] = int64_t(1) << 40;
}

static void computeNegativeScores(const int64_t *symbol, int64_t *dims) {
  computeDims(symbol, dims);
  dims[7] = -1;
}

TEST_F(Inputs, OutputsThatCannotBe) {
  output.dims = nullptr;
  table.dims = computeHugeScores;
  expectOutputRefused(DSCC_BAD_INPUT, "output 'scores' has more elements than can be counted");
  table.dims = computeNegativeScores;
  expectOutputRefused(DSCC_BAD_INPUT, "these inputs make output 'scores' axis 1 -1");
}

TEST_F(Inputs, MoreElementsThanCanBeCounted) {
  constexpr int64_t huge = int64_t(1) << 40;
  const dscc_symbol wide[] = {{"batch", 1, huge, DSCC_SYMBOL_AXIS, 0, 0, 0},
                              {"seq", 0, huge, DSCC_SYMBOL_AXIS, 0, 1, 0},
                              {"past", 0, huge, DSCC_SYMBOL_AXIS, 1, 1, 0}};
  table.symbols = recordsOf(wide);
  tokens = {huge, huge};
  expectRefused("input 'tokens' has more elements than can be counted");
}

TEST_F(Inputs, CountBytes) {
  uint64_t bytes;
  const int64_t none[] = {1}, huge[] = {int64_t(1) << 40, int64_t(1) << 40}, negative[] = {-1};
  EXPECT_TRUE(countBytes(DSCC_DOUBLE, 0, none, bytes));
  EXPECT_EQ(bytes, 8u);
  EXPECT_FALSE(countBytes(DSCC_FLOAT, 2, huge, bytes));
  EXPECT_FALSE(countBytes(DSCC_FLOAT, 1, negative, bytes));
}

} // namespace dscc
