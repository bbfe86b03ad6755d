/* What a test may ask of the driver in fake_cuda.c, and the images that it runs. */
#ifndef DSCC_TEST_FAKE_CUDA_H
#define DSCC_TEST_FAKE_CUDA_H

#include <stddef.h>

#define FAKE_CUDA_MAGIC 0x4d494b46u /* "FKIM" in memory */

/* One thread block of a kernel; `args` as for cuLaunchKernel. */
typedef void (*fake_cuda_code)(unsigned block, void **args);

typedef struct fake_cuda_kernel {
  const char *name;
  fake_cuda_code code;
  unsigned cluster; /* blocks of a cluster along x, which each launch has to say; 0: it must not */
  int waits;        /* for what comes before it, so that its launch may overlap */
} fake_cuda_kernel;

/* Stands where a cubin would. */
typedef struct fake_cuda_image {
  unsigned magic, num_kernels;
  const fake_cuda_kernel *kernels;
} fake_cuda_image;

/* CUDA_KERNEL_NODE_PARAMS_v1. */
typedef struct fake_cuda_kernel_node {
  void *function;
  unsigned grid[3], block[3], shared;
  void **args, **extra;
} fake_cuda_kernel_node;

/* CUlaunchAttribute. */
typedef struct fake_cuda_attribute {
  int id, padding;
  union {
    unsigned dims[3];
    int number;
    char bytes[64];
  } value;
} fake_cuda_attribute;

/* CUlaunchConfig. */
typedef struct fake_cuda_config {
  unsigned grid[3], block[3], shared;
  void *stream;
  const fake_cuda_attribute *attributes;
  unsigned num_attributes;
} fake_cuda_config;

/* CUDA_MEMCPY3D. */
typedef struct fake_cuda_copy_node {
  struct {
    size_t x, y, z, lod;
    int type;
    const void *host;
    unsigned long long device;
    void *array, *reserved;
    size_t pitch, height;
  } source, target;
  size_t width, height, depth;
} fake_cuda_copy_node;

/* All that the driver saw since fake_cuda_reset. */
typedef struct fake_cuda_report {
  size_t num_calls;
  const char *const *calls; /* names, in order */
  const char *fault;        /* the first misuse, or NULL */
  size_t live_bytes;        /* device memory */
  int modules, streams, retained, pushed;
  size_t pending; /* copies from or to the host that nobody has waited for */
  int events, graphs, execs, pinned;
} fake_cuda_report;

typedef void (*fake_cuda_reset_type)(void);
typedef void (*fake_cuda_report_type)(fake_cuda_report *report);

#endif
