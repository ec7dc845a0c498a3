#include "hwaro/ops/index/index_kernels.h"

namespace hwaro {

static constinit const IndexKernels* g_table = nullptr;
const IndexKernels& index_kernels() { return *g_table; }
void set_index_kernels(const IndexKernels* table) { g_table = table; }

}  // namespace hwaro
