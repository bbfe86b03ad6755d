// The last error of each thread, as one sentence.

#ifndef DSCC_RUNTIME_ERROR_H
#define DSCC_RUNTIME_ERROR_H

#include <dscc/dscc.h>

namespace dscc {

/// Keeps the sentence for dscc_last_error and returns `status`. Line breaks become blanks.
dscc_status fail(dscc_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// Forgets this thread's sentence, so that a caller can tell whether a program left one.
void clearError();
/// Whether there is a sentence on this thread.
bool hasError();

} // namespace dscc

#endif // DSCC_RUNTIME_ERROR_H
