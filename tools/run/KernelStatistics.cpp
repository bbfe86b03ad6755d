#include "tools/run/KernelStatistics.h"

#include <dlfcn.h>

bool dscc::run::readKernelStatistics(const std::string &driver, const std::string &form, std::string &result) {
  using Statistics = const char *(*)(const char *form);
  // It is there already, so this counts it once more and loads nothing.
  void *library = dlopen(driver.c_str(), RTLD_NOW | RTLD_NOLOAD);
  Statistics find = library ? reinterpret_cast<Statistics>(dlsym(library, "dsccSimStatistics")) : nullptr;
  const char *text = find ? find(form.c_str()) : nullptr;
  result = text ? text : driver + ": --stats needs the simulator's library, and this one keeps no statistics";
  if (library)
    dlclose(library);
  return text != nullptr;
}
