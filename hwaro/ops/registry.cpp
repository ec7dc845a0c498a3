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

namespace hwaro::engine {

void take_type_of_out(const OpEntry& entry, Value* args, const Tensor& out) {
  const Schema& schema = *entry.schema;
  bool factory = false;
  for (int i = 0; i < schema.arg_count; ++i) factory = factory || schema.str(schema.args[i].name) == "pin_memory";
  if (!factory && !entry.out_rule.decides) return;
  for (int i = 0; i < schema.arg_count; ++i) {
    const auto name = schema.str(schema.args[i].name);
    Value& value = args[i];
    const bool given = value.kind != Value::Kind::None;
    if (name == "dtype") {
      HWARO_CHECK(!(factory && given) || value.dtype == out.dtype(), "dtype ", scalar_type_name(value.dtype),
                  " does not match dtype of out parameter (", scalar_type_name(out.dtype()), ")");
      if (!given) value.kind = Value::Kind::DType, value.dtype = out.dtype();
    } else if (name == "device") {
      HWARO_CHECK(!given || value.device.type == out.device().type, "device type ", value.device.str(),
                  " does not match device type of out parameter (", out.device().str(), ")");
      if (!given) value.kind = Value::Kind::Device, value.device = out.device();
    }
  }
}

}  // namespace hwaro::engine
