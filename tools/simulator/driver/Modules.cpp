// Modules, and libraries, which are modules that need no context to be loaded.

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/driver/Images.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace dscc::sim;

//===-- loading ---------------------------------------------------------------------------------------------------===//

namespace {
/// The options of a load that have an effect here: where its logs go.
struct JitOptions {
  static constexpr int numKnown = 35; // CU_JIT_NUM_OPTIONS
  enum Option { WallTime = 2, InfoLog = 3, InfoLogBytes = 4, ErrorLog = 5, ErrorLogBytes = 6 };

  unsigned count;
  const int *options;
  void **values;

  void **find(int option) const {
    for (unsigned i = 0; options && values && i < count; ++i)
      if (options[i] == option)
        return &values[i];
    return nullptr;
  }
  bool areValid() const {
    static constexpr int threadsPerBlock = 1, target = 9; // not together
    if (find(threadsPerBlock) && find(target))
      return false;
    return !count || (options && values && std::all_of(options, options + count, [](int option) {
                        return option >= 0 && option < numKnown;
                      }));
  }
  /// Writes as much of the text as there is room for, and how much that is.
  void write(int buffer, int bytes, const std::string &text) const {
    void **place = find(buffer), **room = find(bytes);
    if (!place || !*place || !room)
      return;
    size_t limit = reinterpret_cast<uintptr_t>(*room) & UINT32_MAX;
    size_t length = limit ? std::min(text.size(), limit - 1) : 0;
    if (limit) {
      std::memcpy(*place, text.data(), length);
      static_cast<char *>(*place)[length] = 0;
    }
    *room = reinterpret_cast<void *>(text.empty() ? 0 : length + 1);
  }
};
} // namespace

/// The kernel that declares more shared memory than every block has; null if none does.
static const Kernel *findTooLarge(const LoadedModule &code) {
  auto kernels = code.listKernels();
  auto found = llvm::find_if(
      kernels, [](const Kernel &kernel) { return declaredShared(kernel) > state().chip->sharedPerBlock; });
  return found == kernels.end() ? nullptr : &*found;
}

static CUresult compile(const void *image, CUmod_st &module, std::string &error) {
  std::string text;
  if (CUresult failed = findPtx(image, state().chip->major * 10 + state().chip->minor, text)) {
    error = errorString(failed);
    return failed;
  }
  if (requiredDriver(text) > state().driverVersion) {
    error = "the PTX of a module needs a driver of version " + std::to_string(requiredDriver(text)) + " or later";
    log(error);
    return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  }
  module.ptxTarget = targetOf(text);
  module.code = LoadedModule::load(text, *state().chip, error);
  const Kernel *tooLarge = module.code ? findTooLarge(*module.code) : nullptr;
  if (module.code && !tooLarge)
    return CUDA_SUCCESS;
  if (tooLarge)
    error = "kernel `" + tooLarge->name + "` declares " + std::to_string(declaredShared(*tooLarge)) +
            " bytes of shared memory, and there may be " + std::to_string(state().chip->sharedPerBlock);
  log("a module cannot be loaded: " + error);
  return error.find("and the device is") != std::string::npos ? CUDA_ERROR_NO_BINARY_FOR_GPU : CUDA_ERROR_INVALID_PTX;
}

static CUresult loadModule(CUmodule *module, const void *image, const JitOptions &options) {
  DSCC_REQUIRE(module && image && options.areValid(), CUDA_ERROR_INVALID_VALUE);
  auto begin = std::chrono::steady_clock::now();
  auto made = std::make_unique<CUmod_st>();
  std::string error;
  CUresult result = compile(image, *made, error);
  options.write(JitOptions::ErrorLog, JitOptions::ErrorLogBytes, error);
  options.write(JitOptions::InfoLog, JitOptions::InfoLogBytes, "");
  if (void **wallTime = options.find(JitOptions::WallTime)) {
    float milliseconds = std::chrono::duration<float, std::milli>(std::chrono::steady_clock::now() - begin).count();
    std::memcpy(wallTime, &milliseconds, sizeof(milliseconds));
  }
  if (result == CUDA_SUCCESS)
    *module = state().modules.add(std::move(made));
  return result;
}

/// The bytes of a file and a NUL behind them, as PTX needs.
static CUresult readFile(const char *name, std::unique_ptr<llvm::MemoryBuffer> &image) {
  DSCC_REQUIRE(name, CUDA_ERROR_INVALID_VALUE);
  auto file = llvm::MemoryBuffer::getFile(name);
  DSCC_REQUIRE(file, CUDA_ERROR_FILE_NOT_FOUND);
  image = std::move(*file);
  return CUDA_SUCCESS;
}

/// The work that uses it comes first.
static void unloadModule(CUmodule module) {
  finishAll();
  for (auto &[name, function] : module->functions)
    state().functions.erase(function.get());
  state().modules.take(module);
}

static CUfunction getFunction(CUmodule module, const char *name) {
  static uint64_t numFunctions = 0;
  const Kernel *kernel = module->code->findKernel(name);
  if (!kernel)
    return nullptr;
  std::unique_ptr<CUfunc_st> &made = module->functions[name];
  if (!made)
    made = std::make_unique<CUfunc_st>(CUfunc_st{kernel, module, ++numFunctions});
  state().functions[made.get()] = module;
  return made.get();
}

static CUresult getGlobal(CUdeviceptr *address, size_t *bytes, CUmodule module, const char *name) {
  DSCC_REQUIRE(address || bytes, CUDA_ERROR_INVALID_VALUE);
  auto found = module->code->findGlobal(name);
  DSCC_REQUIRE(found, CUDA_ERROR_NOT_FOUND);
  if (address)
    *address = reinterpret_cast<CUdeviceptr>(found->first);
  if (bytes)
    *bytes = found->second;
  return CUDA_SUCCESS;
}

//===-- modules ---------------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  DSCC_ENTER(Context);
  return loadModule(module, image, {0, nullptr, nullptr});
}

DSCC_EXPORT CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count, int *options,
                                        void **values) {
  DSCC_ENTER(Context);
  return loadModule(module, image, {count, options, values});
}

DSCC_EXPORT CUresult cuModuleLoadFatBinary(CUmodule *module, const void *image) {
  DSCC_ENTER(Context);
  return loadModule(module, image, {0, nullptr, nullptr});
}

DSCC_EXPORT CUresult cuModuleLoad(CUmodule *module, const char *file) {
  DSCC_ENTER(Context);
  std::unique_ptr<llvm::MemoryBuffer> image;
  DSCC_TRY(readFile(file, image));
  return loadModule(module, image->getBufferStart(), {0, nullptr, nullptr});
}

DSCC_EXPORT CUresult cuModuleUnload(CUmodule module) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().modules.has(module), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(!module->library, CUDA_ERROR_NOT_PERMITTED);
  unloadModule(module);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(function && name, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().modules.has(module), CUDA_ERROR_INVALID_HANDLE);
  CUfunction found = getFunction(module, name);
  DSCC_REQUIRE(found, CUDA_ERROR_NOT_FOUND);
  *function = found;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes, CUmodule module, const char *name) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(name, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().modules.has(module), CUDA_ERROR_INVALID_HANDLE);
  return getGlobal(address, bytes, module, name);
}

DSCC_EXPORT CUresult cuModuleGetFunctionCount(unsigned *count, CUmodule module) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(count, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().modules.has(module), CUDA_ERROR_INVALID_HANDLE);
  *count = unsigned(module->code->listKernels().size());
  return CUDA_SUCCESS;
}

/// As many as there is room for.
DSCC_EXPORT CUresult cuModuleEnumerateFunctions(CUfunction *functions, unsigned room, CUmodule module) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(functions && room, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().modules.has(module), CUDA_ERROR_INVALID_HANDLE);
  for (const Kernel &kernel : module->code->listKernels().take_front(room))
    *functions++ = getFunction(module, kernel.name.c_str());
  return CUDA_SUCCESS;
}

/// What the environment asks for, although a module is always compiled when it is loaded.
DSCC_EXPORT CUresult cuModuleGetLoadingMode(int *mode) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(mode, CUDA_ERROR_INVALID_VALUE);
  static constexpr int eager = 1, lazy = 2; // CUmoduleLoadingMode
  const char *asked = std::getenv("CUDA_MODULE_LOADING");
  *mode = asked && !std::strcmp(asked, "EAGER") ? eager : lazy;
  return CUDA_SUCCESS;
}

//===-- libraries -------------------------------------------------------------------------------------------------===//

static std::vector<std::string> copyVariables(const LoadedModule &code) {
  std::vector<std::string> copies;
  for (auto [place, bytes] : code.listGlobals())
    copies.emplace_back(static_cast<char *>(place), bytes);
  return copies;
}

namespace {
struct LibraryOptions {
  const int *options;
  void **values;
  unsigned count;
};
} // namespace

static CUresult loadLibrary(CUlibrary *library, const void *code, const JitOptions &jit, const LibraryOptions &own) {
  static constexpr int binaryIsPreserved = 1; // the other option gives a table of host functions
  DSCC_REQUIRE(library && (!own.count || (own.options && own.values)), CUDA_ERROR_INVALID_VALUE);
  for (unsigned i = 0; i < own.count; ++i)
    DSCC_REQUIRE(own.options[i] == binaryIsPreserved,
                 own.options[i] == 0 ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE);
  CUmodule module = nullptr;
  DSCC_TRY(loadModule(&module, code, jit));
  *library = state().libraries.add(std::make_unique<CUlib_st>(CUlib_st{module, copyVariables(*module->code), {}}));
  module->library = *library;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuLibraryLoadData(CUlibrary *library, const void *code, int *jitOptions, void **jitValues,
                                       unsigned numJitOptions, int *options, void **values, unsigned numOptions) {
  DSCC_ENTER(Driver);
  return loadLibrary(library, code, {numJitOptions, jitOptions, jitValues}, {options, values, numOptions});
}

DSCC_EXPORT CUresult cuLibraryLoadFromFile(CUlibrary *library, const char *file, int *jitOptions, void **jitValues,
                                           unsigned numJitOptions, int *options, void **values, unsigned numOptions) {
  DSCC_ENTER(Driver);
  std::unique_ptr<llvm::MemoryBuffer> image;
  DSCC_TRY(readFile(file, image));
  return loadLibrary(library, image->getBufferStart(), {numJitOptions, jitOptions, jitValues},
                     {options, values, numOptions});
}

DSCC_EXPORT CUresult cuLibraryUnload(CUlibrary library) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().libraries.has(library), CUDA_ERROR_INVALID_HANDLE);
  for (auto &[name, kernel] : library->kernels)
    state().kernels.take(kernel);
  unloadModule(library->module);
  state().libraries.take(library);
  return CUDA_SUCCESS;
}

/// Null if the library has no such kernel.
static CUkernel getKernel(CUlibrary library, const char *name) {
  CUfunction function = getFunction(library->module, name);
  if (!function)
    return nullptr;
  CUkernel &made = library->kernels[name];
  if (!made)
    function->ofLibrary = made = state().kernels.add(std::make_unique<CUkern_st>(CUkern_st{function, library, {}}));
  return made;
}

DSCC_EXPORT CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary library, const char *name) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(kernel && name, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().libraries.has(library), CUDA_ERROR_INVALID_HANDLE);
  CUkernel found = getKernel(library, name);
  DSCC_REQUIRE(found, CUDA_ERROR_NOT_FOUND);
  *kernel = found;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuLibraryGetKernelCount(unsigned *count, CUlibrary library) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(count, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().libraries.has(library), CUDA_ERROR_INVALID_HANDLE);
  *count = unsigned(library->module->code->listKernels().size());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuLibraryEnumerateKernels(CUkernel *kernels, unsigned room, CUlibrary library) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(kernels && room, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().libraries.has(library), CUDA_ERROR_INVALID_HANDLE);
  for (const Kernel &kernel : library->module->code->listKernels().take_front(room))
    *kernels++ = getKernel(library, kernel.name.c_str());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuLibraryGetModule(CUmodule *module, CUlibrary library) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(module, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().libraries.has(library), CUDA_ERROR_INVALID_HANDLE);
  *module = library->module;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuLibraryGetGlobal(CUdeviceptr *address, size_t *bytes, CUlibrary library, const char *name) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(name, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().libraries.has(library), CUDA_ERROR_INVALID_HANDLE);
  return getGlobal(address, bytes, library->module, name);
}

DSCC_EXPORT CUresult cuKernelGetFunction(CUfunction *function, CUkernel kernel) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(function, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().kernels.has(kernel), CUDA_ERROR_INVALID_HANDLE);
  *function = kernel->function;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuKernelGetLibrary(CUlibrary *library, CUkernel kernel) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(library, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().kernels.has(kernel), CUDA_ERROR_INVALID_HANDLE);
  *library = kernel->library;
  return CUDA_SUCCESS;
}
