// The text of a tensor.
//
// First the elements that will be seen are collected (all of them, or the edges of a large tensor); they decide how
// numbers are written: as integers, with a fixed number of digits, or in scientific notation, and how wide. A second walk
// over the dimensions writes them, wrapped to the line's width, and at last come size, type, device and history.
#include "hwaro/core/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace hwaro {

namespace {

enum class Kind { Bool, Int, Float, Complex };

// The elements that will be printed, in order. Of complex ones `real` and `imag`, of floating ones `real`.
struct Cells {
  Kind kind = Kind::Float;
  std::vector<std::int64_t> integers;
  std::vector<double> real, imag;
};

class Collector {
 public:
  Collector(const TensorImpl& t, std::int64_t edge, bool summarize, Cells& cells)
      : t_(t), edge_(edge), summarize_(summarize), cells_(cells) {}

  void run() {
    visit_if<kAllSet>(t_.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      walk<T>(0, t_.read_as<T>());
    });
  }

 private:
  template <class T>
  void walk(int dim, const T* p) {
    if (dim == t_.dim()) return add(*p);
    const std::int64_t n = t_.sizes[dim], step = t_.strides[dim];
    const bool cut = summarize_ && n > 2 * edge_;
    for (std::int64_t i = 0; i < n; ++i) {
      if (cut && i == edge_) i = n - edge_;
      if (i < n) walk(dim + 1, p + i * step);
    }
  }
  void add(bool v) { cells_.integers.push_back(v); }
  template <class T>
  void add(T v) {
    if constexpr (std::is_integral_v<T>) cells_.integers.push_back(v);
    else cells_.real.push_back(static_cast<double>(static_cast<float>(v)));
  }
  void add(double v) { cells_.real.push_back(v); }
  template <class T>
  void add(Complex<T> v) {
    cells_.real.push_back(v.re);
    cells_.imag.push_back(t_.is(kConj) ? -v.im : v.im);
  }

  const TensorImpl& t_;
  std::int64_t edge_;
  bool summarize_;
  Cells& cells_;
};

// As Python's format(v, '.4f') and '.4e': never in the words of the locale, and nan without a sign.
std::string number_text(double v, std::chars_format style, int precision) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  std::string out(std::size_t(std::max(precision, 0)) + 330, '\0');
  const auto end = std::to_chars(out.data(), out.data() + out.size(), v, style, precision);
  out.resize(std::size_t(end.ptr - out.data()));
  return out;
}

// How the numbers of one tensor (or of its real or imaginary parts) are written.
class Formatter {
 public:
  explicit Formatter(const std::vector<std::int64_t>& values, bool boolean) : boolean_(boolean) {
    for (std::int64_t v : values) width_ = std::max(width_, integer(v).size());
  }
  Formatter(const std::vector<double>& values, const PrintOptions& options) : precision_(options.precision) {
    double low = INFINITY, high = 0;
    for (double v : values) {
      if (v == 0 || !std::isfinite(v)) continue;
      low = std::min(low, std::fabs(v));
      high = std::max(high, std::fabs(v));
      integral_ = integral_ && v == std::ceil(v);
    }
    if (high == 0) return;  // nothing to measure: zeros and what is not finite
    scientific_ = options.sci_mode ? *options.sci_mode : high / low > 1000 || high > 1e8 || low < 1e-4;
    for (double v : values)
      if (v != 0 && std::isfinite(v)) width_ = std::max(width_, floating(v).size());
  }

  std::size_t width() const { return width_; }
  std::string pad(std::string text) const {
    return text.size() < width_ ? std::string(width_ - text.size(), ' ') + text : text;
  }
  std::string format(double v) const { return pad(floating(v)); }
  std::string format(std::int64_t v) const { return pad(integer(v)); }

 private:
  std::string floating(double v) const {
    if (scientific_) return number_text(v, std::chars_format::scientific, precision_);
    if (!integral_) return number_text(v, std::chars_format::fixed, precision_);
    return number_text(v, std::chars_format::fixed, 0) + (std::isfinite(v) ? "." : "");
  }
  std::string integer(std::int64_t v) const { return boolean_ ? (v ? "True" : "False") : std::to_string(v); }

  bool boolean_ = false, integral_ = true, scientific_ = false;
  int precision_ = 4;
  std::size_t width_ = 1;
};

class Writer {
 public:
  Writer(const TensorImpl& t, const PrintOptions& options, bool summarize, const Cells& cells)
      : t_(t),
        options_(options),
        summarize_(summarize),
        cells_(cells),
        first_(cells.kind <= Kind::Int ? Formatter(cells.integers, cells.kind == Kind::Bool)
                                       : Formatter(cells.real, options)),
        second_(cells.imag, options) {}

  std::string run(int indent) { return write(0, indent); }

 private:
  std::string next() {
    const std::size_t i = index_++;
    if (cells_.kind <= Kind::Int) return first_.format(cells_.integers[i]);
    std::string out = first_.format(cells_.real[i]);
    if (cells_.kind == Kind::Float) return out;
    std::string imag = second_.format(cells_.imag[i]);
    imag.erase(0, imag.find_first_not_of(' '));
    return out + (imag[0] == '-' ? "" : "+") + imag + "j";
  }

  std::string write(int dim, int indent) {
    if (dim == t_.dim()) return next();
    const std::int64_t n = t_.sizes[dim], edge = options_.edgeitems;
    const bool last = dim + 1 == t_.dim(), cut = summarize_ && (n > 2 * edge || (last && edge == 0));
    std::size_t width = first_.width() + 2 + (cells_.kind == Kind::Complex ? second_.width() + 1 : 0);
    const std::int64_t room = options_.linewidth - indent;
    // Python's floor of a quotient; a negative room means one element per line, too.
    const std::int64_t per_line = last ? std::max<std::int64_t>(1, room / std::int64_t(width)) : 1;
    const std::string broken =
        last ? ",\n" + std::string(std::size_t(indent) + 1, ' ')
             : "," + std::string(std::size_t(t_.dim() - dim - 1), '\n') + std::string(std::size_t(indent) + 1, ' ');
    std::string out = "[";
    std::int64_t written = 0;
    const auto put = [&](const std::string& text) {
      if (written) out += written % per_line == 0 ? broken : ", ";
      out += text;
      ++written;
    };
    for (std::int64_t i = 0; i < n; ++i) {
      if (cut && i == edge) {
        put(last && edge ? " ..." : "...");
        i = n - edge;
        if (i >= n) break;
      }
      put(write(dim + 1, indent + 1));
    }
    return out + "]";
  }

  const TensorImpl& t_;
  const PrintOptions& options_;
  bool summarize_;
  const Cells& cells_;
  Formatter first_, second_;
  std::size_t index_ = 0;
};

std::string elements(const TensorImpl& t, const PrintOptions& options, int indent) {
  const bool summarize = double(t.numel) > options.threshold;
  Cells cells;
  cells.kind = t.dtype == DType::Bool ? Kind::Bool
               : is_complex(t.dtype)  ? Kind::Complex
               : is_floating(t.dtype) ? Kind::Float
                                      : Kind::Int;
  Collector(t, options.edgeitems, summarize, cells).run();
  return Writer(t, options, summarize, cells).run(indent);
}

std::string tuple_text(IntSpan sizes) {
  std::string out = "(";
  for (std::size_t i = 0; i < sizes.size(); ++i) out += (i ? ", " : "") + std::to_string(sizes[i]);
  return out + (sizes.size() == 1 ? ",)" : ")");
}

}  // namespace

PrintOptions& print_options() {
  static PrintOptions options;
  return options;
}

std::string to_string(const engine::Tensor& tensor, const PrintOptions& options, const PrintLabels& labels) {
  if (!tensor.defined()) return "undefined tensor";
  const TensorImpl& t = *tensor.impl();
  std::string out = std::string(labels.prefix) + "(";
  const int indent = int(out.size());

  std::vector<std::string> suffixes;
  if (!t.device.is_cpu()) suffixes.push_back("device='" + t.device.str() + "'");
  const bool plain_type = t.dtype == default_dtype();
  const std::string type = std::string("dtype=torch.") + name_of(t.dtype);
  std::string text;
  if (t.device.is_meta() || t.numel == 0) {
    // No elements from which size and type could be seen; a vector's size is told by "[]".
    if (t.device.is_meta() || t.dim() != 1) suffixes.push_back("size=" + tuple_text(t.sizes));
    if (!plain_type) suffixes.push_back(type);
    text = t.device.is_meta() ? "..." : "[]";
  } else {
    if (options.edgeitems == 0) suffixes.push_back("size=" + tuple_text(t.sizes));
    const DType plain_complex = default_dtype() == DType::Double ? DType::ComplexDouble : DType::ComplexFloat;
    if (!plain_type && t.dtype != plain_complex && t.dtype != DType::Int64 && t.dtype != DType::Bool)
      suffixes.push_back(type);
    if (!labels.contents) text = elements(t, options, indent);
  }
  out += labels.contents ? std::string(*labels.contents) : text;
  if (!labels.grad_fn.empty()) suffixes.push_back("grad_fn=<" + std::string(labels.grad_fn) + ">");
  else if (labels.requires_grad) suffixes.push_back("requires_grad=True");

  // A suffix that does not fit into the last line goes to a new one. (PyTorch counts two columns more than are there.)
  const std::size_t newline = out.rfind('\n');
  std::size_t column = newline == std::string::npos ? out.size() + 2 : out.size() - newline + 1;
  for (const std::string& suffix : suffixes) {
    if (column + suffix.size() + 2 > std::size_t(std::max(options.linewidth, 0))) {
      out += ",\n" + std::string(std::size_t(indent), ' ') + suffix;
      column = std::size_t(indent) + suffix.size();
    } else {
      out += ", " + suffix;
      column += suffix.size() + 2;
    }
  }
  return out + ")";
}

}  // namespace hwaro
