// Every inference of this family is shared, named in Reduce.td.
#include "dialects/dsc/Dsc.h"
