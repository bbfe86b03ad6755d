#ifndef DSCC_DIALECTS_DSC_CONTROL_TD
#define DSCC_DIALECTS_DSC_CONTROL_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

// Reserved for If, Loop and Scan: the family exists so that every folder has a place for it.

#endif // DSCC_DIALECTS_DSC_CONTROL_TD
