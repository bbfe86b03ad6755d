// dscc's C API with owners and exceptions, for C++17. Header only.
//
//   dscc::Model model("model.so");
//   dscc::Context context(model);
//   std::vector<int64_t> dims = {2, 4};
//   std::vector<float> x(8), y(8);
//   context.run({dscc::buffer("x", x, dims)}, {dscc::buffer("y", y, dims)});
//
// What <dscc/dscc.h> says about threads and lifetimes holds here: a model outlives its contexts, a context runs
// one inference at a time. Whatever fails throws dscc::Error with the sentence of dscc_last_error().

#ifndef DSCC_DSCC_HPP
#define DSCC_DSCC_HPP

#include <dscc/dscc.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace dscc {

/// A call of the C API failed.
class Error : public std::runtime_error {
public:
  /// Takes the sentence of the last failure on this thread.
  explicit Error(dscc_status status) : std::runtime_error(dscc_last_error()), code(status) {}
  /// What the call returned.
  dscc_status status() const { return code; }

private:
  dscc_status code;
};

/// Throws unless the status is DSCC_OK.
inline void check(dscc_status status) {
  if (status != DSCC_OK)
    throw Error(status);
}

/// The element type of a C++ type. Types of other widths than these travel as their raw integers: set
/// dscc_buffer.dtype yourself.
template <typename T> constexpr int dtypeOf() {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "no element type of a model has this C++ type");
  if constexpr (std::is_same_v<T, bool>)
    return DSCC_BOOL;
  else if constexpr (std::is_floating_point_v<T>)
    return sizeof(T) == 4 ? DSCC_FLOAT : DSCC_DOUBLE;
  else if constexpr (std::is_signed_v<T>)
    return sizeof(T) == 1 ? DSCC_INT8 : sizeof(T) == 2 ? DSCC_INT16 : sizeof(T) == 4 ? DSCC_INT32 : DSCC_INT64;
  else
    return sizeof(T) == 1 ? DSCC_UINT8 : sizeof(T) == 2 ? DSCC_UINT16 : sizeof(T) == 4 ? DSCC_UINT32 : DSCC_UINT64;
}

/// A view of `count` elements; nothing is copied, so name, data and dims must outlive it.
template <typename T>
dscc_buffer buffer(const char *name, T *data, size_t count, const std::vector<int64_t> &dims) {
  using Element = std::remove_const_t<T>;
  return {name,       dtypeOf<Element>(), static_cast<int>(dims.size()), dims.data(), const_cast<Element *>(data),
          count * sizeof(T), 0};
}
/// Dims that die before the buffer are a mistake.
template <typename T> dscc_buffer buffer(const char *name, T *data, size_t count, std::vector<int64_t> &&) = delete;

/// A view of a vector.
template <typename T>
dscc_buffer buffer(const char *name, std::vector<T> &data, const std::vector<int64_t> &dims) {
  static_assert(!std::is_same_v<T, bool>, "a std::vector<bool> holds bits; use a vector of uint8_t and DSCC_BOOL");
  return buffer(name, data.data(), data.size(), dims);
}
/// The same of one that is only read: an input.
template <typename T>
dscc_buffer buffer(const char *name, const std::vector<T> &data, const std::vector<int64_t> &dims) {
  static_assert(!std::is_same_v<T, bool>, "a std::vector<bool> holds bits; use a vector of uint8_t and DSCC_BOOL");
  return buffer(name, data.data(), data.size(), dims);
}
/// Dims that die before the buffer are a mistake.
template <typename T>
dscc_buffer buffer(const char *name, const std::vector<T> &data, std::vector<int64_t> &&) = delete;

/// An opened artifact. Move only; may be shared by threads.
class Model {
public:
  /// `options` as for dscc_model_open; struct_bytes is set here.
  explicit Model(const std::string &path, dscc_open_options options = {}) {
    options.struct_bytes = sizeof(options);
    dscc_model *opened = nullptr;
    check(dscc_model_open(path.c_str(), &options, &opened));
    handle.reset(opened);
  }

  /// For calls of the C API; the model stays the owner.
  dscc_model *get() const { return handle.get(); }
  /// The signature as JSON.
  std::string signature() const { return dscc_signature_json(get()); }
  /// What it runs on, such as "cpu (x86-64-v4)".
  std::string device() const { return dscc_device_name(get()); }
  /// Threads of its pool, the caller included; 1 on a GPU.
  int threads() const { return dscc_threads(get()); }
  /// How many inputs there are.
  size_t numInputs() const { return dscc_num_inputs(get()); }
  /// How many outputs there are; a run is given a buffer for each.
  size_t numOutputs() const { return dscc_num_outputs(get()); }
  /// Throws std::out_of_range if there is no such input.
  const dscc_tensor &input(size_t index) const { return known(dscc_input(get(), index)); }
  /// Throws std::out_of_range if there is no such output.
  const dscc_tensor &output(size_t index) const { return known(dscc_output(get(), index)); }

  /// The dims of an output for these inputs, whose data is not looked at.
  std::vector<int64_t> outputDims(const std::vector<dscc_buffer> &inputs, size_t index) const {
    const size_t rank = static_cast<size_t>(output(index).rank);
    int64_t dims[DSCC_MAX_RANK];
    check(dscc_output_dims(get(), inputs.data(), inputs.size(), index, dims));
    return {dims, dims + rank};
  }

  /// Bytes of arena that a run on these inputs needs.
  size_t workspaceSize(const std::vector<dscc_buffer> &inputs) const {
    size_t bytes = 0;
    check(dscc_workspace_size(get(), inputs.data(), inputs.size(), &bytes));
    return bytes;
  }

private:
  /// Not null, or an exception.
  static const dscc_tensor &known(const dscc_tensor *tensor) {
    if (!tensor)
      throw std::out_of_range("the model has no tensor of this index");
    return *tensor;
  }
  /// Closes for the owner.
  struct Close {
    void operator()(dscc_model *model) const { dscc_model_close(model); }
  };
  std::unique_ptr<dscc_model, Close> handle;
};

/// Memory on the model's device, for buffers with on_device = 1 or a workspace. Move only; its model must outlive it.
class DeviceMemory {
public:
  /// Allocates; throws if there is not so much.
  DeviceMemory(const Model &model, size_t bytes) : handle(nullptr, Free{model.get()}) {
    void *allocated = nullptr;
    check(dscc_device_allocate(model.get(), bytes, &allocated));
    handle.reset(allocated);
  }

  /// Its address on the device.
  void *get() const { return handle.get(); }
  /// Copies from the host.
  void write(const void *source, size_t bytes) {
    check(dscc_device_write(handle.get_deleter().model, get(), source, bytes));
  }
  /// Copies to the host.
  void read(void *target, size_t bytes) const {
    check(dscc_device_read(handle.get_deleter().model, target, get(), bytes));
  }

private:
  /// Frees for the owner.
  struct Free {
    dscc_model *model;
    void operator()(void *memory) const { dscc_device_free(model, memory); }
  };
  std::unique_ptr<void, Free> handle;
};

/// One run in flight. Move only; its model must outlive it.
class Context {
public:
  /// With a workspace of the caller's, or one that the context allocates and grows.
  explicit Context(const Model &model, void *workspace = nullptr, size_t workspaceBytes = 0) {
    dscc_context_options options = {};
    options.struct_bytes = sizeof(options);
    options.workspace = workspace;
    options.workspace_bytes = workspaceBytes;
    dscc_context *created = nullptr;
    check(dscc_context_create(model.get(), &options, &created));
    handle.reset(created);
  }

  /// For calls of the C API; the context stays the owner.
  dscc_context *get() const { return handle.get(); }

  /// One inference, as dscc_run does it: `stream` is a CUstream, ignored on a CPU. What a failure leaves in the outputs
  /// is told there too.
  void run(const std::vector<dscc_buffer> &inputs, const std::vector<dscc_buffer> &outputs, void *stream = nullptr) {
    check(dscc_run(get(), inputs.data(), inputs.size(), outputs.data(), outputs.size(), stream));
  }

private:
  /// Destroys for the owner.
  struct Destroy {
    void operator()(dscc_context *context) const { dscc_context_destroy(context); }
  };
  std::unique_ptr<dscc_context, Destroy> handle;
};

} // namespace dscc

#endif // DSCC_DSCC_HPP
