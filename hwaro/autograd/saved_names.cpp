// How PyTorch calls the tensors that a node saves, in the order in which the node saves them. Nodes made from lambdas only
// number theirs; those of pointwise operators take the names from the schema.
#include <algorithm>
#include <string_view>

#include "hwaro/autograd/node_names.h"

namespace hwaro {

namespace {

struct Names {
  std::string_view node, saved;
};
constexpr Names kNames[] = {
    // sorted
    {"AddbmmBackward0", "batch1 batch2"},
    {"AddmmBackward0", "mat1 mat2"},
    {"AddmvBackward0", "mat vec"},
    {"AddrBackward0", "vec1 vec2"},
    {"AmaxBackward0", "self result"},
    {"AminBackward0", "self result"},
    {"AminmaxBackward0", "self min max"},
    {"BaddbmmBackward0", "batch1 batch2"},
    {"BinaryCrossEntropyBackward0", "self target weight"},
    {"BinaryCrossEntropyWithLogitsBackward0", "self target weight"},
    {"BmmBackward0", "self mat2"},
    {"ConvolutionBackward0", "input weight"},
    {"CummaxBackward0", "indices"},
    {"CumminBackward0", "indices"},
    {"CumprodBackward0", "self result"},
    {"DistBackward0", "self other result"},
    {"DotBackward0", "self tensor"},
    {"EmbeddingBackward0", "indices"},
    {"FrexpBackward0", "exponent"},
    {"GatherBackward0", "index"},
    {"GluBackward0", "self"},
    {"HuberLossBackward0", "self target"},
    {"IndexAddBackward0", "index"},
    {"IndexCopyBackward0", "index"},
    {"IndexFillBackward0", "index"},
    {"IndexFillBackward1", "index"},
    {"IndexReduceBackward0", "self index source"},
    {"IndexSelectBackward0", "index"},
    {"KthvalueBackward0", "indices"},
    {"LinalgCrossBackward0", "self other"},
    {"LinalgVectorNormBackward0", "self result"},
    {"LogSoftmaxBackward0", "result"},
    {"LogcumsumexpBackward0", "self result"},
    {"LogsumexpBackward0", "self result"},
    {"MaskedFillBackward0", "mask"},
    {"MaskedFillBackward1", "mask"},
    {"MaskedScatterBackward0", "mask"},
    {"MaskedSelectBackward0", "mask"},
    {"MaxBackward0", "indices"},
    {"MaxBackward1", "self result"},
    {"MedianBackward0", "self result"},
    {"MedianBackward1", "indices"},
    {"MinBackward0", "indices"},
    {"MinBackward1", "self result"},
    {"MmBackward0", "self mat2"},
    {"ModeBackward0", "indices"},
    {"MseLossBackward0", "self target"},
    {"MvBackward0", "self vec"},
    {"MvlgammaBackward0", "self"},
    {"NanmedianBackward0", "self result"},
    {"NanmedianBackward1", "indices"},
    {"NansumBackward0", "self"},
    {"NativeBatchNormBackward0", "input weight running_mean running_var result1 result2"},
    {"NativeGroupNormBackward0", "input weight result1 result2"},
    {"NativeLayerNormBackward0", "input weight result1 result2"},
    {"NllLoss2DBackward0", "self target"},
    {"NllLossBackward0", "self target weight"},
    {"NormBackward1", "self result"},
    {"PolarBackward0", "result"},
    {"ProdBackward0", "self result"},
    {"ProdBackward1", "self result"},
    {"PutBackward0", "index"},
    {"RenormBackward0", "self"},
    {"RreluWithNoiseBackward0", "self noise"},
    {"SafeSoftmaxBackward0", "result"},
    {"ScaledDotProductFlashAttentionForCpuBackward0", "query key value output logsumexp"},
    {"ScatterAddBackward0", "index"},
    {"ScatterBackward0", "index"},
    {"ScatterBackward1", "index"},
    {"ScatterReduceBackward0", "self index src"},
    {"SmoothL1LossBackward0", "self target"},
    {"SoftMarginLossBackward0", "self target"},
    {"SoftmaxBackward0", "result"},
    {"SoftmaxBackwardDataBackward0", "grad_output output"},
    {"SortBackward0", "indices"},
    {"SortBackward1", "indices"},
    {"StdBackward0", "self result"},
    {"StdMeanBackward0", "self result0"},
    {"TakeBackward0", "index"},
    {"TopkBackward0", "indices"},
    {"TrilinearBackward0", "i1 i2 i3"},
    {"VarBackward0", "self"},
    {"VarMeanBackward0", "self"},
    {"VdotBackward0", "self other"},
};

}  // namespace

std::string saved_name(const Node& node, const std::string& key) {
  if (key.find_first_not_of("0123456789") != std::string::npos) return key;
  const std::string name = node.name();
  const auto* found = std::lower_bound(std::begin(kNames), std::end(kNames), std::string_view(name),
                                       [](const Names& n, std::string_view wanted) { return n.node < wanted; });
  if (found == std::end(kNames) || found->node != name) return key;
  std::string_view rest = found->saved;
  for (int skip = std::stoi(key); skip > 0; --skip) {
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) return key;
    rest.remove_prefix(space + 1);
  }
  return std::string(rest.substr(0, rest.find(' ')));
}

}  // namespace hwaro
