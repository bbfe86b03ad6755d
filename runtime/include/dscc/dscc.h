/* The C API of dscc's runtime: open a model.so, look at its signature, run it.
 *
 *   dscc_model *model;  dscc_context *context;
 *   dscc_model_open("model.so", NULL, &model);
 *   dscc_context_create(model, NULL, &context);
 *   dscc_run(context, inputs, num_inputs, outputs, num_outputs, NULL);
 *
 * Threads: a model is immutable and may be shared by any number of threads. A context runs one inference at a
 * time; make one for each run that is in flight. Nothing is allocated while a run with the context's dims is under way.
 * Errors: every call returns a status; the sentence that says what happened is dscc_last_error(), per thread.
 * On failure the outputs are untouched and no out-parameter is written.
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
  DSCC_BAD_FILE = 1,  /* not an artifact, damaged, or of another ABI version */
  DSCC_BAD_INPUT = 2, /* name, dtype, rank, dims or bytes do not fit the signature */
  DSCC_BAD_CALL = 3,  /* a NULL where none may be, a context used twice at once, ... */
  DSCC_NO_DEVICE = 4, /* no device, driver or code for it */
  DSCC_OUT_OF_MEMORY = 5,
  DSCC_DEVICE_FAILED = 6, /* the driver reported an error; the sentence has its name */
  DSCC_TOO_SMALL = 7      /* a buffer that the caller gave is too small */
} dscc_status;

/* An opened artifact. */
typedef struct dscc_model dscc_model;
/* What one run at a time needs. */
typedef struct dscc_context dscc_context;

/* Where a model is to run. */
typedef enum dscc_device { DSCC_AUTO = 0, DSCC_CPU = 1, DSCC_CUDA = 2 } dscc_device;

/* How to open. Zero-initialise, set struct_bytes, then what differs. */
typedef struct dscc_open_options {
  size_t struct_bytes;
  dscc_device device;      /* DSCC_AUTO: CUDA if a driver, a device and code for it are there, else CPU */
  int device_ordinal;      /* CUDA: which device */
  int threads;             /* CPU: workers of the pool, the caller included; 0 = one a physical core */
  int skip_hashes;         /* 1: check the trailer but not the hashes of the sections (faster open) */
  const char *cuda_driver; /* library to dlopen in place of libcuda.so.1; NULL = that */
} dscc_open_options;

/* A tensor in the caller's memory. The runtime reads it (inputs) or writes it (outputs) and never keeps it. */
typedef struct dscc_buffer {
  const char *name; /* input or output name; NULL = by position */
  int dtype;        /* enum dscc_dtype */
  int rank;
  const int64_t *dims; /* `rank` numbers; outputs: may be NULL, then they follow from the inputs */
  void *data;          /* C-contiguous */
  size_t bytes;        /* capacity of data */
  int on_device;       /* 1: data is a CUDA device pointer (only with a CUDA device) */
} dscc_buffer;

/* Opens an artifact. `options` may be NULL. On success *model is the caller's until dscc_model_close. */
DSCC_API dscc_status dscc_model_open(const char *path, const dscc_open_options *options, dscc_model **model);
/* Closes a model. Every context of it must be gone. NULL is allowed. */
DSCC_API void dscc_model_close(dscc_model *model);

/* The signature as JSON: {"inputs": [{"name", "dtype", "dims": [..]}], "outputs", "symbols", "device", ...}. An input
 * that may be left out, because the model has a default for it, has "optional": true and comes after those that may
 * not. Owned by the model. */
DSCC_API const char *dscc_signature_json(const dscc_model *model);
/* How many inputs and outputs there are. */
DSCC_API size_t dscc_num_inputs(const dscc_model *model);
DSCC_API size_t dscc_num_outputs(const dscc_model *model);
/* Name, dtype, rank and dims texts, owned by the model; NULL if there is no such index. */
DSCC_API const dscc_tensor *dscc_input(const dscc_model *model, size_t index);
DSCC_API const dscc_tensor *dscc_output(const dscc_model *model, size_t index);
/* What it runs on: "cpu (x86-64-v4)", "cuda (sm_90, ...)". Owned by the model. */
DSCC_API const char *dscc_device_name(const dscc_model *model);
/* Threads of the model's pool, the calling one included; 1 on a GPU. */
DSCC_API int dscc_threads(const dscc_model *model);

/* Given the inputs' dims (data is not looked at): checks them and writes the dims of output `index`, at most
 * DSCC_MAX_RANK, to dims. */
DSCC_API dscc_status dscc_output_dims(const dscc_model *model, const dscc_buffer *inputs, size_t num_inputs,
                                      size_t index, int64_t *dims);
/* Bytes of arena that a run on such inputs needs. */
DSCC_API dscc_status dscc_workspace_size(const dscc_model *model, const dscc_buffer *inputs, size_t num_inputs,
                                         size_t *bytes);

/* A context owns an arena that grows to the largest dims that it has run, or uses the caller's. */
typedef struct dscc_context_options {
  size_t struct_bytes;
  void *workspace; /* device memory of the caller's, 256-byte aligned; NULL: the context allocates */
  size_t workspace_bytes;
  int profile; /* 1: measure each launch of each run, see dscc_profile. Such runs take longer and return when all is
                  done; one whose times cannot be read fails, although its outputs are written */
} dscc_context_options;
/* Makes a context. `options` may be NULL. On success *context is the caller's until dscc_context_destroy. */
DSCC_API dscc_status dscc_context_create(dscc_model *model, const dscc_context_options *options,
                                         dscc_context **context);
/* Gives its memory back. No run of it may be under way. NULL is allowed. */
DSCC_API void dscc_context_destroy(dscc_context *context);

/* One inference. `stream` is a CUstream (NULL: the context's own) and is ignored on a CPU. With host buffers the call
 * returns when the outputs are there; with device buffers on a caller's stream it returns when the work is enqueued. */
DSCC_API dscc_status dscc_run(dscc_context *context, const dscc_buffer *inputs, size_t num_inputs,
                              const dscc_buffer *outputs, size_t num_outputs, void *stream);

/* One piece of work of a run: a launch of a kernel, or a copy. */
typedef struct dscc_profile_entry {
  const char *kernel; /* the kernel's name, "copy" (within the device), "copy in" or "copy out" (host and device) */
  const char *nodes;  /* the ONNX nodes that the launch computes, ';' between them; of a copy in or out the tensor */
  int64_t blocks;     /* of the launch; of a copy its bytes */
  double start_us;    /* when it began, in microseconds from the beginning of the first one */
  double us;          /* how long it took, in microseconds: by the clock on a CPU, by events on a GPU */
} dscc_profile_entry;
/* What the last successful run of a context made with profile = 1 was made of, in order; *count says of how many. NULL
 * and 0 if nothing was measured. Entries are the context's and change with its next run; their texts are the model's. */
DSCC_API const dscc_profile_entry *dscc_profile(const dscc_context *context, size_t *count);

/* Memory of the model's device, 256-byte aligned: on a GPU for buffers with on_device = 1 and for workspaces; on a CPU
 * it is the host's. The caller's until dscc_device_free, which must come before dscc_model_close. */
DSCC_API dscc_status dscc_device_allocate(dscc_model *model, size_t bytes, void **memory);
/* Waits until the device no longer uses the memory. NULL is allowed. */
DSCC_API void dscc_device_free(dscc_model *model, void *memory);
/* Copy `bytes` bytes from the host to the device's memory, and back. Both return when it is done. */
DSCC_API dscc_status dscc_device_write(dscc_model *model, void *memory, const void *source, size_t bytes);
DSCC_API dscc_status dscc_device_read(dscc_model *model, void *target, const void *memory, size_t bytes);
/* Waits for all work on a CUstream of the caller's; NULL: the device's default stream. On a CPU nothing is to wait for.
 */
DSCC_API dscc_status dscc_device_wait(dscc_model *model, void *stream);

/* Why the last call on this thread failed, one sentence. Valid until the thread's next failing call. */
DSCC_API const char *dscc_last_error(void);
/* Version of the runtime, such as "0.1.0", and the ABI version that it speaks. */
DSCC_API const char *dscc_version(void);
DSCC_API uint32_t dscc_abi_version(void);
/* Bytes of one element; 4- and 2-bit types travel as one value a byte. 0 for an unknown dtype. */
DSCC_API size_t dscc_dtype_bytes(int dtype);
/* "float32", ... as in NumPy where it has the type; "unknown" for an unknown dtype. */
DSCC_API const char *dscc_dtype_name(int dtype);

#ifdef __cplusplus
}
#endif
#endif /* DSCC_DSCC_H */
