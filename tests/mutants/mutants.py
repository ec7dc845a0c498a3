"""The bugs that are seeded on demand. Each is a change of one place, and names the tests that must go red.

`find` is text with its context; runs of white space count as one, so that it survives reformatting. It must occur
exactly once. Tests: ("pytest", node, …) or ("cpp", test case filter). Kernel files compile three times; small ones were
chosen.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    bug: str
    file: str
    find: str
    replace: str
    tests: tuple


INPLACE = "tests/python/test_autograd_inplace.py"
HOOKS = "tests/python/test_autograd_hooks.py"
NETS = "tests/python/test_nets.py"
DETERMINISM = "tests/python/test_determinism.py"

MUTANTS = [
    Mutant(
        "missed_version_bump",
        "an in-place pointwise operator does not count its write",
        "hwaro/ops/kinds/pointwise.cpp",
        "run(call, info, self, false, operands, scalars); self->bump_version();",
        "run(call, info, self, false, operands, scalars);",
        ("pytest", NETS + "::test_every_kind_of_write_counts"),
    ),
    Mutant(
        "shared_gradient",
        "the first gradient is moved into .grad even where somebody else holds it",
        "hwaro/autograd/engine.cpp",
        "const bool own = grad->use_count() == 1 && grad->storage->use_count() == 1 &&",
        "const bool own = grad->use_count() >= 1 && grad->storage->use_count() >= 1 &&",
        ("pytest", NETS + "::test_gradients_never_share_memory"),
    ),
    Mutant(
        "tail_with_other_bits",
        "the last lane of a vector is computed by another formula, as a scalar tail would",
        "hwaro/ops/pointwise/error_functions.h",
        "static constexpr auto forward(auto x) { return erf(x); }",
        "static constexpr auto forward(auto x) {\n"
        "    auto y = erf(x);\n"
        "    if constexpr (requires { y.set(0, y[0]); }) {\n"
        "      const auto other = 1 - erfc(x);\n"
        "      y.set(int(x.size()) - 1, other[int(x.size()) - 1]);\n"
        "    }\n"
        "    return y;\n"
        "  }",
        ("pytest", DETERMINISM + "::test_every_length_offset_and_stride_gives_the_same_bits[erf]"),
    ),
    Mutant(
        "race_in_the_pool",
        "a caller returns while other threads still run its chunks",
        "hwaro/base/thread_pool.cpp",
        "auto done = [&job] { return job.users.load(std::memory_order_acquire) == 0; };",
        "auto done = [&job] { return job.users.load(std::memory_order_acquire) >= 0; };",
        ("cpp", "*when all its chunks have ended*"),
    ),
    Mutant(
        "chunk_taken_twice",
        "two threads may take the same chunk",
        "hwaro/base/thread_pool.cpp",
        "const std::int64_t chunk = slot.next.fetch_add(1, std::memory_order_relaxed);",
        "const std::int64_t chunk = slot.next.load(std::memory_order_relaxed);\n"
        "        cpu_relax();\n"
        "        slot.next.store(chunk + 1, std::memory_order_relaxed);",
        ("cpp", "*covers every index exactly once*,*many threads*"),
    ),
    Mutant(
        "swapped_stride",
        "permute takes a stride from the wrong dimension",
        "hwaro/ops/shape/view.cpp",
        "sizes[i] = self.sizes()[d]; strides[i] = self.strides()[d];",
        "sizes[i] = self.sizes()[d]; strides[i] = self.strides()[std::int64_t(i)];",
        ("pytest", "tests/python/test_shape.py"),
    ),
    Mutant(
        "off_by_one_at_the_padded_end",
        "the row after the last one of an image is read instead of padding",
        "hwaro/backend/cpu/conv/kernels.cpp",
        "if (in_z < 0 || in_z >= image.in[0] || in_y < 0 || in_y >= image.in[1]) {",
        "if (in_z < 0 || in_z >= image.in[0] || in_y < 0 || in_y > image.in[1]) {",
        ("cpp", "*two-dimensional convolution and its gradients*"),
    ),
    Mutant(
        "dropped_conj",
        "the gradient of a batched product forgets the conjugate",
        "hwaro/ops/linalg/matmul.cpp",
        "if (b.needs(0)) b.set(0, bmm(b.g(), conj(transpose(b.saved(1), 1, 2))));",
        "if (b.needs(0)) b.set(0, bmm(b.g(), transpose(b.saved(1), 1, 2)));",
        ("pytest", NETS + "::test_gradients_of_complex_products"),
    ),
    Mutant(
        "wrong_broadcast_gradient",
        "the gradient of a broadcast operand is summed over leading dimensions only",
        "hwaro/ops/reduce/sum.cpp",
        "if (size[d] == 1 && self.sizes()[d + lead] != 1) dims.push_back(int64_t(d) + lead);",
        "if (size[d] == 1 && self.sizes()[d + lead] != 1 && lead > 0) dims.push_back(int64_t(d) + lead);",
        ("pytest", NETS + "::test_gradients_of_broadcast_operands"),
    ),
    Mutant(
        "wrong_promotion",
        "a number of a higher kind takes no part where the tensor has no dimensions",
        "hwaro/ops/kinds/pointwise.cpp",
        "if (operands[i].is_tensor()) type.add(*operands[i].tensor); else type.add(operands[i].scalar);",
        "if (operands[i].is_tensor()) type.add(*operands[i].tensor);\n"
        "    else if (i == 0 || operands[0].tensor->dim() > 0) type.add(operands[i].scalar);",
        ("pytest", NETS + "::test_numbers_promote"),
    ),
    Mutant(
        "saved_tensor_not_checked",
        "a saved tensor that was written to is used all the same",
        "hwaro/autograd/saved_tensor.cpp",
        "if (tensor_->version() != version_) [[unlikely]] {",
        "if (tensor_->version() < version_) [[unlikely]] {",
        ("pytest", NETS + "::test_every_kind_of_write_counts"),
    ),
    Mutant(
        "lost_hook",
        "of several hooks on one tensor the last does not run",
        "hwaro/autograd/engine.cpp",
        "const std::vector<TensorHook> hooks = node->hooks->tensor_hooks; // a hook may remove itself",
        "std::vector<TensorHook> hooks = node->hooks->tensor_hooks;\n  if (hooks.size() > 1) hooks.pop_back();",
        ("pytest", HOOKS),
    ),
    Mutant(
        "missing_keepdim",
        "backward of a reduction puts a dropped dimension back in front",
        "hwaro/ops/reduce/plan.cpp",
        "if (mask >> d & 1) out = unsqueeze(out, d);",
        "if (mask >> d & 1) out = unsqueeze(out, 0);",
        ("pytest", "tests/python/test_reduce.py"),
    ),
    Mutant(
        "graph_not_freed",
        "saved tensors outlive the backward pass",
        "hwaro/autograd/engine.cpp",
        "if (!options_.retain_graph) node->release_saved();",
        "if (!options_.retain_graph && node->num_inputs > 1) node->release_saved();",
        ("pytest", NETS + "::test_a_second_backward_is_refused"),
    ),
]
