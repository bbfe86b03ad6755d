/* An artifact by hand: y = x for x of [batch, 4], with one thing that is odd: whatever a macro below says.
 * Outputs and programs are longer than their structures. */
#include "records.h"

#ifndef ABI
#define ABI DSCC_ABI_VERSION
#endif
#ifndef RANK
#define RANK 2
#endif
#ifndef AXIS
#define AXIS 0
#endif
#ifndef DEVICE
#define DEVICE DSCC_DEVICE_CPU
#endif
#ifndef LEVEL
#define LEVEL DSCC_X86_64_V3
#endif
#ifndef SYMBOL
#define SYMBOL dscc_model
#endif
#ifndef WEIGHT_FILE
#define WEIGHT_FILE 0
#endif
#ifndef WEIGHT_END
#define WEIGHT_END 16
#endif
#ifndef STATUS
#define STATUS 0
#endif
#ifndef ARENA
#define ARENA 0
#endif
#ifndef ROWS
#define ROWS symbols[0]
#endif
#ifndef COLUMNS_TEXT
#define COLUMNS_TEXT "4"
#endif
#ifndef SYMBOL_KIND
#define SYMBOL_KIND DSCC_SYMBOL_AXIS
#endif
#ifndef SEGMENTS
#define SEGMENTS 1
#endif
#ifndef SERVICES
#define SERVICES DSCC_SERVICE_COPY
#endif
/* Tables, as a pointer, a count and a stride. */
#ifndef SYMBOLS
#define SYMBOLS symbols, 1, sizeof(dscc_symbol)
#endif
#ifndef INPUTS
#define INPUTS inputs, 1, sizeof(dscc_tensor)
#endif
#ifndef WEIGHTS
#define WEIGHTS weight_table, 1, sizeof(dscc_weight)
#endif
#ifndef PROGRAMS
#define PROGRAMS programs, 1, sizeof programs[0]
#endif
#ifndef RELATIONS
#define RELATIONS 0
#endif
#ifndef STATES
#define STATES 0
#endif
#ifndef KERNELS
#define KERNELS kernels, 1, sizeof(dscc_kernel)
#endif
#ifndef LAUNCHES
#define LAUNCHES launches, 1, sizeof(dscc_launch)
#endif
#ifndef MODULES
#define MODULES 0
#endif
#ifndef MAPS
#define MAPS 0
#endif
#ifndef MAP_RANK
#define MAP_RANK 2
#endif
#ifndef MAP_KIND
#define MAP_KIND DSCC_MAP_TILED
#endif
#ifndef MAP_BOX
#define MAP_BOX 8, 8
#endif
#ifndef MAP_LOWER
#define MAP_LOWER 0
#endif
#ifndef MAP_UPPER
#define MAP_UPPER 0
#endif
#ifndef MAP_STEP
#define MAP_STEP 1
#endif
#ifndef IMAGES
#define IMAGES 0
#endif
#ifndef LAUNCHED
#define LAUNCHED 0
#endif
#ifndef RELATION
#define RELATION DSCC_EQUAL
#endif
#ifndef BYTES
#define BYTES sizeof(dscc_model_v2)
#endif
#ifndef DEFAULT
#define DEFAULT 0
#endif
#ifndef NAME
#define NAME "y"
#endif

static const float weights[4] __attribute__((aligned(64))) = {1, 2, 3, 4};

static int64_t arena_bytes(uint32_t segment, const int64_t *symbols) { return ARENA; }

static int32_t run(const dscc_run_args *args) {
  int32_t status = args->services->copy(args->queue, args->outputs[0], args->inputs[0], args->symbols[0] * 16);
  return STATUS ? STATUS : status;
}

static void dims(const int64_t *symbols, int64_t *dims) {
  dims[0] = symbols[0];
  dims[2] = ROWS;
  dims[1] = dims[3] = 4;
#ifdef SECOND
  dims[4] = ROWS;
  dims[5] = 4;
#endif
}

static void sides(const int64_t *symbols, int64_t *sides) { sides[0] = sides[1] = symbols[0]; }

static const dscc_symbol symbols[] = {{"batch", 1, 1000, SYMBOL_KIND, 0, AXIS, 0}};
static const char *const dim_texts[] = {"batch", COLUMNS_TEXT};
static const dscc_tensor inputs[] = {{"x", DSCC_FLOAT, RANK, dim_texts, DEFAULT}};
static const LONGER(dscc_tensor) outputs[] = {{{NAME, DSCC_FLOAT, 2, dim_texts}},
#ifdef SECOND
                                              {{SECOND, DSCC_FLOAT, 2, dim_texts}}
#endif
};
static const dscc_weight weight_table[] = {{0, WEIGHT_END, 1u << 0, 0}};
static const dscc_relation relations[] = {{"node", "batch", "batch", 0, 0, RELATION}};
static const dscc_kernel kernels[] = {{"none"}};
static const dscc_launch launches[] = {{"nothing", LAUNCHED, 0}};
static const dscc_module modules[] = {{{IMAGES}}};
static const dscc_tensor_map maps[] = {{.dtype = DSCC_FLOAT,
                                        .rank = MAP_RANK,
                                        .box = {MAP_BOX},
                                        .kind = MAP_KIND,
                                        .lower = {MAP_LOWER, MAP_LOWER, MAP_LOWER},
                                        .upper = {MAP_UPPER, MAP_UPPER, MAP_UPPER},
                                        .steps = {MAP_STEP, MAP_STEP, MAP_STEP}}};
static const LONGER(dscc_program) programs[] = {{{.device = DEVICE,
                                                  .level = LEVEL,
                                                  .services = SERVICES,
                                                  .num_segments = SEGMENTS,
                                                  .kernels = {KERNELS},
                                                  .launches = {LAUNCHES},
                                                  .modules = {MODULES},
                                                  .tensor_maps = {MAPS},
                                                  .arena_bytes = arena_bytes,
                                                  .run = run}}};

__attribute__((visibility("default"))) const dscc_model_v2 SYMBOL = {.magic = DSCC_MODEL_MAGIC,
                                                                     .abi_version = ABI,
                                                                     .struct_bytes = BYTES,
                                                                     .symbols = {SYMBOLS},
                                                                     .inputs = {INPUTS},
                                                                     .outputs = RECORDS(outputs),
                                                                     .weights = {WEIGHTS},
                                                                     .programs = {PROGRAMS},
                                                                     .relations = {RELATIONS},
                                                                     .states = {STATES},
                                                                     .dims = dims,
                                                                     .sides = sides,
                                                                     .weight_data = weights,
                                                                     .weight_bytes = sizeof weights,
                                                                     .weight_file = WEIGHT_FILE,
                                                                     .build_info = "{}"};
