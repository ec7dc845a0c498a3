// Einstein summation. Every operand is permuted to one order of labels (first those of the output, then the summed ones, with
// size 1 where an operand lacks a label), and operands are contracted from left to right, each pair by one batched product.
#include <string>

#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

// Sum of left * right over `summed` (a flag per dimension), without those dimensions. Sizes agree or are 1.
static Tensor sum_of_products(Tensor left, Tensor right, IntSpan summed) {
  const std::size_t dims = summed.size();
  Dims batch, only_left, only_right, depth;
  int64_t batch_size = 1, left_size = 1, right_size = 1, depth_size = 1;
  for (std::size_t i = 0; i < dims; ++i) {
    const int64_t d = int64_t(i), nl = left.sizes()[i], nr = right.sizes()[i];
    if (summed[i] && nl != 1 && nr != 1) {
      depth.push_back(d), depth_size *= nl;
    } else if (summed[i]) {
      // Only one operand has the dimension: it is summed at once, and size 1 is left.
      if (nl != 1) left = sum(left, IntSpan(&d, 1), true);
      else if (nr != 1) right = sum(right, IntSpan(&d, 1), true);
      only_right.push_back(d);
    } else if (nl != 1 && nr != 1) {
      batch.push_back(d), batch_size *= nl;
    } else if (nl != 1) {
      only_left.push_back(d), left_size *= nl;
    } else {
      only_right.push_back(d), right_size *= nr;
    }
  }
  Dims kept;
  const auto drop_summed = [&](const Tensor& t) {
    for (std::size_t i = 0; i < dims; ++i)
      if (!summed[i]) kept.push_back(t.sizes()[i]);
    return kept.size() == dims ? t : reshape(t, kept);
  };
  if (depth.empty()) return drop_summed(mul(left, right));
  // Where all that only the right operand has comes before what only the left one has, the operands change places, so that
  // the product lies in memory as the output wants it.
  if (!only_left.empty() && !only_right.empty() && only_right.back() < only_left[0]) {
    std::swap(left, right);
    std::swap(only_left, only_right);
    std::swap(left_size, right_size);
  }

  // left: batch, own, summed; right: batch, summed, own; the product: batch, left's own, (summed: 1), right's own.
  Dims left_order(batch), right_order(batch), out_order(batch), out_sizes;
  for (int64_t d : batch) out_sizes.push_back(left.sizes()[d]);
  for (int64_t d : only_left) left_order.push_back(d), out_order.push_back(d), out_sizes.push_back(left.sizes()[d]);
  for (int64_t d : depth)
    left_order.push_back(d), right_order.push_back(d), out_order.push_back(d), out_sizes.push_back(1);
  for (int64_t d : only_right) right_order.push_back(d), out_order.push_back(d), out_sizes.push_back(right.sizes()[d]);
  for (int64_t d : only_right) left_order.push_back(d);
  for (int64_t d : only_left) right_order.push_back(d);
  Dims inverse(dims);
  for (std::size_t i = 0; i < dims; ++i) inverse[out_order[i]] = int64_t(i);

  const Tensor a = reshape(permute(left, left_order), {batch_size, left_size, depth_size});
  const Tensor b = reshape(permute(right, right_order), {batch_size, depth_size, right_size});
  const Tensor out = permute(view(bmm(a, b), out_sizes), inverse);
  return drop_summed(out);
}

namespace {

constexpr int kLabels = 52;  // letters
int label_of(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1; }
char letter_of(int label) { return label < 26 ? char('A' + label) : char('a' + label - 26); }

constexpr int kEllipsis = kLabels;

// One operand's subscripts, or the output's: labels and kEllipsis.
struct Subscripts {
  std::vector<int> labels;
  int ellipsis = -1;  // position, or -1
};

struct Equation {
  std::vector<Subscripts> inputs;
  Subscripts output;
  bool has_output = false;
};

Equation parse(std::string_view text) {
  Equation e;
  e.inputs.emplace_back();
  Subscripts* current = &e.inputs.back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (c == '.') {
      const std::size_t operand = e.inputs.size() - 1;
      if (e.has_output) {
        HWARO_CHECK(current->ellipsis < 0, "einsum(): found '.' for output but an ellipsis (...) was already found");
        HWARO_CHECK(i + 2 < text.size() && text[i + 1] == '.' && text[i + 2] == '.',
                    "einsum(): found '.' for output that is not part of any ellipsis (...)");
      } else {
        HWARO_CHECK(current->ellipsis < 0, "einsum(): found '.' for operand ", operand,
                    " for which an ellipsis was already found");
        HWARO_CHECK(i + 2 < text.size() && text[i + 1] == '.' && text[i + 2] == '.', "einsum(): found '.' for operand ",
                    operand, " that is not part of any ellipsis");
      }
      current->ellipsis = int(current->labels.size());
      current->labels.push_back(kEllipsis);
      i += 2;
    } else if (c == ',' && !e.has_output) {
      e.inputs.emplace_back();
      current = &e.inputs.back();
    } else if (c == '-' && !e.has_output && i + 1 < text.size() && text[i + 1] == '>') {
      e.has_output = true;
      current = &e.output;
      ++i;
    } else {
      HWARO_CHECK(label_of(c) >= 0, "einsum(): invalid subscript given at index ", i,
                  " in the equation string, subscripts must be in [a-zA-Z]");
      current->labels.push_back(label_of(c));
    }
  }
  return e;
}

}  // namespace

struct Einsum {
  static constexpr Schema schema = "einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor";
  static constexpr Doc doc = "Sums of products in Einstein's notation.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(std::string_view equation, Span<Tensor> tensors, OptIntSpan path) {
    HWARO_CHECK(!tensors.empty(), "einsum(): must provide at least one operand");
    const Equation e = parse(equation);
    HWARO_CHECK(e.inputs.size() >= tensors.size(),
                "einsum(): more operands were provided than specified in the equation");
    HWARO_CHECK(e.inputs.size() <= tensors.size(),
                "einsum(): fewer operands were provided than specified in the equation");

    // How often each label occurs, and how many dimensions the widest ellipsis stands for.
    int count[kLabels] = {}, ellipsis_dims = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Subscripts& s = e.inputs[i];
      const int labels = int(s.labels.size()) - (s.ellipsis >= 0), dims = tensors[i].dim();
      HWARO_CHECK(s.ellipsis >= 0 || labels == dims, "einsum(): the number of subscripts in the equation (", labels,
                  ") does not match the number of dimensions (", dims, ") for operand ", i,
                  " and no ellipsis was given");
      HWARO_CHECK(labels <= dims, "einsum(): the number of subscripts in the equation (", labels,
                  ") is more than the number of dimensions (", dims, ") for operand ", i);
      if (s.ellipsis >= 0 && dims - labels > ellipsis_dims) ellipsis_dims = dims - labels;
      for (int l : s.labels)
        if (l != kEllipsis) ++count[l];
    }

    // The common order: output labels (an ellipsis as its dimensions), then the labels that are summed.
    int position[kLabels], ellipsis_at = -1, dims = 0;
    for (int& p : position) p = -1;
    if (e.has_output) {
      for (int l : e.output.labels) {
        if (l == kEllipsis) {
          ellipsis_at = dims, dims += ellipsis_dims;
          continue;
        }
        HWARO_CHECK(count[l] > 0, "einsum(): output subscript ", letter_of(l),
                    " does not appear in the equation for any input operand");
        HWARO_CHECK(position[l] < 0, "einsum(): output subscript ", letter_of(l),
                    " appears more than once in the output");
        position[l] = dims++;
      }
    } else {
      // Labels that occur once, in alphabetical order, after the ellipsis.
      ellipsis_at = 0, dims = ellipsis_dims;
      for (int l = 0; l < kLabels; ++l)
        if (count[l] == 1) position[l] = dims++;
    }
    const int out_dims = dims;
    if (ellipsis_at < 0) ellipsis_at = dims, dims += ellipsis_dims;
    for (int l = 0; l < kLabels; ++l)
      if (count[l] > 0 && position[l] < 0) position[l] = dims++;

    std::vector<Tensor> operands;
    Dims sizes(std::size_t(dims), 1);
    for (std::size_t i = 0; i < tensors.size(); ++i)
      operands.push_back(
          in_common_order(tensors[i], e.inputs[i], i, position, ellipsis_at, ellipsis_dims, dims, sizes));
    return contract(std::move(operands), path, out_dims, dims);
  }

  // Diagonals of repeated labels, then all labels in the common order.
  static Tensor in_common_order(Tensor t, const Subscripts& s, std::size_t operand, const int* position,
                                int ellipsis_at, int ellipsis_dims, int dims, Dims& sizes) {
    Dims order(std::size_t(dims), -1);
    int here = 0, seen_label[kLabels];
    for (int& l : seen_label) l = -1;
    const int own_ellipsis = t.dim() - (int(s.labels.size()) - (s.ellipsis >= 0));
    for (int l : s.labels) {
      if (l == kEllipsis) {
        // Aligned on the right, as broadcasting is.
        for (int j = 0; j < own_ellipsis; ++j) {
          const int at = ellipsis_at + ellipsis_dims - own_ellipsis + j;
          check_size(t.sizes()[here], sizes[at], operand, "dimension covered by ellipsis");
          order[at] = here++;
        }
        continue;
      }
      if (seen_label[l] >= 0) {
        const int64_t a = t.sizes()[seen_label[l]], b = t.sizes()[here];
        HWARO_CHECK(a == b, "einsum(): subscript ", letter_of(l), " is repeated for operand ", operand,
                    " but the sizes don't match, ", b, " != ", a);
        // The diagonal comes out last; it goes back to the first of the two places.
        t = diagonal(t, 0, seen_label[l], here);
        Dims back;
        const int last = t.dim() - 1;
        for (int d = 0, from = 0; d <= last; ++d) back.push_back(d == seen_label[l] ? last : from++);
        t = permute(t, back);
        continue;
      }
      seen_label[l] = here;
      check_size(t.sizes()[here], sizes[position[l]], operand, concat("subscript ", letter_of(l)));
      order[position[l]] = here++;
    }
    for (int64_t& o : order)
      if (o < 0) {
        t = unsqueeze(t, t.dim());
        o = t.dim() - 1;
      }
    return permute(t, order);
  }

  static void check_size(int64_t size, int64_t& seen, std::size_t operand, const std::string& what) {
    if (seen != 1 && size != 1)
      HWARO_CHECK(seen == size, "einsum(): ", what, " has size ", size, " for operand ", operand,
                  " which does not broadcast with previously seen size ", seen);
    if (seen == 1) seen = size;
  }

  static Tensor contract(std::vector<Tensor> operands, OptIntSpan path, int out_dims, int dims) {
    // A label is summed away with the last operands that have it; what remains of one operand alone is summed at the end.
    std::size_t step = 0;
    while (operands.size() > 1) {
      std::size_t i = 0, j = 1;
      if (path && 2 * step + 1 < path->size()) {
        i = std::size_t((*path)[2 * step]), j = std::size_t((*path)[2 * step + 1]);
        if (i > j) std::swap(i, j);
        HWARO_CHECK(i != j && j < operands.size(), "einsum(): invalid contraction path");
      }
      ++step;
      const Tensor a = operands[i], b = operands[j];
      operands.erase(operands.begin() + std::ptrdiff_t(j));
      operands.erase(operands.begin() + std::ptrdiff_t(i));
      Dims summed(std::size_t(dims), 0), with_ones;
      for (int d = out_dims; d < dims; ++d) {
        if (a.sizes()[d] == 1 && b.sizes()[d] == 1) {
          // Nothing to sum unless it is the last pair, where dimensions of size 1 go as well.
          summed[d] = operands.empty();
          continue;
        }
        bool later = false;
        for (const Tensor& t : operands) later = later || t.sizes()[d] != 1;
        summed[d] = !later;
      }
      Tensor c = sum_of_products(a, b, summed);
      if (!operands.empty()) {
        std::size_t from = 0;
        for (int d = 0; d < dims; ++d) with_ones.push_back(summed[d] ? 1 : c.sizes()[from++]);
        c = reshape(c, with_ones);
        operands.insert(operands.begin(), c);
        if (path) operands.push_back(operands.front()), operands.erase(operands.begin());
        continue;
      }
      return c;
    }
    const Tensor& last = operands.front();
    if (dims == out_dims) return last;
    Dims rest;
    for (int d = out_dims; d < dims; ++d) rest.push_back(d);
    return sum(last, IntSpan(rest));
  }
};

}  // namespace hwaro::engine

#include "families/einsum.inc"
