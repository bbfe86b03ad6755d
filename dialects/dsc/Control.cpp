// Reserved for If, Loop and Scan, as Control.td is.
#include "dialects/dsc/Dsc.h"
