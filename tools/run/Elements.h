// Tensors in the host's memory, and what dscc-run knows about element types: how NumPy calls them, how random
// ones are made, and what their bits mean.

#ifndef DSCC_TOOLS_RUN_ELEMENTS_H
#define DSCC_TOOLS_RUN_ELEMENTS_H

#include <dscc/dscc.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace dscc::run {

/// Memory that starts at a cache line, as the vectors of the kernels like it.
class Bytes {
public:
  Bytes() = default;
  /// Throws std::bad_alloc if there is not so much memory. The bytes are zero.
  explicit Bytes(size_t size);
  /// Where they begin; never NULL but for no memory at all, as of a default object.
  char *data() const { return memory.get(); }
  /// How many were asked for.
  size_t size() const { return count; }

private:
  /// Frees for the owner.
  struct Free {
    void operator()(char *memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> memory;
  size_t count = 0;
};

/// An input or output of the model with its values.
struct HostTensor {
  std::string name;          // in the model's signature
  std::string file;          // .npy that its values come from; empty if they are random, or a run's
  int dtype = 0;             // enum dscc_dtype
  std::vector<int64_t> dims; // numbers, in elements; empty for one element
  Bytes bytes;               // the elements, C-contiguous, as many as the dims say

  /// A view for the runtime, of host memory; it lives as long as this tensor stays where it is.
  dscc_buffer buffer() const;
  /// The product of the dims, which countBytes has found to fit.
  int64_t elements() const;
};

/// NumPy's text for an array of this type, such as "<f4"; the raw integer where NumPy lacks the type. NULL if unknown.
const char *numpyDescriptor(int dtype);
/// The type that NumPy itself means by a descriptor; 0 if it has no counterpart here.
int dtypeOfDescriptor(const std::string &descriptor);
/// The product of the dims times the element's bytes. False if a dim is negative or the product is too large.
bool countBytes(int dtype, const std::vector<int64_t> &dims, size_t &bytes);
/// Fills with values that are the same on every machine: floats normal, integers small and not negative.
void fillWithRandom(HostTensor &tensor, uint64_t seed);

/// What the elements of a tensor are like.
struct Statistics {
  double min = 0, max = 0, mean = 0; // over what is not NaN; all NaN if there is no such element
  int64_t nans = 0;                  // how many elements are NaN
};
/// Looks at every element. `tensor` must be of a type that the runtime knows.
Statistics computeStatistics(const HostTensor &tensor);

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_ELEMENTS_H
