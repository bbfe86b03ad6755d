// Every inference of this family is inferAlongAxis, named in Normalize.td.
#include "dialects/dsc/Dsc.h"
