#pragma once

namespace hwaro {

// Fills the CPU's column of the table of LAPACK routines. The library itself is opened at the first call of one.
void load_lapack();

}  // namespace hwaro
