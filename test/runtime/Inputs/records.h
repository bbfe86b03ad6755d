/* Tables of artifacts by hand. */
#ifndef DSCC_TEST_RECORDS_H
#define DSCC_TEST_RECORDS_H

#include <dscc/abi.h>

/* A dscc_table of all elements of an array. */
#define RECORDS(array) {(array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0])}

/* A record as a later compiler may write it: longer than this runtime knows. */
#define LONGER(type)                                                                                                   \
  struct {                                                                                                             \
    type known;                                                                                                        \
    int64_t later[3];                                                                                                  \
  }

#endif
