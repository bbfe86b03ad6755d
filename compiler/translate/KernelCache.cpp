#include "compiler/translate/KernelCache.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace dscc {

namespace {
/// What an entry's file begins with; its bytes follow.
struct Header {
  char magic[8];
  uint64_t bytes, hash; // XXH3 of the bytes
};
constexpr size_t keyDigits = 32;
/// The beginning of the name of an entry that is being written; it lies in the folder itself.
constexpr llvm::StringLiteral unfinished = "dscc-";
constexpr char magic[8] = {'d', 's', 'c', 'c', 'k', 'e', 'e', 'p'};

struct Entry {
  std::string path;
  llvm::sys::TimePoint<> used;
  uint64_t bytes;
};
} // namespace

/// When it is too large, it shrinks to this share of its bound, so that not every compilation has to look.
static constexpr double trimmedShare = 0.9;

std::string KernelCache::open() {
  std::error_code error = llvm::sys::fs::create_directories(folder);
  if (!error && !llvm::sys::fs::is_directory(folder))
    error = std::make_error_code(std::errc::not_a_directory);
  if (!error)
    error = llvm::sys::fs::access(folder, llvm::sys::fs::AccessMode::Write);
  if (!error)
    return "";
  std::string trouble = "the cache folder " + folder + " cannot be used: " + error.message();
  folder.clear();
  return trouble;
}

std::string KernelCache::keyOf(llvm::ArrayRef<llvm::StringRef> parts) const {
  llvm::BLAKE3 hash;
  auto add = [&](llvm::StringRef part) {
    uint64_t bytes = part.size();
    hash.update(llvm::StringRef(reinterpret_cast<const char *>(&bytes), sizeof(bytes)));
    hash.update(part);
  };
  add(compiler);
  for (llvm::StringRef part : parts)
    add(part);
  return llvm::toHex(hash.final<16>(), /*LowerCase=*/true);
}

std::string KernelCache::pathOf(llvm::StringRef key) const {
  return folder + "/" + key.take_front(2).str() + "/" + key.drop_front(2).str();
}

std::optional<std::string> KernelCache::find(llvm::StringRef key) {
  std::string path = pathOf(key);
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  Header header;
  llvm::StringRef content = file ? (*file)->getBuffer() : llvm::StringRef();
  bool isWhole = content.size() >= sizeof(header);
  if (isWhole) {
    std::memcpy(&header, content.data(), sizeof(header));
    content = content.drop_front(sizeof(header));
    isWhole = !std::memcmp(header.magic, magic, sizeof(magic)) && header.bytes == content.size() &&
              header.hash == llvm::xxh3_64bits(content);
  }
  ++(isWhole ? numHits : numMisses);
  if (!isWhole)
    return std::nullopt;
  // Marks it as used just now; whoever may not, only loses it sooner.
  (void)utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return content.str();
}

void KernelCache::keep(llvm::StringRef key, llvm::StringRef bytes) {
  std::string path = pathOf(key);
  if (llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path)))
    return;
  llvm::SmallString<128> unique;
  int file;
  if (llvm::sys::fs::createUniqueFile(folder + "/" + unfinished + "%%%%%%%%.tmp", file, unique))
    return;
  Header header = {{}, bytes.size(), llvm::xxh3_64bits(bytes)};
  std::memcpy(header.magic, magic, sizeof(magic));
  llvm::raw_fd_ostream stream(file, /*shouldClose=*/true);
  stream << llvm::StringRef(reinterpret_cast<const char *>(&header), sizeof(header)) << bytes;
  stream.close();
  bool isWritten = !stream.has_error();
  stream.clear_error();
  if (!isWritten || llvm::sys::fs::rename(unique, path))
    llvm::sys::fs::remove(unique);
  else
    hasGrown = true;
}

/// Whether a path within the folder is that of an entry, or of one that was being written. The folder may be one that
/// someone named by mistake: what we have not written is never touched.
static bool isOurs(llvm::StringRef path) {
  llvm::StringRef name = llvm::sys::path::filename(path);
  if (name.consume_front(unfinished))
    return name.size() == 8 + 4 && name.ends_with(".tmp");
  std::string key = (llvm::sys::path::filename(llvm::sys::path::parent_path(path)) + name).str();
  return key.size() == keyDigits && name.size() == keyDigits - 2 && llvm::all_of(key, llvm::isHexDigit);
}

static void addEntries(const llvm::Twine &folder, std::vector<Entry> &entries) {
  std::error_code error;
  for (llvm::sys::fs::directory_iterator file(folder, error), end; file != end && !error; file.increment(error)) {
    llvm::ErrorOr<llvm::sys::fs::basic_file_status> status = file->status();
    if (status && status->type() == llvm::sys::fs::file_type::regular_file && isOurs(file->path()))
      entries.push_back({file->path(), status->getLastModificationTime(), status->getSize()});
  }
}

static std::vector<Entry> listEntries(const std::string &folder) {
  std::vector<Entry> entries;
  addEntries(folder, entries);
  for (unsigned first = 0; first < 256; ++first)
    addEntries(folder + "/" + llvm::utohexstr(first, /*LowerCase=*/true, /*Width=*/2), entries);
  return entries;
}

void KernelCache::trim() {
  if (!isOn() || !hasGrown)
    return;
  // One at a time; who comes second need not do the same again.
  int lock = ::open((folder + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
  if (lock < 0)
    return;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
    std::vector<Entry> entries = listEntries(folder);
    uint64_t total = 0;
    for (const Entry &entry : entries)
      total += entry.bytes;
    llvm::sort(entries, [](const Entry &a, const Entry &b) { return a.used < b.used; });
    uint64_t wanted = total > maxBytes ? static_cast<uint64_t>(maxBytes * trimmedShare) : total;
    for (size_t i = 0; i < entries.size() && total > wanted; ++i)
      if (!llvm::sys::fs::remove(entries[i].path))
        total -= entries[i].bytes;
  }
  ::close(lock);
}

} // namespace dscc
