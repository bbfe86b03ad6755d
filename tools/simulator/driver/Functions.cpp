// Attributes of functions: facts about their code, and what a program may ask of their launches.

#include "tools/simulator/driver/Entry.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <optional>

using namespace dscc::sim;

//===-- attributes ------------------------------------------------------------------------------------------------===//

namespace {
/// An attribute that programs can set; the others are facts about the code.
struct Setting {
  FunctionAttribute id;
  int least, greatest;
  int initial = 0;
};
} // namespace

static int roomFor(uint32_t bytes, const Kernel &kernel) {
  return int(bytes - std::min(bytes, declaredShared(kernel)));
}

/// Null if it cannot be set.
static std::optional<Setting> findSetting(const Kernel &kernel, int attribute) {
  const Chip &chip = *state().chip;
  const Setting all[] = {
      // Without asking a launch may add what the code leaves of the memory that every block has.
      {FunctionMaxDynamicSharedBytes, 0, roomFor(chip.sharedPerBlockOptin, kernel),
       roomFor(chip.sharedPerBlock, kernel)},
      {FunctionPreferredCarveout, -1, 100, -1}, // percent
      // Whether the three fit each other is for the launch to say.
      {FunctionRequiredClusterWidth, 0, INT32_MAX},
      {FunctionRequiredClusterHeight, 0, INT32_MAX},
      {FunctionRequiredClusterDepth, 0, INT32_MAX},
      {FunctionNonPortableClusterSizeAllowed, 0, 1},
      {FunctionClusterSchedulingPolicy, 0, 2},
      {FunctionCacheConfig, 0, 3},
  };
  auto *found = llvm::find_if(all, [&](const Setting &setting) { return setting.id == attribute; });
  return found == std::end(all) ? std::nullopt : std::optional(*found);
}

static bool isOfCluster(int attribute) {
  return attribute >= FunctionRequiredClusterWidth && attribute <= FunctionRequiredClusterDepth;
}

namespace dscc::sim {
int settingOf(const CUfunc_st &function, FunctionAttribute attribute) {
  auto own = function.settings.find(attribute);
  if (own != function.settings.end())
    return own->second;
  return function.ofLibrary ? settingOf(*function.ofLibrary, attribute)
                            : findSetting(*function.kernel, attribute)->initial;
}

int settingOf(const CUkern_st &kernel, FunctionAttribute attribute) {
  auto own = kernel.settings.find(attribute);
  return own == kernel.settings.end() ? findSetting(*kernel.function->kernel, attribute)->initial : own->second;
}

std::array<uint32_t, 3> requiredCluster(const CUfunc_st &function) {
  std::array<uint32_t, 3> cluster;
  for (int axis = 0; axis < 3; ++axis)
    cluster[axis] = function.kernel->cluster[0]
                        ? function.kernel->cluster[axis]
                        : uint32_t(settingOf(function, FunctionAttribute(FunctionRequiredClusterWidth + axis)));
  return cluster;
}
} // namespace dscc::sim

/// `Owner` is a CUfunc_st or a CUkern_st.
template <typename Owner> static CUresult setAttribute(Owner *owner, const Kernel *kernel, int attribute, int value) {
  DSCC_REQUIRE(owner, CUDA_ERROR_INVALID_HANDLE);
  std::optional<Setting> setting = findSetting(*kernel, attribute);
  DSCC_REQUIRE(setting && value >= setting->least && value <= setting->greatest, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!isOfCluster(attribute) || !kernel->cluster[0], CUDA_ERROR_NOT_PERMITTED);
  owner->settings[attribute] = value;
  return CUDA_SUCCESS;
}

static const Kernel *kernelOf(const CUfunc_st *function) { return function ? function->kernel : nullptr; }
static const Kernel *kernelOf(const CUkern_st *kernel) { return kernel ? kernel->function->kernel : nullptr; }
static const CUmod_st &moduleOf(const CUfunc_st &function) { return *function.module; }
static const CUmod_st &moduleOf(const CUkern_st &kernel) { return *kernel.function->module; }

template <typename Owner> static CUresult getAttribute(int *value, int attribute, const Owner *owner) {
  DSCC_REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(owner, CUDA_ERROR_INVALID_HANDLE);
  const Kernel &kernel = *kernelOf(owner);
  const std::pair<int, int> facts[] = {{FunctionMaxThreadsPerBlock, kernel.maxThreads ? int(kernel.maxThreads) : 1024},
                                       {FunctionSharedBytes, int(declaredShared(kernel))},
                                       {FunctionConstBytes, int(kernel.constantBytes)},
                                       {FunctionLocalBytes, int(kernel.localBytes)},
                                       {FunctionRegisters, int(kernel.registers)},
                                       {FunctionPtxVersion, moduleOf(*owner).ptxTarget},
                                       {FunctionBinaryVersion, state().chip->major * 10 + state().chip->minor},
                                       {FunctionCacheModeCa, 0},
                                       {FunctionClusterSizeMustBeSet, int(kernel.needsCluster)}};
  for (auto [known, number] : facts)
    if (known == attribute) {
      *value = number;
      return CUDA_SUCCESS;
    }
  DSCC_REQUIRE(attribute != FunctionCacheConfig && findSetting(kernel, attribute), CUDA_ERROR_INVALID_VALUE);
  bool isCompiled = isOfCluster(attribute) && kernel.cluster[0];
  *value = isCompiled ? int(kernel.cluster[attribute - FunctionRequiredClusterWidth])
                      : settingOf(*owner, FunctionAttribute(attribute));
  return CUDA_SUCCESS;
}

static CUkern_st *findKernel(CUkernel kernel) { return state().kernels.has(kernel) ? kernel : nullptr; }

DSCC_EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(attribute != FunctionCacheConfig, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = findFunction(function);
  return setAttribute(found, kernelOf(found), attribute, value);
}

DSCC_EXPORT CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function) {
  DSCC_ENTER(Context);
  return getAttribute<CUfunc_st>(value, attribute, findFunction(function));
}

DSCC_EXPORT CUresult cuKernelSetAttribute(int attribute, int value, CUkernel kernel, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  DSCC_REQUIRE(attribute != FunctionCacheConfig, CUDA_ERROR_INVALID_VALUE);
  CUkern_st *found = findKernel(kernel);
  return setAttribute(found, kernelOf(found), attribute, value);
}

DSCC_EXPORT CUresult cuKernelGetAttribute(int *value, int attribute, CUkernel kernel, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  return getAttribute<CUkern_st>(value, attribute, findKernel(kernel));
}

/// Caches are not modelled; what is left of them for shared memory shows in the occupancy.
DSCC_EXPORT CUresult cuFuncSetCacheConfig(CUfunction function, int config) {
  DSCC_ENTER(Context);
  CUfunc_st *found = findFunction(function);
  return setAttribute(found, kernelOf(found), FunctionCacheConfig, config);
}

DSCC_EXPORT CUresult cuKernelSetCacheConfig(CUkernel kernel, int config, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  CUkern_st *found = findKernel(kernel);
  return setAttribute(found, kernelOf(found), FunctionCacheConfig, config);
}

DSCC_EXPORT CUresult cuFuncGetModule(CUmodule *module, CUfunction function) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(module, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = findFunction(function);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_HANDLE);
  *module = found->module;
  return CUDA_SUCCESS;
}

static CUresult getName(const char **name, const void *handle, const Kernel *kernel) {
  DSCC_REQUIRE(name && handle, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(kernel, CUDA_ERROR_INVALID_HANDLE);
  *name = kernel->name.c_str();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuFuncGetName(const char **name, CUfunction function) {
  DSCC_ENTER(Context);
  return getName(name, function, kernelOf(findFunction(function)));
}

DSCC_EXPORT CUresult cuKernelGetName(const char **name, CUkernel kernel) {
  DSCC_ENTER(Driver);
  return getName(name, kernel, kernelOf(findKernel(kernel)));
}

//===-- parameters, loading ---------------------------------------------------------------------------------------===//

static CUresult getParameter(const Kernel *kernel, size_t index, size_t *offset, size_t *bytes) {
  DSCC_REQUIRE(kernel, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(offset && index < kernel->parameterBytes.size(), CUDA_ERROR_INVALID_VALUE);
  *offset = kernel->parameterOffsets[index];
  if (bytes)
    *bytes = kernel->parameterBytes[index];
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset, size_t *bytes) {
  DSCC_ENTER(Context);
  return getParameter(kernelOf(findFunction(function)), index, offset, bytes);
}

DSCC_EXPORT CUresult cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t *offset, size_t *bytes) {
  DSCC_ENTER(Driver);
  return getParameter(kernelOf(findKernel(kernel)), index, offset, bytes);
}

/// Whatever there is has been compiled with its module.
DSCC_EXPORT CUresult cuFuncLoad(CUfunction function) {
  DSCC_ENTER(Context);
  return findFunction(function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

DSCC_EXPORT CUresult cuFuncIsLoaded(int *loaded, CUfunction function) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(loaded, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(findFunction(function), CUDA_ERROR_INVALID_HANDLE);
  *loaded = 1; // CU_FUNCTION_LOADING_STATE_LOADED
  return CUDA_SUCCESS;
}
