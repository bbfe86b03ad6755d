/* The treaty between an artifact (model.so) and the runtime that loads it.
 *
 * The compiler writes these structures as constants into model.so, which exports exactly one name,
 * `dscc_model`, of type dscc_model_v1. The artifact has no undefined names: whatever its host program
 * needs, the runtime hands in through dscc_services. Both sides include this file and nothing else of
 * each other.
 *
 *   file:   ELF shared object | padding to 8 | dscc_trailer (the last DSCC_TRAILER_BYTES bytes)
 *
 * A runtime reads the trailer with pread and checks it BEFORE it calls dlopen.
 * All sizes are bytes, all strings are UTF-8 and end in NUL, all pointers live as long as the library.
 */
#ifndef DSCC_ABI_H
#define DSCC_ABI_H

#include <stdint.h>

#define DSCC_ABI_VERSION 2u
#define DSCC_MODEL_MAGIC 0x4d435344u /* "DSCM" in memory */
#define DSCC_MODEL_NAME "dscc_model"
#define DSCC_MAX_RANK 16

/* Element types. The numbers are those of ONNX's TensorProto.DataType. */
enum dscc_dtype {
  DSCC_FLOAT = 1,
  DSCC_UINT8 = 2,
  DSCC_INT8 = 3,
  DSCC_UINT16 = 4,
  DSCC_INT16 = 5,
  DSCC_INT32 = 6,
  DSCC_INT64 = 7,
  DSCC_BOOL = 9,
  DSCC_FLOAT16 = 10,
  DSCC_DOUBLE = 11,
  DSCC_UINT32 = 12,
  DSCC_UINT64 = 13,
  DSCC_BFLOAT16 = 16,
  DSCC_FLOAT8E4M3FN = 17,
  DSCC_FLOAT8E4M3FNUZ = 18,
  DSCC_FLOAT8E5M2 = 19,
  DSCC_FLOAT8E5M2FNUZ = 20,
  DSCC_UINT4 = 21,
  DSCC_INT4 = 22,
  DSCC_FLOAT4E2M1 = 23,
  DSCC_FLOAT8E8M0 = 24,
  DSCC_UINT2 = 25,
  DSCC_INT2 = 26
};

/* Kinds of device that a program may be made for. */
enum dscc_device_kind { DSCC_DEVICE_CPU = 1, DSCC_DEVICE_CUDA = 2 };

/* What a CPU program demands of the processor, as x86-64 psABI levels. */
enum dscc_cpu_level { DSCC_X86_64_V3 = 3, DSCC_X86_64_V4 = 4 };

/* A named dim of the model. Its value is read off input `input`, axis `axis`, at each run. */
typedef struct dscc_symbol {
  const char *name;
  int64_t min, max; /* inclusive bounds for which the program was proven */
  int32_t input;    /* index into dscc_model_v1.inputs */
  int32_t axis;
} dscc_symbol;

/* An input or output. `dims` holds one text a dim: a number or an expression over the symbols. */
typedef struct dscc_tensor {
  const char *name;
  int32_t dtype; /* enum dscc_dtype */
  int32_t rank;
  const char *const *dims;
  /* Inputs: which weight is taken where a caller leaves the input out, plus 1; its dims are numbers then. 0: every
   * caller must give the input. */
  uint64_t default_weight;
} dscc_tensor;

/* Between two expressions over the symbols: a is lhs, b is rhs. */
enum dscc_relation_kind {
  DSCC_EQUAL = 1,     /* a = b */
  DSCC_BROADCAST = 2, /* a = b, or one of them is 1 */
  DSCC_MULTIPLE = 3   /* b divides a */
};

/* What the graph needs of the dims beyond their bounds. The runtime checks it before it runs a program. */
typedef struct dscc_relation {
  const char *node;       /* the ONNX node that needs it */
  const char *lhs, *rhs;  /* as text */
  const int32_t *symbols; /* those that occur, as indices into dscc_model_v1.symbols */
  int32_t num_symbols;
  int32_t kind; /* enum dscc_relation_kind */
} dscc_relation;

/* One constant of the graph, as the kernels want it (possibly packed). */
typedef struct dscc_weight {
  uint64_t offset; /* into the weight bytes; a multiple of 64 */
  uint64_t bytes;
  uint32_t devices; /* bit (1 << kind) for each dscc_device_kind whose programs use it */
  uint32_t reserved;
} dscc_weight;

/* Handed to a CPU kernel beside its arguments. */
typedef struct dscc_block {
  int64_t index; /* which block of the grid, 0 .. count-1 */
  int64_t count;
  void *scratch; /* dscc_kernel.scratch_bytes bytes, 64-byte aligned, this worker's own */
} dscc_block;

/* `args` is laid out as kernelParams of cuLaunchKernel: args[i] points to the i-th argument's value. */
typedef void (*dscc_cpu_kernel)(const dscc_block *block, void **args);

/* One piece of work. Nodes whose work is equal share a kernel; launches tell them apart. */
typedef struct dscc_kernel {
  const char *name;       /* of the kernel, in the code; says what it computes */
  dscc_cpu_kernel cpu;    /* CPU programs: the code; else NULL */
  uint32_t threads[3];    /* CUDA: block size */
  uint32_t shared_bytes;  /* CUDA: dynamic shared memory */
  uint64_t scratch_bytes; /* CPU: scratch a worker needs */
  uint32_t module;        /* CUDA: index into dscc_program.modules */
  uint32_t reserved;
} dscc_kernel;

/* One launch of a program's run. */
typedef struct dscc_launch {
  const char *nodes; /* the ONNX nodes that it computes, ';' between them */
  uint32_t kernel;   /* index into dscc_program.kernels */
  uint32_t reserved;
} dscc_launch;

/* Code for one chip. */
typedef struct dscc_image {
  uint32_t sm;   /* 80, 86, 89, 90, ... ; for PTX the lowest chip that may run it */
  uint32_t kind; /* 1 cubin, 2 PTX text (NUL-terminated) */
  const void *data;
  uint64_t bytes;
} dscc_image;

/* Code that is loaded together, in a version for each chip. */
typedef struct dscc_module {
  const dscc_image *images;
  uint32_t num_images;
  uint32_t reserved;
} dscc_module;

/* What a program's run returns if a tensor would have more elements than its kernels can count. */
#define DSCC_RUN_TOO_LARGE 100

/* What the runtime does for a running program. `queue` is opaque to the program. Every call returns 0, or a
 * dscc_status that the program must return at once. */
typedef struct dscc_services {
  uint32_t struct_bytes;
  /* Runs `grid` blocks of the kernel of launch `launch` after all work given before it. args as above. */
  int32_t (*launch)(void *queue, int32_t launch, const int64_t grid[3], void **args);
  /* Copies within the device's memory, in order with the launches. */
  int32_t (*copy)(void *queue, void *target, const void *source, int64_t bytes);
} dscc_services;

/* Everything one run of a program sees. All pointers are device pointers for CUDA programs. */
typedef struct dscc_run_args {
  const dscc_services *services;
  void *queue;
  const int64_t *symbols;    /* one value a symbol */
  const void *const *inputs; /* in the model's order */
  void *const *outputs;
  void *arena;                /* arena_bytes(symbols) bytes, 256-byte aligned */
  const void *const *weights; /* one pointer a weight; NULL for those of other devices */
} dscc_run_args;

/* The graph compiled for one kind of device. Programs are listed best first: the runtime takes the first whose
 * demands the machine meets. */
typedef struct dscc_program {
  uint32_t device; /* enum dscc_device_kind */
  uint32_t level;  /* CPU: enum dscc_cpu_level; CUDA: lowest sm */
  uint32_t num_kernels;
  uint32_t num_launches;
  uint32_t num_modules;
  uint32_t reserved;
  const dscc_kernel *kernels;
  const dscc_launch *launches;
  const dscc_module *modules; /* CUDA; NULL for CPUs */
  /* Bytes of arena that a run with these symbols needs: the model's memory contract. */
  int64_t (*arena_bytes)(const int64_t *symbols);
  /* Enqueues one inference. Returns 0, the first failing service's status, 2 (DSCC_BAD_INPUT) if a
   * relation between the dims does not hold, or DSCC_RUN_TOO_LARGE; nothing was enqueued after the last two. */
  int32_t (*run)(const dscc_run_args *args);
} dscc_program;

typedef struct dscc_model_v1 {
  uint32_t magic;        /* DSCC_MODEL_MAGIC */
  uint32_t abi_version;  /* DSCC_ABI_VERSION */
  uint32_t struct_bytes; /* sizeof(dscc_model_v1) */
  uint32_t num_symbols, num_inputs, num_outputs, num_weights, num_programs;
  const dscc_symbol *symbols;
  const dscc_tensor *inputs;
  const dscc_tensor *outputs;
  const dscc_weight *weights;
  const dscc_program *programs;
  /* Writes the dims of all inputs, then of all outputs, one after the other. */
  void (*dims)(const int64_t *symbols, int64_t *dims);
  const void *weight_data; /* NULL when they lie in a file beside the artifact */
  uint64_t weight_bytes;
  const char *weight_file; /* name without folder, or NULL */
  const char *build_info;  /* JSON: compiler version, flags, ptxas version */
  uint32_t num_relations, reserved;
  const dscc_relation *relations;
  /* Writes both sides of each relation, one after the other; NULL if there are no relations. */
  void (*sides)(const int64_t *symbols, int64_t *sides);
} dscc_model_v1;

/* The end of the file. */
#define DSCC_TRAILER_MAGIC "dscc.trailer.v1" /* 16 bytes with its NUL */
#define DSCC_TRAILER_SECTIONS 6
typedef struct dscc_trailer {
  uint64_t file_bytes; /* of the whole file, this trailer included */
  uint32_t abi_version;
  uint32_t num_sections;
  struct {
    uint64_t offset, bytes, hash;
  } sections[DSCC_TRAILER_SECTIONS]; /* hash: XXH64, seed 0 */
  uint64_t trailer_hash;             /* of all bytes above */
  char magic[16];
} dscc_trailer;
#define DSCC_TRAILER_BYTES (sizeof(dscc_trailer))

#endif /* DSCC_ABI_H */
