/* The C API of dscc's runtime: open a model.so, look at its signature, run it.
 *
 *   dscc_model *model;  dscc_context *context;
 *   dscc_model_open("model.so", NULL, &model);
 *   dscc_context_create(model, NULL, &context);
 *   dscc_run(context, inputs, num_inputs, outputs, num_outputs, NULL);
 *
 * Threads: a model is immutable and may be shared by any number of threads. A context runs one inference at a
 * time; make one for each run that is in flight. A run whose tensors and arena are no larger than those of an earlier
 * run of its context allocates nothing, but for the graphs of a GPU's driver (see no_replay).
 * Errors: what can fail returns a status; the sentence that says what happened is dscc_last_error(), per thread.
 * On failure no out-parameter is written, and no output of a run, but in two cases: outputs on a CUDA device may be
 * written in part, and with DSCC_DEVICE_FAILED those on the host too.
 * Memory: what a call is given is the caller's and is not kept longer than the call, if its comment says nothing else.
 * Sizes are bytes; texts are UTF-8 and end in NUL. Sizes of structures are those of x86-64 Linux, for bindings.
 * Needs at run time: libc, libm and the loader; the CUDA driver is found by dlopen when a CUDA device is asked for.
 */
#ifndef DSCC_DSCC_H
#define DSCC_DSCC_H

#include <stddef.h>
#include <stdint.h>

#include <dscc/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the library exports. */
#if defined(__GNUC__)
#define DSCC_API __attribute__((visibility("default")))
#else
#define DSCC_API
#endif

/* What a call returns. */
typedef enum dscc_status {
  DSCC_OK = 0,
  DSCC_BAD_FILE = 1,      /* not an artifact, damaged, not readable, or of another ABI version */
  DSCC_BAD_INPUT = 2,     /* name, dtype, rank, dims, bytes or place of a tensor do not fit the model */
  DSCC_BAD_CALL = 3,      /* a NULL where none may be, a context used twice at once, ... */
  DSCC_NO_DEVICE = 4,     /* no device, driver or code for it; on a CPU: no code for this processor */
  DSCC_OUT_OF_MEMORY = 5, /* of the host or of the device; or no threads */
  DSCC_DEVICE_FAILED = 6, /* the driver reported an error; the sentence has its name */
  DSCC_TOO_SMALL = 7      /* an output or a workspace that the caller gave is too small */
} dscc_status;            /* 4 bytes, as an int */

/* An opened artifact, with its weights where its device wants them. From dscc_model_open to dscc_model_close. */
typedef struct dscc_model dscc_model;
/* What one run at a time needs: an arena, and a stream on a GPU. From dscc_context_create to dscc_context_destroy. */
typedef struct dscc_context dscc_context;

/* Where a model is to run. With DSCC_AUTO it is a CPU wherever DSCC_CUDA would not open, for whatever reason. */
typedef enum dscc_device { DSCC_AUTO = 0, DSCC_CPU = 1, DSCC_CUDA = 2 } dscc_device; /* 4 bytes, as an int */

/* How to open. Zero-initialise, set struct_bytes, then what differs. Read during the call only. */
typedef struct dscc_open_options {
  size_t struct_bytes;     /* sizeof(dscc_open_options); what lies beyond so many bytes counts as 0 */
  dscc_device device;      /* DSCC_AUTO: CUDA if a driver, a device and code for it are there, else CPU */
  int device_ordinal;      /* CUDA: which device, in the driver's order from 0 */
  int threads;             /* CPU: threads that run a launch, the calling one included; 0: one a physical core */
  int skip_hashes;         /* 1: check the trailer but not the hashes of the sections (faster open) */
  const char *cuda_driver; /* library to dlopen in place of libcuda.so.1; NULL: that */
} dscc_open_options;       /* 32 bytes */

/* A tensor in the caller's memory. The runtime reads it (inputs) or writes it (outputs) and never keeps it. */
typedef struct dscc_buffer {
  const char *name;    /* of an input or output; NULL: the one at the same place in the model as this is in its array */
  int dtype;           /* enum dscc_dtype; must be the model's */
  int rank;            /* how many dims; must be the model's */
  const int64_t *dims; /* `rank` numbers, in elements; outputs: may be NULL, then they follow from the inputs */
  /* The elements, C-contiguous; NULL only if there are none. Aligned to 16 bytes on a GPU, to an element where the
   * model runs on a CPU. An output overlaps neither an input nor another output. */
  void *data;
  size_t bytes;  /* of data, at least what the dims take; what is beyond is left alone */
  int on_device; /* 0: data is on the host; 1: a CUDA pointer of the device's primary context (only on that device) */
} dscc_buffer;   /* 48 bytes */

/* Opens the artifact at `path`: checks the file, loads it, and brings its weights to the device. A path without '/' is
 * of the working folder. `options` may be NULL: all defaults. On success *model is the caller's until
 * dscc_model_close; until then the file must stay as it is. Hashes find damage, not malice: what is opened is run.
 * DSCC_BAD_CALL, DSCC_BAD_FILE, DSCC_NO_DEVICE, DSCC_OUT_OF_MEMORY, DSCC_DEVICE_FAILED. */
DSCC_API dscc_status dscc_model_open(const char *path, const dscc_open_options *options, dscc_model **model);
/* Closes a model and frees all that is owned by it. Every context of it and all memory that dscc_device_allocate gave
 * must be gone before. NULL is allowed: nothing happens. */
DSCC_API void dscc_model_close(dscc_model *model);

/* What follows, up to dscc_threads, cannot fail, and takes no NULL. */

/* The signature as one line of JSON, owned by the model: {"inputs": [{"name", "dtype", "dims": [..]}], "outputs": the
 * same, "symbols": [{"name", "min", "max"}], "device", "kernels", "weight_bytes", "build": {..}}. A dim is a number, or
 * a text if it hangs on named dims. An input that may be left out, because the model has a default for it, has
 * "optional": true and comes after those that may not. */
DSCC_API const char *dscc_signature_json(const dscc_model *model);
/* How many inputs the model has, those that may be left out included. */
DSCC_API size_t dscc_num_inputs(const dscc_model *model);
/* How many outputs the model has. A run is given a buffer for each. */
DSCC_API size_t dscc_num_outputs(const dscc_model *model);
/* Name, dtype, rank and dims texts of input `index` (from 0), owned by the model; NULL if there is no such index. */
DSCC_API const dscc_tensor *dscc_input(const dscc_model *model, size_t index);
/* The same of output `index`. */
DSCC_API const dscc_tensor *dscc_output(const dscc_model *model, size_t index);
/* What it runs on: "cpu (x86-64-v4)", "cuda (sm_90, ...)". Owned by the model. */
DSCC_API const char *dscc_device_name(const dscc_model *model);
/* Threads that run a launch, the calling one included; 1 on a GPU. Runs that are in flight together share the pool:
 * one that finds it busy runs its launch on the calling thread alone. */
DSCC_API int dscc_threads(const dscc_model *model);

/* Given the inputs' dims (data and bytes are not looked at): checks them and writes the dims of output `index`, as many
 * as its rank and at most DSCC_MAX_RANK, to dims. Inputs as for dscc_run. DSCC_BAD_CALL: there is no such output, or a
 * NULL; DSCC_BAD_INPUT: no run takes such inputs; DSCC_OUT_OF_MEMORY. */
DSCC_API dscc_status dscc_output_dims(const dscc_model *model, const dscc_buffer *inputs, size_t num_inputs,
                                      size_t index, int64_t *dims);
/* Bytes of arena that a run on such inputs needs, for dscc_context_options.workspace_bytes; 0 is possible. Inputs and
 * errors as for dscc_output_dims. Buffers for host tensors on a GPU are not counted. */
DSCC_API dscc_status dscc_workspace_size(const dscc_model *model, const dscc_buffer *inputs, size_t num_inputs,
                                         size_t *bytes);

/* How to make a context. It owns an arena that grows to the largest that a run of it has needed, or uses the caller's.
 * Zero-initialise, set struct_bytes, then what differs. Read during the call only. */
typedef struct dscc_context_options {
  size_t struct_bytes; /* sizeof(dscc_context_options); what lies beyond so many bytes counts as 0 */
  /* Memory of the model's device, 256-byte aligned, the caller's, untouched by others as long as the context lives;
   * NULL: the context allocates. */
  void *workspace;
  size_t workspace_bytes; /* of workspace; a run that needs more fails with DSCC_TOO_SMALL. Without one: ignored */
  int profile; /* 1: measure each launch of each run, see dscc_profile. Such runs take longer and return when all is
                  done; one whose times cannot be read fails, although its outputs are written */
  /* On a GPU a run whose named dims and addresses (of inputs, outputs and arena; host tensors have one of the
   * context's) are those of an earlier run is replayed: one call of the driver enqueues all its launches. The second
   * such run makes what is needed for that; the sets used last are kept. 1: every run makes its launches one by one.
   * With profile = 1, and on a stream that is being captured, that is so anyway. */
  int no_replay;
} dscc_context_options; /* 32 bytes */
/* Makes a context. `options` may be NULL. On success *context is the caller's until dscc_context_destroy, which must
 * come before dscc_model_close. DSCC_BAD_CALL (a NULL, a workspace that is not aligned), DSCC_OUT_OF_MEMORY,
 * DSCC_DEVICE_FAILED. */
DSCC_API dscc_status dscc_context_create(dscc_model *model, const dscc_context_options *options,
                                         dscc_context **context);
/* Gives its memory back, but not the caller's workspace. No run of it may be under way, nor enqueued on a stream of the
 * caller's. NULL is allowed: nothing happens. */
DSCC_API void dscc_context_destroy(dscc_context *context);

/* One inference. `inputs` has one buffer for each input, those with a default may be missing; `outputs` one for each
 * output; both in any order where they have names. An array may be NULL if its number is 0.
 * `stream` is a CUstream of the device's primary context and is ignored on a CPU. NULL: the context's own, which does
 * not wait for work in the default stream: wait for that before, or give CU_STREAM_LEGACY, which is 1.
 * The call returns when the outputs are there; on a GPU, if `stream` is not NULL and all buffers are on the device,
 * when the work is enqueued. Until that is done their data must live, and the context runs on the same stream only.
 * A stream may be one that the caller is capturing, if all buffers are on the device and the context does not measure:
 * the launches become part of the caller's graph, which may run as long as the context lives and makes no run that
 * needs a larger arena. A run with the same dims must have come before, so that there is nothing to allocate.
 * DSCC_BAD_CALL: a NULL, the context is running already, or a stream that is being captured gets host buffers;
 * DSCC_BAD_INPUT: the tensors do not fit the model or each other, or have more elements than its kernels can count;
 * DSCC_TOO_SMALL, DSCC_OUT_OF_MEMORY, DSCC_DEVICE_FAILED. */
DSCC_API dscc_status dscc_run(dscc_context *context, const dscc_buffer *inputs, size_t num_inputs,
                              const dscc_buffer *outputs, size_t num_outputs, void *stream);

/* One piece of work of a run: a launch of a kernel, or a copy. */
typedef struct dscc_profile_entry {
  const char *kernel; /* the kernel's name, "copy" (within the device), "copy in" or "copy out" (host and device) */
  const char *nodes;  /* the ONNX nodes that the launch computes, ';' between them; of a copy in or out the tensor */
  int64_t blocks;     /* of the launch; of a copy its bytes */
  double start_us;    /* when it began, in microseconds from the beginning of the first one */
  double us;          /* how long it took, in microseconds: by the clock on a CPU, by events on a GPU */
} dscc_profile_entry; /* 40 bytes */
/* What the last successful run of a context made with profile = 1 was made of, in order; *count says of how many. NULL
 * and 0 if nothing was measured. Entries are the context's and change with its next run; their texts are the model's.
 */
DSCC_API const dscc_profile_entry *dscc_profile(const dscc_context *context, size_t *count);

/* Memory on the model's device. Any number of threads may call these at once. */

/* Memory of the model's device, 256-byte aligned: on a GPU for buffers with on_device = 1 and for workspaces; on a CPU
 * it is the host's. Its contents are unknown; 0 bytes have an address too. *memory is the caller's until
 * dscc_device_free, which must come before dscc_model_close. DSCC_BAD_CALL, DSCC_OUT_OF_MEMORY, DSCC_DEVICE_FAILED. */
DSCC_API dscc_status dscc_device_allocate(dscc_model *model, size_t bytes, void **memory);
/* Gives back what dscc_device_allocate gave for the same model, when the device no longer uses it: on a GPU the call
 * waits for that. NULL is allowed: nothing happens. */
DSCC_API void dscc_device_free(dscc_model *model, void *memory);
/* Copies `bytes` bytes from `source` on the host to `memory` on the device, and returns when it is done. `memory` may
 * point anywhere into the device's memory. NULL is allowed for 0 bytes. On a GPU the copy is in the default stream; for
 * work in streams of CU_STREAM_NON_BLOCKING wait before. DSCC_BAD_CALL, DSCC_DEVICE_FAILED. */
DSCC_API dscc_status dscc_device_write(dscc_model *model, void *memory, const void *source, size_t bytes);
/* The same from `memory` on the device to `target` on the host. */
DSCC_API dscc_status dscc_device_read(dscc_model *model, void *target, const void *memory, size_t bytes);
/* Waits for all work on a CUstream of the caller's; NULL: the device's default stream. On a CPU nothing is to wait for.
 * DSCC_BAD_CALL; DSCC_DEVICE_FAILED also for a kernel that was enqueued before and has failed since. */
DSCC_API dscc_status dscc_device_wait(dscc_model *model, void *stream);

/* What follows needs no model. Texts live as long as the library, that of dscc_last_error as long as its thread. */

/* Why the last call on this thread failed: one sentence on one line, at most 1023 bytes. Never NULL. To be read before
 * the thread's next call, which may change it. After a call that succeeded it says nothing about that call. */
DSCC_API const char *dscc_last_error(void);
/* Version of the runtime, such as "0.1.0". */
DSCC_API const char *dscc_version(void);
/* The ABI version that the runtime speaks; artifacts of another one are refused. DSCC_ABI_VERSION is the header's. */
DSCC_API uint32_t dscc_abi_version(void);
/* Bytes of one element; 4- and 2-bit types travel as one value a byte. 0 for an unknown dtype. */
DSCC_API size_t dscc_dtype_bytes(int dtype);
/* "float32", ... as in NumPy where it has the type; "unknown" for an unknown dtype. */
DSCC_API const char *dscc_dtype_name(int dtype);

#ifdef __cplusplus
}
#endif
#endif /* DSCC_DSCC_H */
