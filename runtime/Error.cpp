#include "runtime/Error.h"

#include <cassert>
#include <cstdarg>
#include <cstdio>

namespace dscc {

static thread_local char message[1024];

dscc_status fail(dscc_status status, const char *format, ...) {
  assert(status != DSCC_OK && "a failure has a status");
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  for (char *c = message; *c; ++c)
    if (*c == '\n' || *c == '\r')
      *c = ' ';
  return status;
}

void clearError() { message[0] = 0; }
bool hasError() { return message[0] != 0; }

} // namespace dscc

extern "C" const char *dscc_last_error(void) { return dscc::message; }
