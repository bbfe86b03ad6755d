// XXH64 against its specification's test vectors, one for each path through the code.

#include "runtime/Hash.h"

#include <gtest/gtest.h>

#include <string>

namespace dscc {

static uint64_t hashOf(const std::string &text) { return xxh64(text.data(), text.size()); }

// Published with the reference implementation, seed 0.
TEST(Hash, KnownVectors) {
  EXPECT_EQ(hashOf(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(hashOf("a"), 0xD24EC4F1A98C6E5Bu);
  EXPECT_EQ(hashOf("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(hashOf("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1u);
}

// 4-byte and 8-byte steps, and whole rounds of 32.
TEST(Hash, EveryLengthIsItsOwn) {
  std::string bytes;
  for (int i = 0; i < 200; ++i)
    bytes += static_cast<char>(i * 37);
  for (size_t longer = 1; longer <= bytes.size(); ++longer)
    for (size_t shorter = 0; shorter < longer; ++shorter)
      ASSERT_NE(xxh64(bytes.data(), longer), xxh64(bytes.data(), shorter)) << longer << " and " << shorter;
}

// The bytes may lie anywhere.
TEST(Hash, AlignmentDoesNotMatter) {
  std::string text(100, 'x');
  uint64_t expected = hashOf(text);
  for (size_t offset = 1; offset < 8; ++offset) {
    std::string moved = std::string(offset, '-') + text;
    EXPECT_EQ(xxh64(moved.data() + offset, text.size()), expected);
  }
}

} // namespace dscc
