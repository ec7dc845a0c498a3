// Everything a C++ program needs: tensors and operators, autograd, nn, optim, io.
#pragma once

#include "hwaro/autograd.h"
#include "hwaro/base/error.h"
#include "hwaro/core/generator.h"
#include "hwaro/factories.h"
#include "hwaro/function.h"
#include "hwaro/functions.h"
#include "hwaro/io/safetensors.h"
#include "hwaro/nn/batchnorm.h"
#include "hwaro/nn/init.h"
#include "hwaro/nn/layers.h"
#include "hwaro/nn/module.h"
#include "hwaro/operators.h"
#include "hwaro/optim/optimizer.h"
#include "hwaro/optim/schedule.h"
#include "hwaro/print.h"
#include "hwaro/tensor.h"
