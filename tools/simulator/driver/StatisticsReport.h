// What is told about the kernels that have run: a table for people, or a JSON document.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_STATISTICSREPORT_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_STATISTICSREPORT_H

namespace dscc::sim {

/// Has the statistics written to stderr when the process ends, in the form of the settings, unless
/// dsccSimStatistics has given them out by then.
void printStatisticsAtExit();

} // namespace dscc::sim

/// The statistics so far as "json" or "text"; NULL for other forms, or if none are kept. The text is the library's, and
/// good until the next call.
extern "C" const char *dsccSimStatistics(const char *form); // of the simulator only: no driver exports it

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_STATISTICSREPORT_H
