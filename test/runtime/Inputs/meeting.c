/* An artifact by hand whose runs wait for each other, to see how many are under way at once. For x = (runs, may_leave,
 * cycles) a run stays until `runs` runs have begun, may_leave is not 0, and `cycles` cycles have passed, but not for
 * longer than half a minute or so. y = (runs that have begun, most that were under way at once, 0). */
#include "records.h"

enum { LENGTH = 3 };
static const long long patience = 100000000000; /* cycles */

static int64_t begun, under_way, most;

static int64_t arena_bytes(uint32_t segment, const int64_t *symbols) { return 0; }

static int64_t load(const int64_t *from) { return __atomic_load_n(from, __ATOMIC_SEQ_CST); }

static int32_t run(const dscc_run_args *args) {
  const int64_t *x = args->inputs[0];
  int64_t *y = args->outputs[0];
  int64_t now = __atomic_add_fetch(&under_way, 1, __ATOMIC_SEQ_CST), seen = load(&most);
  while (seen < now && !__atomic_compare_exchange_n(&most, &seen, now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  /* Last, so that who sees it finds this run in `most` as well. */
  __atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);
  long long start = __builtin_ia32_rdtsc(), passed;
  do {
    __builtin_ia32_pause();
    passed = __builtin_ia32_rdtsc() - start;
  } while (passed < patience && (load(&begun) < x[0] || !load(&x[1]) || passed < x[2]));
  y[0] = load(&begun);
  y[1] = load(&most);
  y[2] = 0;
  __atomic_fetch_add(&under_way, -1, __ATOMIC_SEQ_CST);
  return 0;
}

static void dims(const int64_t *symbols, int64_t *dims) { dims[0] = dims[1] = LENGTH; }

static const char *const dim_texts[] = {"3"};
static const dscc_tensor inputs[] = {{"x", DSCC_INT64, 1, dim_texts}};
static const dscc_tensor outputs[] = {{"y", DSCC_INT64, 1, dim_texts}};
static const dscc_program programs[] = {
    {.device = DSCC_DEVICE_CPU, .level = DSCC_X86_64_V3, .num_segments = 1, .arena_bytes = arena_bytes, .run = run}};

__attribute__((visibility("default"))) const dscc_model_v2 dscc_model = {.magic = DSCC_MODEL_MAGIC,
                                                                         .abi_version = DSCC_ABI_VERSION,
                                                                         .struct_bytes = sizeof(dscc_model_v2),
                                                                         .inputs = RECORDS(inputs),
                                                                         .outputs = RECORDS(outputs),
                                                                         .programs = RECORDS(programs),
                                                                         .dims = dims,
                                                                         .build_info = "{}"};
