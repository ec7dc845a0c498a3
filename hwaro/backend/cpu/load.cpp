// Fills the CPU column of every kernel table when the library is loaded.
#include "hwaro/backend/cpu/load.h"

#include <cstdio>
#include <cstdlib>

#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/lapack.h"
#include "hwaro/backend/cpu/products.h"
#include "hwaro/backend/cpu/random.h"
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

inline namespace base {
extern const AttentionKernels attention_table;
}
inline namespace base {
extern const CopyKernels copy_table;
}
inline namespace base {
extern const IndexKernels index_table;
}
inline namespace base {
extern const NormKernels norm_table;
}
inline namespace base {
extern const OptimKernels optim_table;
}
inline namespace base {
extern const PoolKernels pool_table;
}
inline namespace base {
extern const ReduceKernels reduce_table;
}
inline namespace base {
extern const ArgKernels arg_table;
}
inline namespace base {
extern const ScanKernels scan_table;
}
inline namespace base {
extern const SoftmaxKernels softmax_table;
}
inline namespace base {
extern const SortKernels sort_table;
}
inline namespace avx2 {
extern const AttentionKernels attention_table;
}
inline namespace avx2 {
extern const CopyKernels copy_table;
}
inline namespace avx2 {
extern const IndexKernels index_table;
}
inline namespace avx2 {
extern const NormKernels norm_table;
}
inline namespace avx2 {
extern const OptimKernels optim_table;
}
inline namespace avx2 {
extern const PoolKernels pool_table;
}
inline namespace avx2 {
extern const ReduceKernels reduce_table;
}
inline namespace avx2 {
extern const ArgKernels arg_table;
}
inline namespace avx2 {
extern const ScanKernels scan_table;
}
inline namespace avx2 {
extern const SoftmaxKernels softmax_table;
}
inline namespace avx2 {
extern const SortKernels sort_table;
}
inline namespace avx512 {
extern const AttentionKernels attention_table;
}
inline namespace avx512 {
extern const CopyKernels copy_table;
}
inline namespace avx512 {
extern const IndexKernels index_table;
}
inline namespace avx512 {
extern const NormKernels norm_table;
}
inline namespace avx512 {
extern const OptimKernels optim_table;
}
inline namespace avx512 {
extern const PoolKernels pool_table;
}
inline namespace avx512 {
extern const ReduceKernels reduce_table;
}
inline namespace avx512 {
extern const ArgKernels arg_table;
}
inline namespace avx512 {
extern const ScanKernels scan_table;
}
inline namespace avx512 {
extern const SoftmaxKernels softmax_table;
}
inline namespace avx512 {
extern const SortKernels sort_table;
}

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
    const AttentionKernels* attentions[] = {&base::attention_table, &avx2::attention_table, &avx512::attention_table};
    set_attention_kernels(attentions[capability]);
    const CopyKernels* copies[] = {&base::copy_table, &avx2::copy_table, &avx512::copy_table};
    set_copy_kernels(copies[capability]);
    load_lapack();
    load_products();
    install_random_kernels();
    const IndexKernels* indices[] = {&base::index_table, &avx2::index_table, &avx512::index_table};
    set_index_kernels(indices[capability]);
    const NormKernels* norms[] = {&base::norm_table, &avx2::norm_table, &avx512::norm_table};
    set_norm_kernels(norms[capability]);
    const OptimKernels* optims[] = {&base::optim_table, &avx2::optim_table, &avx512::optim_table};
    set_optim_kernels(optims[capability]);
    const PoolKernels* pools[] = {&base::pool_table, &avx2::pool_table, &avx512::pool_table};
    set_pool_kernels(pools[capability]);
    const ReduceKernels* reductions[] = {&base::reduce_table, &avx2::reduce_table, &avx512::reduce_table};
    set_reduce_kernels(reductions[capability]);
    const ArgKernels* args[] = {&base::arg_table, &avx2::arg_table, &avx512::arg_table};
    set_arg_kernels(args[capability]);
    const ScanKernels* scans[] = {&base::scan_table, &avx2::scan_table, &avx512::scan_table};
    set_scan_kernels(scans[capability]);
    const SoftmaxKernels* softmaxes[] = {&base::softmax_table, &avx2::softmax_table, &avx512::softmax_table};
    set_softmax_kernels(softmaxes[capability]);
    const SortKernels* sorts[] = {&base::sort_table, &avx2::sort_table, &avx512::sort_table};
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
