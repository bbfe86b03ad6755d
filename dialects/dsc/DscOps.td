#ifndef DSCC_DIALECTS_DSC_OPS_TD
#define DSCC_DIALECTS_DSC_OPS_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"
include "dialects/dsc/Constant.td"
include "dialects/dsc/Control.td"
include "dialects/dsc/Conv.td"
include "dialects/dsc/Elementwise.td"
include "dialects/dsc/Gather.td"
include "dialects/dsc/Group.td"
include "dialects/dsc/Matmul.td"
include "dialects/dsc/Movement.td"
include "dialects/dsc/Normalize.td"
include "dialects/dsc/Pool.td"
include "dialects/dsc/Recurrent.td"
include "dialects/dsc/Reduce.td"
include "dialects/dsc/Resize.td"
include "dialects/dsc/Scatter.td"
include "dialects/dsc/TopK.td"

#endif // DSCC_DIALECTS_DSC_OPS_TD
