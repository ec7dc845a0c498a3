// Fills the CPU column of every kernel table when the library is loaded.
#include "hwaro/backend/cpu/load.h"

#include <cstdio>
#include <cstdlib>

#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/lapack.h"
#include "hwaro/backend/cpu/products.h"
#include "hwaro/backend/cpu/random.h"
#include "hwaro/base/isa.h"
#include "hwaro/loops/copy_kernels.h"
#include "hwaro/ops/index/index_kernels.h"
#include "hwaro/ops/nn/attention_kernels.h"
#include "hwaro/ops/nn/norm_kernels.h"
#include "hwaro/ops/nn/optim_kernels.h"
#include "hwaro/ops/nn/pool_kernels.h"
#include "hwaro/ops/reduce/reduce_kernels.h"
#include "hwaro/ops/reduce/scan_kernels.h"
#include "hwaro/ops/reduce/softmax_kernels.h"
#include "hwaro/ops/sort/sort_kernels.h"

namespace hwaro {

HWARO_DECLARE_TABLES(AttentionKernels, attention_table)
HWARO_DECLARE_TABLES(CopyKernels, copy_table)
HWARO_DECLARE_TABLES(IndexKernels, index_table)
HWARO_DECLARE_TABLES(NormKernels, norm_table)
HWARO_DECLARE_TABLES(OptimKernels, optim_table)
HWARO_DECLARE_TABLES(PoolKernels, pool_table)
HWARO_DECLARE_TABLES(ReduceKernels, reduce_table)
HWARO_DECLARE_TABLES(ArgKernels, arg_table)
HWARO_DECLARE_TABLES(ScanKernels, scan_table)
HWARO_DECLARE_TABLES(SoftmaxKernels, softmax_table)
HWARO_DECLARE_TABLES(SortKernels, sort_table)

namespace {

struct Load {
  Load() {
    int capability = 0;
    try {
      capability = cpu_capability();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "hwaro: %s\n", e.what());
      std::exit(1);
    }
    const AttentionKernels* attentions[] = HWARO_TABLES(attention_table);
    set_attention_kernels(attentions[capability]);
    const CopyKernels* copies[] = HWARO_TABLES(copy_table);
    set_copy_kernels(copies[capability]);
    load_lapack();
    load_products();
    install_random_kernels();
    const IndexKernels* indices[] = HWARO_TABLES(index_table);
    set_index_kernels(indices[capability]);
    const NormKernels* norms[] = HWARO_TABLES(norm_table);
    set_norm_kernels(norms[capability]);
    const OptimKernels* optims[] = HWARO_TABLES(optim_table);
    set_optim_kernels(optims[capability]);
    const PoolKernels* pools[] = HWARO_TABLES(pool_table);
    set_pool_kernels(pools[capability]);
    const ReduceKernels* reductions[] = HWARO_TABLES(reduce_table);
    set_reduce_kernels(reductions[capability]);
    const ArgKernels* args[] = HWARO_TABLES(arg_table);
    set_arg_kernels(args[capability]);
    const ScanKernels* scans[] = HWARO_TABLES(scan_table);
    set_scan_kernels(scans[capability]);
    const SoftmaxKernels* softmaxes[] = HWARO_TABLES(softmax_table);
    set_softmax_kernels(softmaxes[capability]);
    const SortKernels* sorts[] = HWARO_TABLES(sort_table);
    set_sort_kernels(sorts[capability]);
    engine::load_pointwise_kernels(capability);
  }
};
// Before other initialisers of the library, which may already make tensors.
__attribute__((init_priority(200))) Load g_load;

}  // namespace
}  // namespace hwaro

// Who links the static library names this symbol (-Wl,-u,hwaro_cpu_kernels): nothing else refers to this file.
extern "C" {
extern const char hwaro_cpu_kernels;
const char hwaro_cpu_kernels = 1;
}
