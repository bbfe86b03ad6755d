// Compiled code kept across compilations, found by all that it was made from.
//
//     key = hash(compiler, what kind of code, for whom, the text that goes in)  ──►  FOLDER/1f/0c22d9..  the bytes
//
// A folder may serve many compilations at once: an entry appears whole or not at all, one that is damaged or cut short
// counts as missing, and the oldest go when the folder grows past its bound. Results are the same with and without it.

#ifndef DSCC_COMPILER_TRANSLATE_KERNELCACHE_H
#define DSCC_COMPILER_TRANSLATE_KERNELCACHE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace dscc {

class KernelCache {
public:
  /// Nothing is kept if `folder` is empty. `compiler` identifies this very build of the compiler: another one may make
  /// other code of the same text.
  KernelCache(llvm::StringRef folder, uint64_t maxBytes, llvm::StringRef compiler)
      : folder(folder), compiler(compiler), maxBytes(maxBytes) {}

  /// Makes the folder; why it cannot be used, or an empty text.
  std::string open();
  /// Whether anything is kept.
  bool isOn() const { return !folder.empty(); }

  /// Of all parts in order; no two lists of parts give the same key.
  std::string keyOf(llvm::ArrayRef<llvm::StringRef> parts) const;
  /// The bytes kept under a key, if there are any; counts a hit or a miss. Safe for several threads, as is keep().
  std::optional<std::string> find(llvm::StringRef key);
  /// What cannot be written is not kept; that is no error.
  void keep(llvm::StringRef key, llvm::StringRef bytes);
  /// Removes what was used longest ago until the folder is within its bound. To be called once, at the end.
  void trim();

  /// How often find() has found something.
  unsigned hits() const { return numHits; }
  /// How often find() has found nothing, or an entry that is damaged; 0 if nothing is kept.
  unsigned misses() const { return numMisses; }

private:
  std::string pathOf(llvm::StringRef key) const;

  std::string folder, compiler;
  uint64_t maxBytes;
  std::atomic<unsigned> numHits = 0, numMisses = 0;
  std::atomic<bool> hasGrown = false;
};

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_KERNELCACHE_H
