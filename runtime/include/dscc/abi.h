/* The treaty between an artifact (model.so) and the runtime that loads it.
 *
 * The compiler writes these structures as constants into model.so, which exports exactly one name,
 * `dscc_model`, of type dscc_model_v2. The artifact has no undefined names: whatever its host program
 * needs, the runtime hands in through dscc_services. Both sides include this file and nothing else of
 * each other.
 *
 *   file:   ELF shared object | padding to 8 | dscc_trailer (the last DSCC_TRAILER_BYTES bytes)
 *
 * A runtime reads the trailer with pread and checks it BEFORE it calls dlopen.
 * Lists of records are tables that tell how long a record is, so that structures grow at their ends: a reader skips
 * what it does not know. What it must not skip has a number of its own (a kind of symbol, a service, a segment, a
 * state); a runtime that does not know it refuses the artifact. Version 5 is PROVISIONAL until states are in: what it
 * says of them may change without a new version, and an artifact of it is not promised to be read by later runtimes.
 * All sizes are bytes, all strings are UTF-8 and end in NUL, all pointers live as long as the library, indices begin at
 * 0. Numbers are little-endian and structures laid out as on x86-64 Linux; their sizes there are told at their ends.
 */
#ifndef DSCC_ABI_H
#define DSCC_ABI_H

#include <stdint.h>

#define DSCC_ABI_VERSION 5u          /* grows when a structure changes; a runtime refuses all but its own */
#define DSCC_MODEL_MAGIC 0x4d435344u /* "DSCM" in memory */
#define DSCC_MODEL_NAME "dscc_model" /* what an artifact exports */
#define DSCC_MAX_RANK 16             /* the most dims of an input or output */

/* Element types. The numbers are those of ONNX's TensorProto.DataType; strings and complex numbers are left out. A
 * bool is a byte, 0 or 1. A type of 4 or 2 bits has a byte a value: integers as int8 or uint8 have them, a float's code
 * in the low bits. */
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

/* Records of one kind, one behind the other. */
typedef struct dscc_table {
  const void *data; /* the first; a multiple of 8. NULL if there are none */
  uint32_t count;   /* how many */
  uint32_t stride; /* from one to the next: at least their structure's bytes, a multiple of 8; any, if there are none */
} dscc_table;      /* 16 bytes */

/* Where a named dim has its value from, at each run. */
enum dscc_symbol_kind {
  DSCC_SYMBOL_AXIS = 1,  /* axis `axis` of input `source` */
  DSCC_SYMBOL_VALUE = 2, /* an element of a small tensor of integers; no runtime knows this kind yet */
  DSCC_SYMBOL_LENGTH = 3 /* the length of state `source`; no runtime knows this kind yet */
};

/* A named dim of the model. */
typedef struct dscc_symbol {
  const char *name;  /* such as "batch": what stands for it in texts of dims */
  int64_t min, max;  /* inclusive bounds for which the program was proven; 0 <= min, and no bound is INT64_MAX */
  uint32_t kind;     /* enum dscc_symbol_kind */
  uint32_t source;   /* an index, as `kind` says */
  uint32_t axis;     /* DSCC_SYMBOL_AXIS: below that input's rank; else 0 */
  uint32_t reserved; /* 0 */
} dscc_symbol;       /* 40 bytes */

/* An input or output. */
typedef struct dscc_tensor {
  const char *name; /* the ONNX graph's */
  int32_t dtype;    /* enum dscc_dtype */
  int32_t rank;     /* how many dims, at most DSCC_MAX_RANK; 0: one element */
  /* One text a dim: a number, a symbol's name, or an expression of both, as "past + 1" or "floordiv(h - 1, 2) + 1":
   * signs, +, -, *, floordiv(a, b), which rounds down, and min and max of two or more. NULL for rank 0. */
  const char *const *dims;
  /* Inputs: which weight is taken where a caller leaves the input out, plus 1; its dims are numbers then. 0: every
   * caller must give the input. Outputs: 0. */
  uint64_t default_weight;
} dscc_tensor; /* 32 bytes */

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
  const int32_t *symbols; /* those that occur, as indices into dscc_model_v2.symbols */
  int32_t num_symbols;    /* of `symbols` */
  int32_t kind;           /* enum dscc_relation_kind */
} dscc_relation;          /* 40 bytes */

/* One constant of the graph, as the kernels want it (possibly packed). */
typedef struct dscc_weight {
  uint64_t offset;   /* into the weight bytes; a multiple of 64. Entries that are equal may share their bytes */
  uint64_t bytes;    /* from there on */
  uint32_t programs; /* bit (1 << i) for each program i that uses it */
  uint32_t reserved; /* 0 */
} dscc_weight;       /* 24 bytes */

/* Handed to a CPU kernel beside its arguments. */
typedef struct dscc_block {
  int64_t index; /* which block of the grid, 0 .. count-1 */
  int64_t count; /* how many blocks the launch has: the product of its grid */
  void *scratch; /* at least dscc_kernel.scratch_bytes bytes, 64-byte aligned, this worker's own; else NULL */
} dscc_block;    /* 24 bytes */

/* Runs one block; the blocks of a launch run on several threads, in any order. `args` is laid out as kernelParams of
 * cuLaunchKernel: args[i] points to the i-th argument's value. Arguments are the addresses of the tensors that are
 * read, those of the tensors that are written, then the values of the symbols that the kernel uses, as int64_t; CUDA
 * kernels may take tensor maps behind them, as encode_tensor_map gives them. */
typedef void (*dscc_cpu_kernel)(const dscc_block *block, void **args);

/* What may be made use of. */
enum dscc_kernel_flag {
  /* CUDA: it waits for the work before it by itself (griddepcontrol.wait) before it touches memory, so it may be
   * launched while the kernel before it still runs. */
  DSCC_KERNEL_OVERLAPS = 1
};

/* One piece of work. Nodes whose work is equal share a kernel; launches tell them apart. */
typedef struct dscc_kernel {
  const char *name;       /* of the kernel, in the code; says what it computes */
  dscc_cpu_kernel cpu;    /* CPU programs: the code; else NULL */
  uint32_t threads[3];    /* CUDA: block size */
  uint32_t shared_bytes;  /* CUDA: dynamic shared memory of a block */
  uint64_t scratch_bytes; /* CPU: scratch a worker needs */
  uint32_t module;        /* CUDA: index into dscc_program.modules */
  uint32_t cluster[3];    /* CUDA: blocks of a cluster, which divide the grid; all 1 or all 0 without clusters */
  uint32_t flags;         /* enum dscc_kernel_flag, added up; a runtime may ignore those that it does not know */
  uint32_t reserved;      /* 0 */
} dscc_kernel;            /* 64 bytes */

/* One launch of a program's run. */
typedef struct dscc_launch {
  const char *nodes; /* the ONNX nodes that it computes, ';' between them */
  uint32_t kernel;   /* index into dscc_program.kernels */
  uint32_t reserved; /* 0 */
} dscc_launch;       /* 16 bytes */

/* Code for one chip, and for those that run it as well. */
typedef struct dscc_image {
  /* It runs on compute capabilities from min_sm to max_sm, both included: 80 to 89 for a cubin of sm_80, 90 to 90 for
   * one of sm_90a, 80 to UINT32_MAX for PTX of sm_80. */
  uint32_t min_sm, max_sm;
  uint32_t kind;     /* 1 cubin, 2 PTX text (NUL-terminated) */
  uint32_t reserved; /* 0 */
  const void *data; /* as cuModuleLoadData takes it, 64-byte aligned; behind a cubin its PTX may lie, compressed. Images
                     * of several programs may share it */
  uint64_t bytes;   /* of data, the NUL or what lies behind the cubin included */
} dscc_image;       /* 32 bytes */

/* Code that is loaded together, in a version for each chip. */
typedef struct dscc_module {
  dscc_table images; /* dscc_image, at least one: of both kinds and for different chips, in any order */
} dscc_module;       /* 16 bytes */

#define DSCC_MAX_MAP_RANK 5    /* the most dims of a tensor map */
#define DSCC_MAX_MAP_SPATIAL 3 /* the most dims of a map of pixels that are neither images nor channels */

/* What a copy by a tensor map moves. */
enum dscc_tensor_map_kind {
  DSCC_MAP_TILED = 0, /* a box of the tensor */
  DSCC_MAP_PIXELS = 1 /* im2col: pixels of images, as a place in a convolution's window sees them */
};

/* What is always the same of a map by which CUDA hardware copies parts of a tensor. Dims are innermost first. */
typedef struct dscc_tensor_map {
  int32_t dtype; /* enum dscc_dtype, of 1, 2, 4 or 8 bytes */
  uint32_t rank; /* from 1 to DSCC_MAX_MAP_RANK; DSCC_MAP_PIXELS: from 3: channels, spatial dims, images */
  /* DSCC_MAP_TILED: elements along each dim that one copy moves, from 1 to 256; 0 beyond the rank.
   * DSCC_MAP_PIXELS: channels of a pixel, from 1 to 256, and pixels of a copy, from 1 to 1024; then 0. */
  uint32_t box[DSCC_MAX_MAP_RANK];
  uint32_t swizzle; /* bytes among which chunks of 16 change places in shared memory: 0, 32, 64 or 128 */
  uint32_t kind;    /* enum dscc_tensor_map_kind */
  /* DSCC_MAP_PIXELS: for each spatial dim, 0 beyond them; DSCC_MAP_TILED: 0. Where the bounding box begins, how far its
   * last pixel is from the image's last one (each -2^15 to 2^15-1 for one spatial dim, -2^7 to 2^7-1 for two, -2^4 to
   * 2^4-1 for three), and pixels from one to the next (1 to 8). */
  int32_t lower[DSCC_MAX_MAP_SPATIAL], upper[DSCC_MAX_MAP_SPATIAL];
  uint32_t steps[DSCC_MAX_MAP_SPATIAL];
} dscc_tensor_map; /* 72 bytes */

/* What a program's run returns if a tensor would have more elements than its kernels can count: 2^31 - 2^16 with
 * indices of 32 bits, else 2^44. */
#define DSCC_RUN_TOO_LARGE 100

/* The services of a runtime: bit (1 << i) stands for the i-th function of dscc_services. */
enum dscc_service {
  DSCC_SERVICE_LAUNCH = 1 << 0,            /* blocks of a kernel */
  DSCC_SERVICE_COPY = 1 << 1,              /* bytes within the device's memory */
  DSCC_SERVICE_FILL = 1 << 2,              /* memory with a value; no runtime has it yet */
  DSCC_SERVICE_READ = 1 << 3,              /* a small tensor back to the host; no runtime has it yet */
  DSCC_SERVICE_ENCODE_TENSOR_MAP = 1 << 4, /* 128 bytes by which hardware knows a tensor; CUDA alone */
  DSCC_SERVICE_MARK = 1 << 5,              /* a moment of the run, for profiles; no runtime has it yet */
  DSCC_SERVICE_COLLECTIVE = 1 << 6         /* among several devices; no runtime has it yet */
};

/* What the runtime does for a running program. `queue` is opaque to the program. Every call returns 0, or a
 * dscc_status that the program must return at once. A program calls those of its dscc_program.services only. */
typedef struct dscc_services {
  uint32_t struct_bytes; /* sizeof(dscc_services) of the runtime; what lies beyond is not there */
  /* Runs `grid` blocks of the kernel of launch `launch` (an index into dscc_program.launches) after all work given
   * before it. args as for a dscc_cpu_kernel; what they point to is read before the call returns. */
  int32_t (*launch)(void *queue, int32_t launch, const int64_t grid[3], void **args);
  /* Copies within the device's memory, in order with the launches. No bytes are no error. */
  int32_t (*copy)(void *queue, void *target, const void *source, int64_t bytes);
  void (*fill)(
      void); /* DSCC_SERVICE_FILL: its place. No runtime has it, and what it takes is told when one does: NULL */
  void (*read)(void); /* DSCC_SERVICE_READ: the same */
  /* Makes what kernels take for tensor map `map` (an index into dscc_program.tensor_maps) of the tensor at `address`,
   * and sets `*encoded` to it: to be handed to launches until the next run begins, or the map is encoded again. As many
   * dims as the map has, innermost first; strides in bytes, one less, that of the second dim first. */
  int32_t (*encode_tensor_map)(void *queue, int32_t map, void *address, const int64_t *dims, const int64_t *strides,
                               void **encoded);
  void (*mark)(void);       /* DSCC_SERVICE_MARK: as fill */
  void (*collective)(void); /* DSCC_SERVICE_COLLECTIVE: as fill */
} dscc_services;            /* 64 bytes */

/* Everything one run of a program sees, for the time of the call. Tensors, arena and weights are device pointers for
 * CUDA programs; the arrays that hold them are the host's. */
typedef struct dscc_run_args {
  const dscc_services *services; /* what may be called */
  void *queue;                   /* the first argument of each service */
  const int64_t *symbols;        /* one value a symbol */
  const void *const *inputs;     /* in the model's order */
  void *const *outputs;          /* in the model's order */
  /* One pointer a segment of the program: arena_bytes(segment, symbols) bytes, 256-byte aligned; may be NULL if that
   * is 0. */
  void *const *arena;
  const void *const *weights; /* one pointer a weight of the model; NULL for those of other programs */
} dscc_run_args;              /* 56 bytes */

/* The graph compiled for a level of processors or a generation of GPUs. Programs are listed best first: the runtime
 * takes the first whose demands the machine meets; a GPU's are that each of `modules` has an image that it runs. */
typedef struct dscc_program {
  uint32_t device;   /* enum dscc_device_kind */
  uint32_t level;    /* CPU: enum dscc_cpu_level; CUDA: lowest sm */
  uint32_t services; /* enum dscc_service, added up: what its run may call */
  /* Of its arena. 1: runtimes refuse more until there are values that only a run knows. */
  uint32_t num_segments;
  dscc_table kernels;  /* dscc_kernel, in any order */
  dscc_table launches; /* dscc_launch, in the order in which a run makes them; those without blocks are left out then */
  dscc_table modules;  /* dscc_module; none for CPUs */
  dscc_table tensor_maps; /* dscc_tensor_map; none for CPUs */
  /* Bytes that a segment of the arena needs in a run with these symbols: the model's memory contract. Negative: beyond
   * counting. */
  int64_t (*arena_bytes)(uint32_t segment, const int64_t *symbols);
  /* Enqueues one inference; what that is follows from symbols and addresses alone, so that it may be recorded and
   * replayed. Returns 0, the first failing service's status, 2 (DSCC_BAD_INPUT) if a
   * relation between the dims does not hold, or DSCC_RUN_TOO_LARGE; nothing was enqueued after the last two. */
  int32_t (*run)(const dscc_run_args *args);
} dscc_program; /* 96 bytes */

/* What an artifact exports as `dscc_model`: the model's signature and its programs. A runtime looks at the first three
 * fields before it believes the rest. */
typedef struct dscc_model_v2 {
  uint32_t magic;        /* DSCC_MODEL_MAGIC */
  uint32_t abi_version;  /* DSCC_ABI_VERSION */
  uint32_t struct_bytes; /* at least sizeof(dscc_model_v2); what lies beyond is for later runtimes */
  uint32_t reserved;     /* 0 */
  dscc_table symbols;    /* dscc_symbol: every name that occurs in a dim */
  dscc_table inputs;     /* dscc_tensor, in the ONNX graph's order, those that may be left out last */
  dscc_table outputs;    /* dscc_tensor, in the ONNX graph's order */
  dscc_table weights;    /* dscc_weight: each program's, one program after the other, and the defaults of inputs */
  dscc_table programs;   /* dscc_program, best first, at most 32 */
  dscc_table relations;  /* dscc_relation, in any order */
  dscc_table states;     /* what outlives a run; none, until runtimes know them */
  /* Writes the dims of all inputs, then of all outputs, one after the other; each has as many as its rank. One
   * of an output may come out negative: then the symbols do not fit the model. */
  void (*dims)(const int64_t *symbols, int64_t *dims);
  /* Writes both sides of each relation, one after the other; NULL if there are no relations. */
  void (*sides)(const int64_t *symbols, int64_t *sides);
  const void *weight_data; /* NULL when they lie in a file beside the artifact, or there are none */
  uint64_t weight_bytes;   /* of weight_data, or the least that the file has */
  const char *weight_file; /* name without folder, or NULL */
  const char *build_info;  /* JSON: compiler version, flags, ptxas version; NULL or empty: not told */
} dscc_model_v2;           /* 176 bytes */

/* The end of the file. */
#define DSCC_TRAILER_MAGIC "dscc.trailer.v1" /* 16 bytes with its NUL */
#define DSCC_TRAILER_SECTIONS 6              /* room for so many; together they cover all before the trailer */
/* What must be true of the file, for whoever reads it before its code may run. */
typedef struct dscc_trailer {
  uint64_t file_bytes;   /* of the whole file, this trailer included */
  uint32_t abi_version;  /* DSCC_ABI_VERSION */
  uint32_t num_sections; /* how many of `sections` count; the others are 0 */
  /* Parts of the file, to be checked side by side. */
  struct {
    uint64_t offset, bytes, hash;    /* from the file's first byte; how many; their XXH64 with seed 0 */
  } sections[DSCC_TRAILER_SECTIONS]; /* in the file's order, without gaps */
  uint64_t trailer_hash;             /* XXH64 with seed 0 of all bytes above */
  char magic[16];                    /* DSCC_TRAILER_MAGIC */
} dscc_trailer;                      /* 184 bytes */
#define DSCC_TRAILER_BYTES (sizeof(dscc_trailer))

#endif /* DSCC_ABI_H */
