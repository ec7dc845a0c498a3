#include "hwaro/loops/copy_kernels.h"

namespace hwaro {

static constinit const CopyKernels* g_table = nullptr;
const CopyKernels& copy_kernels() { return *g_table; }
void set_copy_kernels(const CopyKernels* table) { g_table = table; }

}  // namespace hwaro
