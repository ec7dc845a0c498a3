// Scaled dot-product attention: softmax(scale * q k^T + mask) v.
// Without dropout and gradients of the mask it runs block by block and never holds all scores (FlashAttention: Dao et al.,
// 2022): a block of query rows meets blocks of keys, and sums of probabilities are rescaled as the maximum grows. Kept for
// backward are the output and the logarithm of each row's sum; probabilities are computed again from them. Keys are
// transposed once per head, so that every product reads its right operand along rows. One task is one head of keys.
// Other cases are composed of products and a softmax, as PyTorch composes them (it shows in grad_fn).
#include <cmath>
#include <cstring>
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/core/type_names.h"
#include "hwaro/loops/copy_kernels.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/nn/attention_kernels.h"
#include "hwaro/ops/registry.h"

namespace hwaro {

static constinit const AttentionKernels* g_attention = nullptr;
const AttentionKernels& attention_kernels() { return *g_attention; }
void set_attention_kernels(const AttentionKernels* table) { g_attention = table; }

namespace engine {

Tensor softmax(const Tensor& self, std::int64_t dim, OptDType dtype);
Tensor dropout(const Tensor& input, double p, bool train);

using std::int64_t;

namespace {

constexpr int64_t kQueries = 64, kKeys = 512;

template <class T>
const AttentionLoops<T>& loops() {
  if constexpr (std::is_same_v<T, float>) return attention_kernels().f;
  else return attention_kernels().d;
}

// One operand (B, H, N, E) in memory; rows of E adjacent elements.
template <class T>
struct Heads {
  T* data = nullptr;
  int64_t batch_stride = 0, head_stride = 0, row_stride = 0;
  T* head(int64_t b, int64_t h) const { return data + b * batch_stride + h * head_stride; }
};
template <class T>
Heads<const T> reading(const Tensor& t) {
  return {t->read_as<T>(), t.strides()[0], t.strides()[1], t.strides()[2]};
}
template <class T>
Heads<T> writing(const Tensor& t) {
  return {t->write_as<T>(), t.strides()[0], t.strides()[1], t.strides()[2]};
}

struct Geometry {
  int64_t batch, heads, kv_heads, queries, keys, width;
  bool causal;
  double scale;
  int64_t group() const { return heads / kv_heads; }
};

// c = alpha * op(a) b + beta * c
template <class T>
void multiply(MatrixForm a_form, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb,
              double beta, T* c, int64_t ldc) {
  ProductArgs p;
  p.a_form = a_form;
  p.m = m;
  p.n = n;
  p.k = k;
  p.a = a;
  p.lda = lda;
  p.b = b;
  p.ldb = ldb;
  p.beta = beta;
  p.c = c;
  p.ldc = ldc;
  product_kernels().gemm[int(dtype_of<T>)](p);
}

template <class T>
void transpose_rows(const T* x, int64_t rows, int64_t cols, int64_t stride, T* to) {
  copy_kernels().transpose(to, rows, x, stride, rows, cols, sizeof(T) == 4 ? 2 : 3);
}
template <class T>
void clear(T* x, int64_t n) {
  std::memset(x, 0, std::size_t(n) * sizeof(T));
}

constexpr int64_t kWhole = 32;  // rows are cut to whole vectors of any instruction set

// What row `query` sees of the block of `count` keys that begins at k0. With a border inside the block, scores behind it
// become -inf up to the next whole vector, so that the row is computed in vectors; the rest is left out.
struct Visible {
  int64_t seen, computed;
};
template <class T>
Visible visible(const Geometry& g, int64_t query, int64_t k0, int64_t count, T* scores) {
  if (!g.causal) return {count, count};
  const int64_t limit = query + 1 - k0, seen = limit < 0 ? 0 : limit < count ? limit : count;
  const int64_t whole = (seen + kWhole - 1) / kWhole * kWhole, computed = whole < count ? whole : count;
  for (int64_t c = seen; c < computed; ++c) scores[c] = -std::numeric_limits<T>::infinity();
  return {seen, computed};
}
int64_t last_key(const Geometry& g, int64_t query_end) { return g.causal && query_end < g.keys ? query_end : g.keys; }

template <class T>
void forward(const Geometry& g, Heads<const T> q, Heads<const T> k, Heads<const T> v, const Heads<const T>* mask,
             Heads<T> out, T* lse) {
  const auto& l = loops<T>();
  parallel_for(g.batch * g.heads, 1, [&](int64_t begin, int64_t end) {
    const int64_t block = g.keys < kKeys ? g.keys : kKeys;
    const Tensor work = make_tensor({g.width * g.keys + kQueries * block}, dtype_of<T>);
    T *kt = work->write_as<T>(), *s = kt + g.width * g.keys;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / g.heads, h = i % g.heads, kv = h / g.group();
      if (i == begin || h % g.group() == 0) transpose_rows(k.head(b, kv), g.keys, g.width, k.row_stride, kt);
      for (int64_t q0 = 0; q0 < g.queries; q0 += kQueries) {
        const int64_t rows = g.queries - q0 < kQueries ? g.queries - q0 : kQueries, key_end = last_key(g, q0 + rows);
        const T* qb = q.head(b, h) + q0 * q.row_stride;
        T* ob = out.head(b, h) + q0 * out.row_stride;
        T max[kQueries], sum[kQueries];
        for (int64_t r = 0; r < rows; ++r) max[r] = -std::numeric_limits<T>::infinity(), sum[r] = 0;
        for (int64_t k0 = 0; k0 < key_end; k0 += kKeys) {
          const int64_t n = key_end - k0 < kKeys ? key_end - k0 : kKeys;
          multiply<T>(MatrixForm::Plain, rows, n, g.width, qb, q.row_stride, kt + k0, g.keys, 0, s, n);
          for (int64_t r = 0; r < rows; ++r) {
            const Visible row = visible(g, q0 + r, k0, n, s + r * n);
            const T* m = mask ? mask->head(b, h) + (q0 + r) * mask->row_stride + k0 : nullptr;
            const T alpha = l.softmax_row(row.computed, s + r * n, m, T(g.scale), max + r, sum + r);
            clear(s + r * n + row.seen, n - row.seen);
            if (k0 > 0) l.scale_row(g.width, ob + r * out.row_stride, alpha);
          }
          multiply<T>(MatrixForm::Plain, rows, g.width, n, s, n, v.head(b, kv) + k0 * v.row_stride, v.row_stride,
                      k0 > 0 ? 1 : 0, ob, out.row_stride);
        }
        for (int64_t r = 0; r < rows; ++r) {
          l.scale_row(g.width, ob + r * out.row_stride, sum[r] == 0 ? T(0) : 1 / sum[r]);
          if (lse) lse[i * g.queries + q0 + r] = max[r] + std::log(sum[r]);
        }
      }
    }
  });
}

template <class T>
void backward(const Geometry& g, Heads<const T> dout, Heads<const T> q, Heads<const T> k, Heads<const T> v,
              const Heads<const T>* mask, Heads<const T> out, const T* lse, Heads<T> dq, Heads<T> dk, Heads<T> dv) {
  const auto& l = loops<T>();
  parallel_for(g.batch * g.kv_heads, 1, [&](int64_t begin, int64_t end) {
    const int64_t block = g.keys < kKeys ? g.keys : kKeys, e = g.width;
    const Tensor work = make_tensor({2 * e * g.keys + 2 * kQueries * block}, dtype_of<T>);
    T *kt = work->write_as<T>(), *vt = kt + e * g.keys, *p = vt + e * g.keys, *dp = p + kQueries * block;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / g.kv_heads, kv = i % g.kv_heads;
      transpose_rows(k.head(b, kv), g.keys, e, k.row_stride, kt);
      transpose_rows(v.head(b, kv), g.keys, e, v.row_stride, vt);
      for (int64_t r = 0; r < g.keys; ++r) {
        clear(dk.head(b, kv) + r * dk.row_stride, e);
        clear(dv.head(b, kv) + r * dv.row_stride, e);
      }
      for (int64_t h = kv * g.group(); h < (kv + 1) * g.group(); ++h)
        for (int64_t q0 = 0; q0 < g.queries; q0 += kQueries) {
          const int64_t rows = g.queries - q0 < kQueries ? g.queries - q0 : kQueries, key_end = last_key(g, q0 + rows);
          const T* qb = q.head(b, h) + q0 * q.row_stride;
          const T* gb = dout.head(b, h) + q0 * dout.row_stride;
          const T* ob = out.head(b, h) + q0 * out.row_stride;
          T* dqb = dq.head(b, h) + q0 * dq.row_stride;
          T delta[kQueries];
          for (int64_t r = 0; r < rows; ++r) delta[r] = l.dot_row(e, gb + r * dout.row_stride, ob + r * out.row_stride);
          for (int64_t k0 = 0; k0 < key_end; k0 += kKeys) {
            const int64_t n = key_end - k0 < kKeys ? key_end - k0 : kKeys;
            multiply<T>(MatrixForm::Plain, rows, n, e, qb, q.row_stride, kt + k0, g.keys, 0, p, n);
            multiply<T>(MatrixForm::Plain, rows, n, e, gb, dout.row_stride, vt + k0, g.keys, 0, dp, n);
            for (int64_t r = 0; r < rows; ++r) {
              const Visible row = visible(g, q0 + r, k0, n, p + r * n);
              const T* m = mask ? mask->head(b, h) + (q0 + r) * mask->row_stride + k0 : nullptr;
              l.probabilities_row(row.computed, p + r * n, m, T(g.scale), lse[(b * g.heads + h) * g.queries + q0 + r]);
              l.gradient_row(row.computed, p + r * n, dp + r * n, delta[r], T(g.scale));
              clear(p + r * n + row.seen, n - row.seen);
              clear(dp + r * n + row.seen, n - row.seen);
            }
            multiply<T>(MatrixForm::Transposed, n, e, rows, p, n, gb, dout.row_stride, 1,
                        dv.head(b, kv) + k0 * dv.row_stride, dv.row_stride);
            multiply<T>(MatrixForm::Transposed, n, e, rows, dp, n, qb, q.row_stride, 1,
                        dk.head(b, kv) + k0 * dk.row_stride, dk.row_stride);
            multiply<T>(MatrixForm::Plain, rows, e, n, dp, n, k.head(b, kv) + k0 * k.row_stride, k.row_stride,
                        k0 > 0 ? 1 : 0, dqb, dq.row_stride);
          }
        }
    }
  });
}

// Rows of adjacent elements, of the type that is computed in.
Tensor by_rows(const Tensor& t, DType type) {
  return t.dtype() == type && t.strides().back() == 1 && t.strides()[2] >= t.sizes()[3] ? t : dense_as(t, type);
}

// The mask added to scores, as rows of a (B, H, L, S) tensor: -inf where a bool mask says no.
Tensor additive_mask(const Tensor& mask, DType type, IntSpan shape) {
  Tensor m = mask;
  if (mask.dtype() == DType::Bool) {
    m = make_tensor(mask.sizes(), type, mask.device());
    const Tensor yes = make_full({}, 0, type), no = make_full({}, -std::numeric_limits<double>::infinity(), type);
    m = where(mask, yes, no);
  }
  m = dense_as(
      m.sizes().back() == shape[3] ? m : expand(m, IntSpan(shape.data() + (4 - m.dim()), std::size_t(m.dim()))), type);
  return expand(m, shape);
}

// Fresh memory for a tensor (B, H, N, E) in the order (B, N, H, E): what projections before the heads read as rows.
Tensor make_by_position(const Tensor& t, DType type) {
  const IntSpan n = t.sizes();
  return make_strided(n, {n[1] * n[2] * n[3], n[3], n[1] * n[3], 1}, type, t.device());
}

Tensor widen(const Tensor& out, DType type) {
  const Tensor t = make_strided(out.sizes(), out.strides(), type, out.device());
  if (!out.device().is_meta()) copy_raw(t, out);
  return t;
}

Tensor flash(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, bool causal,
             double scale) {
  const DType own = query.dtype(), type = compute_type(own);
  const IntSpan q = query.sizes();
  const Geometry g{q[0], q[1], key.sizes()[1], q[2], key.sizes()[2], q[3], causal, scale};
  const bool recorded = recording(query, key, value), meta = query.device().is_meta();
  Tensor out = make_like(query, type),
         lse = recorded ? make_tensor({g.batch, g.heads, g.queries}, type, query.device()) : Tensor(), additive;
  {
    NoGradGuard guard;
    if (mask.defined()) additive = additive_mask(mask, type, {g.batch, g.heads, g.queries, g.keys});
    if (!meta && out.numel() > 0) {
      const Tensor qq = by_rows(query, type), kk = by_rows(key, type), vv = by_rows(value, type);
      visit<bit(DType::Float) | bit(DType::Double)>(type, "flash_attention", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const Heads<const T> m = additive.defined() ? reading<T>(additive) : Heads<const T>();
        forward<T>(g, reading<T>(qq), reading<T>(kk), reading<T>(vv), additive.defined() ? &m : nullptr,
                   writing<T>(out), recorded ? lse->write_as<T>() : nullptr);
      });
    }
    if (own != type) out = widen(out, own);
  }
  if (recorded)
    record("ScaledDotProductFlashAttentionForCpuBackward0", {query, key, value}, out,
           {save(query), save(key), save(value), save_output(out), save(lse), save_if(additive.defined(), additive)},
           [g, type, own](Backward& b) {
             const Tensor query = b.saved(0), key = b.saved(1), value = b.saved(2), out = b.saved(3), lse = b.saved(4),
                          additive = b.has_saved(5) ? b.saved(5) : Tensor();
             HWARO_CHECK(
                 !recording(b.g(), query, key, value),
                 "derivative for aten::_scaled_dot_product_flash_attention_for_cpu_backward is not implemented");
             const Tensor dout = by_rows(b.g(), type), q = by_rows(query, type), k = by_rows(key, type),
                          v = by_rows(value, type), o = by_rows(out, type);
             Tensor dq = make_by_position(query, type), dk = make_by_position(key, type),
                    dv = make_by_position(value, type);
             if (query.numel() > 0)
               visit<bit(DType::Float) | bit(DType::Double)>(type, "flash_attention_backward", [&](auto tag) {
                 using T = typename decltype(tag)::type;
                 const Heads<const T> m = additive.defined() ? reading<T>(additive) : Heads<const T>();
                 backward<T>(g, reading<T>(dout), reading<T>(q), reading<T>(k), reading<T>(v),
                             additive.defined() ? &m : nullptr, reading<T>(o), lse->read_as<T>(), writing<T>(dq),
                             writing<T>(dk), writing<T>(dv));
               });
             else
               for (const Tensor* t : {&dq, &dk, &dv}) fill_elements(*t->impl(), 0);
             const auto give = [&](std::size_t i, const Tensor& t) {
               if (b.needs(i)) b.set(i, own == type ? t : widen(t, own));
             };
             give(0, dq);
             give(1, dk);
             give(2, dv);
           });
  return out;
}

// ---- composed ----

// Softmax in which a row of nothing but -inf gives zeros.
Tensor safe_softmax(const Tensor& scores) {
  Tensor out;
  {
    NoGradGuard guard;
    const int64_t dim = -1;
    const Tensor p = softmax(scores, -1, std::nullopt);
    const Tensor live =
        sum(to_dtype(ne(scores, -std::numeric_limits<double>::infinity()), DType::Int64), IntSpan(&dim, 1), true);
    out = scores.numel() == 0 ? p : where(eq(live, 0), 0, p);
  }
  if (recording(scores))
    record("SafeSoftmaxBackward0", {scores}, out, {save_output(out)}, [](Backward& b) {
      const int64_t dim = -1;
      const Tensor p = b.saved(0), gp = mul(b.g(), p);
      b.set(0, sub(gp, mul(p, sum(gp, IntSpan(&dim, 1), true))));
    });
  return out;
}

Tensor repeat_heads(const Tensor& t, int64_t heads) {
  const int64_t dim = t.dim() - 3, own = t.sizes()[dim];
  if (own == heads) return t;
  HWARO_CHECK(own > 0 && heads % own == 0, "Number of heads in key and value must divide the number of heads in query");
  Dims wide(t.sizes()), out(t.sizes());
  wide.insert(std::size_t(dim) + 1, heads / own);
  out[dim] = heads;
  return reshape(expand(unsqueeze(t, dim + 1), wide), out);
}

Tensor composed(const Tensor& query_in, const Tensor& key_in, const Tensor& value_in, const Tensor& mask_in,
                double dropout_p, bool causal, double scale, bool gqa) {
  const DType type = compute_type(query_in.dtype());  // scores of 16 bits are too coarse for a softmax
  const Tensor query = to_dtype(query_in, type);
  Tensor key = to_dtype(key_in, type), value = to_dtype(value_in, type), mask = mask_in;
  const int64_t queries = query.size(-2), keys = key.size(-2);
  if (causal) {
    HWARO_CHECK(!mask.defined(),
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
    mask = make_zeros({queries, keys}, kBool, query.device());
    if (!query.device().is_meta())
      for (int64_t i = 0; i < queries; ++i)
        for (int64_t k = 0; k <= i && k < keys; ++k) mask->write_as<bool>()[i * keys + k] = true;
  }
  if (gqa) key = repeat_heads(key, query.size(-3)), value = repeat_heads(value, query.size(-3));
  // The square root of the scale on either side keeps products of 16-bit types in range.
  const double root = std::sqrt(scale);
  Tensor scores = matmul(multiply_scalar(query, root), multiply_scalar(transpose(key, -2, -1), root));
  if (mask.defined()) {
    if (mask.dtype() == DType::Bool) {
      NoGradGuard guard;
      mask = where(mask, make_full({}, 0, query.dtype(), query.device()),
                   make_full({}, -std::numeric_limits<double>::infinity(), query.dtype(), query.device()));
    }
    scores = add(scores, mask);
  }
  Tensor weights = safe_softmax(scores);
  if (dropout_p > 0) weights = dropout(weights, dropout_p, true);
  return to_dtype(matmul(weights, value), query_in.dtype());
}

}  // namespace

struct ScaledDotProductAttention {
  static constexpr Schema schema =
      "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
      "dropout_p=0.0, "
      "bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor";
  static constexpr Doc doc = "Attention of query (…, L, E) to key (…, S, E) and value (…, S, Ev).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, double dropout_p,
                     bool is_causal, std::optional<double> scale, bool enable_gqa) {
    HWARO_CHECK(
        query.dtype() == key.dtype() && query.dtype() == value.dtype(),
        "Expected query, key, and value to have the same dtype, but got query.dtype: ", c_type_name(query.dtype()),
        " key.dtype: ", c_type_name(key.dtype()), " and value.dtype: ", c_type_name(value.dtype()), " instead.");
    HWARO_CHECK(query.dim() >= 2 && key.dim() >= 2 && value.dim() >= 2,
                "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: ", query.dim(),
                " key.dim: ", key.dim(), " and value.dim: ", value.dim(), " instead.");
    HWARO_CHECK(
        !mask.defined() || mask.dtype() == DType::Bool || mask.dtype() == DType::Float || mask.dtype() == query.dtype(),
        "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: ",
        mask.defined() ? c_type_name(mask.dtype()) : "", " and  query.dtype: ", c_type_name(query.dtype()),
        " instead.");
    check_product_devices({&query, &key, &value, &mask});
    const double factor = scale.value_or(1 / std::sqrt(double(query.sizes().back())));
    if (fits_flash(query, key, value, mask, dropout_p, enable_gqa))
      return flash(query, key, value, mask, is_causal, factor);
    return composed(query, key, value, mask, dropout_p, is_causal, factor, enable_gqa);
  }

  static bool fits_flash(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double dropout_p,
                         bool gqa) {
    if (dropout_p > 0 || !is_floating(q.dtype()) || q.dim() != 4 || k.dim() != 4 || v.dim() != 4) return false;
    if (mask.defined() && (recording(mask) || (mask.dim() != 2 && mask.dim() != 4))) return false;
    const IntSpan a = q.sizes(), b = k.sizes(), c = v.sizes();
    if (a[0] != b[0] || a[0] != c[0] || b[1] != c[1] || b[2] != c[2] || a[3] != b[3] || a[3] != c[3]) return false;
    if (a[1] != b[1] && !(gqa && b[1] > 0 && a[1] % b[1] == 0)) return false;
    if (a[2] == 0 || b[2] == 0 || a[3] == 0) return false;
    if (mask.defined()) {
      // The mask must broadcast to the scores; the composed form says how where it does not.
      const int64_t full[4] = {a[0], a[1], a[2], b[2]};
      for (int d = 0; d < mask.dim(); ++d) {
        const int64_t n = mask.sizes()[d];
        if (n != 1 && n != full[4 - mask.dim() + d]) return false;
      }
    }
    return q.strides()[3] == 1 && k.strides()[3] == 1 && v.strides()[3] == 1;
  }
};

}  // namespace engine
}  // namespace hwaro

#include "families/attention.inc"
