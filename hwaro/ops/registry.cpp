#include "hwaro/ops/registry.h"

namespace hwaro::engine::registry_detail {

void invoke_pointwise(const void* pointer, const Value* args, Result& result) {
  const auto& info = *static_cast<const PointwiseInfo*>(pointer);
  Operand operands[kMaxOperands];
  Scalar scalars[kMaxScalars];
  for (int i = 0; i < info.operands; ++i) operands[i] = From<const Operand&>::get(args[i]);
  int k = 0;
  for (int i = info.operands; i < info.schema->arg_count; ++i)
    scalars[k++] = args[i].kind == Value::Kind::None ? Scalar::none() : args[i].scalar;
  give(result, pointwise(info, operands, scalars));
}

}  // namespace hwaro::engine::registry_detail
