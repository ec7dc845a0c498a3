// Everything operator formulas are written in.
#pragma once

#include "hwaro/math/basic.h"
#include "hwaro/math/complex.h"
#include "hwaro/math/convert.h"
#include "hwaro/math/exponential.h"
#include "hwaro/math/half.h"
#include "hwaro/math/hyperbolic.h"
#include "hwaro/math/integer.h"
#include "hwaro/math/power.h"
#include "hwaro/math/special.h"
#include "hwaro/math/trigonometric.h"
#include "hwaro/math/vec.h"
