// What is not an artifact, or not any more, is refused before the loader sees it, with a reason.

#include "runtime/ArtifactFile.h"
#include "runtime/Hash.h"
#include "test/unit/runtime/Artifacts.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

namespace dscc {

static std::string body() {
  std::string bytes;
  for (int i = 0; i < 90; ++i)
    bytes += static_cast<char>(7 * i + 1);
  return bytes;
}

/// A whole artifact's bytes with a change to its trailer, whose own hash is right again.
static std::string withChangedTrailer(void (*change)(dscc_trailer &trailer)) {
  std::string bytes = withTrailer(body());
  dscc_trailer trailer;
  char *place = bytes.data() + bytes.size() - sizeof(trailer);
  memcpy(&trailer, place, sizeof(trailer));
  change(trailer);
  trailer.trailer_hash = xxh64(&trailer, offsetof(dscc_trailer, trailer_hash));
  memcpy(place, &trailer, sizeof(trailer));
  return bytes;
}

static void expectRefused(const std::string &bytes, const char *reason) {
  TemporaryFile file(bytes);
  EXPECT_EQ(checkArtifact(file.path(), /*skipHashes=*/false), DSCC_BAD_FILE);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, reason, dscc_last_error());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, file.path(), dscc_last_error());
}

TEST(ArtifactFile, WholeFileIsAccepted) {
  TemporaryFile file(withTrailer(body()));
  EXPECT_EQ(checkArtifact(file.path(), false), DSCC_OK);
  EXPECT_EQ(checkArtifact(file.path(), true), DSCC_OK);
}

TEST(ArtifactFile, EveryTruncationIsRefused) {
  std::string bytes = withTrailer(body());
  TemporaryFile file("");
  for (size_t length = 0; length < bytes.size(); ++length) {
    file.write(bytes.substr(0, length));
    ASSERT_EQ(checkArtifact(file.path(), false), DSCC_BAD_FILE) << length << " bytes";
  }
}

TEST(ArtifactFile, EveryFlippedBitIsRefused) {
  std::string bytes = withTrailer(body());
  TemporaryFile file("");
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    file.write(damaged);
    ASSERT_EQ(checkArtifact(file.path(), false), DSCC_BAD_FILE) << "bit " << bit % 8 << " of byte " << bit / 8;
  }
}

TEST(ArtifactFile, BytesBehindTheEndAreRefused) { expectRefused(withTrailer(body()) + "x", "trailer"); }

// A hash skipped is a flip unseen, in the sections but not in the trailer.
TEST(ArtifactFile, SkippingHashesStillChecksTheTrailer) {
  std::string bytes = withTrailer(body());
  std::string inSection = bytes, inTrailer = bytes;
  inSection[3] ^= 1;
  inTrailer[bytes.size() - sizeof(dscc_trailer)] ^= 1;
  EXPECT_EQ(checkArtifact(TemporaryFile(inSection).path(), true), DSCC_OK);
  EXPECT_EQ(checkArtifact(TemporaryFile(inTrailer).path(), true), DSCC_BAD_FILE);
}

TEST(ArtifactFile, Reasons) {
  expectRefused("", " is too short to be an artifact: 0 bytes");
  expectRefused(std::string(5000, 'x'),
                " does not end in an artifact's trailer: it is no artifact, was cut off, or was stripped");
  std::string bytes = withTrailer(body());
  bytes[0] ^= 1;
  // 90 bytes, padded to 96: two sections of 48.
  expectRefused(bytes, " is damaged: section 0 (bytes 0 to 48) has another hash than when it was made");
  bytes = withTrailer(body());
  bytes[bytes.size() - sizeof(dscc_trailer)] ^= 1;
  expectRefused(bytes, " is damaged: its trailer has another hash than when it was made");
  expectRefused(withTrailer(body(), DSCC_ABI_VERSION + 1),
                " was made for ABI version 6, but this runtime speaks version 5");
  bytes = withChangedTrailer([](dscc_trailer &trailer) { trailer.file_bytes += 8; });
  expectRefused(bytes, (" is damaged: it has " + std::to_string(bytes.size()) + " bytes and should have " +
                        std::to_string(bytes.size() + 8))
                           .c_str());
  expectRefused(withChangedTrailer([](dscc_trailer &trailer) { trailer.num_sections = 7; }),
                " is damaged: its trailer counts 7 sections");
  expectRefused(withChangedTrailer([](dscc_trailer &trailer) { trailer.sections[1].bytes = ~uint64_t(0); }),
                " is damaged: section 1 lies outside the file");
  expectRefused(withChangedTrailer([](dscc_trailer &trailer) { trailer.sections[0].offset = ~uint64_t(0) - 4; }),
                " is damaged: section 0 lies outside the file");
}

TEST(ArtifactFile, OtherThanFiles) {
  EXPECT_EQ(checkArtifact("/no/such/file", false), DSCC_BAD_FILE);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "No such file", dscc_last_error());
  EXPECT_EQ(checkArtifact("/tmp", false), DSCC_BAD_FILE);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "not a regular file", dscc_last_error());
  EXPECT_EQ(checkArtifact("/dev/zero", false), DSCC_BAD_FILE);
}

// The trailer is right, but what it is the end of cannot be loaded.
TEST(ArtifactFile, BodyThatIsNoLibrary) {
  TemporaryFile file(withTrailer(body()));
  dscc_model *model = nullptr;
  EXPECT_EQ(dscc_model_open(file.path(), nullptr, &model), DSCC_BAD_FILE);
  EXPECT_EQ(model, nullptr);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "cannot be loaded", dscc_last_error());
}

// A weight file is a plain name in the artifact's own folder.
TEST(ArtifactFile, WeightFileElsewhereIsRefused) {
  MappedFile mapped;
  EXPECT_EQ(mapBeside("/tmp/model.so", "../etc/passwd", mapped), DSCC_BAD_FILE);
  EXPECT_STREQ(dscc_last_error(),
               "'/tmp/model.so' names the weight file '../etc/passwd', which is not a plain file name");
  EXPECT_EQ(mapBeside("/tmp/model.so", "/etc/passwd", mapped), DSCC_BAD_FILE);
  TemporaryFile file("0123456789");
  std::string path = file.path();
  ASSERT_EQ(mapBeside("/tmp/model.so", path.substr(path.rfind('/') + 1).c_str(), mapped), DSCC_OK);
  EXPECT_EQ(mapped.bytes, 10u);
  EXPECT_EQ(memcmp(mapped.data, "0123456789", 10), 0);
  unmap(mapped);
  TemporaryFile nothing("");
  path = nothing.path();
  EXPECT_EQ(mapBeside("/tmp/model.so", path.substr(path.rfind('/') + 1).c_str(), mapped), DSCC_BAD_FILE);
  EXPECT_EQ(dscc_last_error(), "'" + path + "' cannot be mapped: Invalid argument");
}

} // namespace dscc
