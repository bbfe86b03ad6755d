#include "runtime/CudaDevice.h"

#include "runtime/Device.h"
#include "runtime/Error.h"

#include <cassert>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace dscc {

// Numbers of the driver's enumerations.
static constexpr int computeMajor = 75, computeMinor = 76; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
static constexpr int maxDynamicShared = 8;                 // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
static constexpr uint32_t sharedWithoutAsking = 48 * 1024;
static constexpr size_t deviceAlignment = 256;

//===-- Opening -------------------------------------------------------------------------------------------------===//

/// A cubin rather than PTX, and among equals the one for the latest chip; null if the chip runs none.
static const dscc_image *chooseImage(const dscc_module &module, unsigned sm) {
  const dscc_image *best = nullptr;
  for (const dscc_image &image : imagesOf(module)) {
    if (sm < image.min_sm || sm > image.max_sm)
      continue;
    bool isCubin = image.kind == 1, bestIsCubin = best && best->kind == 1;
    if (!best || (isCubin && !bestIsCubin) || (isCubin == bestIsCubin && image.min_sm > best->min_sm))
      best = &image;
  }
  return best;
}

static dscc_status findDevice(const dscc_open_options &options, CudaDevice &cuda, unsigned &sm) {
  CudaDriver &driver = cuda.driver;
  if (dscc_status status = driver.load(options.cuda_driver ? options.cuda_driver : "libcuda.so.1"))
    return status;
  if (CuResult result = driver.init(0)) {
    driver.report(result, "cuInit");
    return DSCC_NO_DEVICE;
  }
  int count = 0;
  if (dscc_status status = driver.report(driver.deviceCount(&count), "cuDeviceGetCount"))
    return status;
  if (options.device_ordinal < 0 || options.device_ordinal >= count)
    return fail(DSCC_NO_DEVICE, "CUDA device %d is asked for, but there are %d", options.device_ordinal, count);
  if (dscc_status status = driver.report(driver.deviceGet(&cuda.device, options.device_ordinal), "cuDeviceGet"))
    return status;
  int major = 0, minor = 0;
  if (dscc_status status =
          driver.report(driver.deviceAttribute(&major, computeMajor, cuda.device), "cuDeviceGetAttribute"))
    return status;
  if (dscc_status status =
          driver.report(driver.deviceAttribute(&minor, computeMinor, cuda.device), "cuDeviceGetAttribute"))
    return status;
  sm = major * 10 + minor;
  return driver.report(driver.primaryRetain(&cuda.context, cuda.device), "cuDevicePrimaryCtxRetain");
}

/// Whether each of the program's modules has an image that the chip runs.
static bool hasImages(const dscc_program &program, unsigned sm) {
  for (const dscc_module &module : modulesOf(program))
    if (!chooseImage(module, sm))
      return false;
  return true;
}

/// The oldest chip that any program is for.
static unsigned lowestChip(const dscc_model_v2 &table) {
  unsigned lowest = UINT_MAX;
  for (const dscc_program &program : programsOf(table))
    if (program.device == DSCC_DEVICE_CUDA && program.level < lowest)
      lowest = program.level;
  return lowest;
}

static dscc_status loadModules(const dscc_program &program, CudaDevice &cuda, unsigned sm) {
  Records<dscc_module> modules = modulesOf(program);
  cuda.modules = static_cast<CuHandle *>(calloc(size_t(modules.size()) + 1, sizeof(CuHandle)));
  if (!cuda.modules)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the table of modules");
  for (; cuda.numModules < modules.size(); ++cuda.numModules) {
    const dscc_image *image = chooseImage(modules[cuda.numModules], sm);
    assert(image && "the program was chosen for its images");
    if (dscc_status status =
            cuda.driver.report(cuda.driver.moduleLoad(&cuda.modules[cuda.numModules], image->data), "cuModuleLoadData"))
      return status;
  }
  return DSCC_OK;
}

static dscc_status loadKernels(const dscc_program &program, CudaDevice &cuda, unsigned sm) {
  CudaDriver &driver = cuda.driver;
  if (dscc_status status = loadModules(program, cuda, sm))
    return status;
  Records<dscc_kernel> kernels = kernelsOf(program);
  cuda.functions = static_cast<CuHandle *>(calloc(size_t(kernels.size()) + 1, sizeof(CuHandle)));
  if (!cuda.functions)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the table of kernels");
  for (uint32_t i = 0; i < kernels.size(); ++i) {
    const dscc_kernel &kernel = kernels[i];
    if (dscc_status status = driver.report(
            driver.moduleFunction(&cuda.functions[i], cuda.modules[kernel.module], kernel.name), "cuModuleGetFunction"))
      return status;
    if (kernel.shared_bytes <= sharedWithoutAsking)
      continue;
    if (dscc_status status = driver.report(
            driver.functionAttribute(cuda.functions[i], maxDynamicShared, kernel.shared_bytes), "cuFuncSetAttribute"))
      return status;
  }
  return DSCC_OK;
}

/// Copies the weights that the program uses; entries that share their bytes are copied for each.
static dscc_status uploadWeights(dscc_model &model, CudaDevice &cuda, const unsigned char *data) {
  Records<dscc_weight> weights = weightsOf(*model.table);
  auto rounded = [](uint64_t bytes) { return (bytes + deviceAlignment - 1) / deviceAlignment * deviceAlignment; };
  uint64_t total = 0;
  for (const dscc_weight &weight : weights)
    total += isUsed(model, weight) ? rounded(weight.bytes) : 0;
  if (!total)
    return DSCC_OK;
  if (dscc_status status = cuda.driver.report(cuda.driver.allocate(&cuda.weights, total), "cuMemAlloc for the weights"))
    return status;
  CuPointer next = cuda.weights;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    const dscc_weight &weight = weights[i];
    if (!isUsed(model, weight))
      continue;
    assert(next + weight.bytes <= cuda.weights + total && "the weights fit into what was counted");
    model.weights[i] = reinterpret_cast<const void *>(next);
    if (dscc_status status = cuda.driver.report(cuda.driver.copyIn(next, data + weight.offset, weight.bytes, nullptr),
                                                "cuMemcpyHtoDAsync of a weight"))
      return status;
    next += rounded(weight.bytes);
  }
  return cuda.driver.report(cuda.driver.streamWait(nullptr), "cuStreamSynchronize");
}

static dscc_status load(const unsigned char *weights, dscc_model &model, CudaDevice &cuda, unsigned sm) {
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  if (dscc_status status = loadKernels(*model.program, cuda, sm))
    return status;
  return uploadWeights(model, cuda, weights);
}

static dscc_status open(const char *path, const dscc_open_options &options, const unsigned char *weights,
                        dscc_model &model) {
  if (!findProgram(*model.table, DSCC_DEVICE_CUDA, [](const dscc_program &) { return true; }))
    return fail(DSCC_NO_DEVICE, "'%s' has no CUDA code; compile it with --target=cuda", path);
  void *memory = calloc(1, sizeof(CudaDevice));
  if (!memory)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a device");
  auto *cuda = new (memory) CudaDevice;
  model.deviceState = cuda;
  unsigned sm = 0;
  if (dscc_status status = findDevice(options, *cuda, sm))
    return status;
  model.program =
      findProgram(*model.table, DSCC_DEVICE_CUDA, [&](const dscc_program &program) { return hasImages(program, sm); });
  if (!model.program)
    return fail(DSCC_NO_DEVICE, "the model has no code for sm_%u; the oldest chip that it is for is sm_%u", sm,
                lowestChip(*model.table));
  if (dscc_status status = load(weights, model, *cuda, sm))
    return status;
  char name[64] = "";
  cuda->driver.deviceName(name, sizeof(name), cuda->device);
  snprintf(model.deviceName, sizeof(model.deviceName), "cuda (sm_%u, %s)", sm, name);
  return DSCC_OK;
}

static void close(dscc_model &model) {
  if (!model.deviceState)
    return;
  CudaDevice &cuda = cudaOf(model);
  if (cuda.context) {
    {
      Current current(cuda);
      if (cuda.weights)
        cuda.driver.release(cuda.weights);
      while (cuda.numModules)
        cuda.driver.moduleUnload(cuda.modules[--cuda.numModules]);
    }
    cuda.driver.primaryRelease(cuda.device);
  }
  free(cuda.functions);
  free(cuda.modules);
  cuda.driver.unload();
  free(&cuda);
  model.deviceState = nullptr;
}

/// The calling one; the rest is the device's.
static int threads(const dscc_model &) { return 1; }

//===-- Memory --------------------------------------------------------------------------------------------------===//

dscc_status allocateOnCuda(const dscc_model &model, size_t bytes, void *&memory) {
  CudaDevice &cuda = cudaOf(model);
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  CuPointer address = 0;
  if (dscc_status status = cuda.driver.report(cuda.driver.allocate(&address, bytes), "cuMemAlloc"))
    return status;
  memory = reinterpret_cast<void *>(address);
  return DSCC_OK;
}

void releaseOnCuda(const dscc_model &model, void *memory) {
  CudaDevice &cuda = cudaOf(model);
  Current current(cuda);
  cuda.driver.release(reinterpret_cast<CuPointer>(memory));
}

static dscc_status write(const dscc_model &model, void *target, const void *source, size_t bytes) {
  CudaDevice &cuda = cudaOf(model);
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  auto address = reinterpret_cast<CuPointer>(target);
  if (dscc_status status = cuda.driver.report(cuda.driver.copyIn(address, source, bytes, nullptr), "cuMemcpyHtoDAsync"))
    return status;
  return cuda.driver.report(cuda.driver.streamWait(nullptr), "cuStreamSynchronize");
}

static dscc_status read(const dscc_model &model, void *target, const void *source, size_t bytes) {
  CudaDevice &cuda = cudaOf(model);
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  auto address = reinterpret_cast<CuPointer>(source);
  if (dscc_status status =
          cuda.driver.report(cuda.driver.copyOut(target, address, bytes, nullptr), "cuMemcpyDtoHAsync"))
    return status;
  return cuda.driver.report(cuda.driver.streamWait(nullptr), "cuStreamSynchronize");
}

static dscc_status wait(const dscc_model &model, void *stream) {
  CudaDevice &cuda = cudaOf(model);
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  return cuda.driver.report(cuda.driver.streamWait(stream), "cuStreamSynchronize");
}

const Device cudaDevice = {DSCC_CUDA,      &cudaServices, /*sharesHostMemory=*/false,
                           open,           close,         threads,
                           allocateOnCuda, releaseOnCuda, write,
                           read,           wait,          openCudaQueue,
                           closeCudaQueue, runOnCuda};

} // namespace dscc
