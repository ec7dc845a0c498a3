"""HWARO_CPU_CAPABILITY: which instruction set the kernels use, and that all of them compute the same."""

import json
import os
import platform
import subprocess
import sys

import numpy
import pytest

import hwaro as torch

NAMES = ["neon"] if platform.machine() in ("aarch64", "arm64") else ["base", "avx2", "avx512"]
PYTORCH_NAMES = {"base": "DEFAULT", "avx2": "AVX2", "avx512": "AVX512", "neon": "DEFAULT"}


def run(code, capability):
    environment = {**os.environ, "HWARO_CPU_CAPABILITY": capability}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


ASK = "import hwaro as torch; print(torch.backends.cpu.get_cpu_capability(), torch._C._cpu_capability())"
BEST = run(ASK, "").stdout.split()[1]
HERE = NAMES[: NAMES.index(BEST) + 1]


@pytest.mark.parametrize("name", HERE)
def test_the_variable_picks_the_variant(name):
    assert run(ASK, name).stdout.split() == [PYTORCH_NAMES[name], name]


def test_default_is_the_first_one():
    assert run(ASK, "default").stdout.split() == ["DEFAULT", NAMES[0]]


def test_a_name_that_does_not_exist_is_an_error():
    done = run(ASK, "sse9")
    assert done.returncode != 0 and done.stdout == ""
    text = f"HWARO_CPU_CAPABILITY must be {', '.join(NAMES)} or default, but is 'sse9'"
    assert done.stderr.strip().splitlines()[-1].endswith(text)


@pytest.mark.skipif(HERE == NAMES, reason="this processor has all instruction sets")
def test_a_variant_that_the_processor_lacks_is_an_error():
    done = run(ASK, NAMES[-1])
    text = f"asks for instructions that this processor lacks; the best it has is {BEST}"
    assert done.returncode != 0 and text in done.stderr


def test_flags_follow_the_variant():
    code = "import hwaro as torch; print(torch.cpu._is_avx2_supported(), torch.cpu._is_avx512_supported())"
    if "avx2" in HERE:
        assert run(code, "avx2").stdout == "True False\n"
        assert run(code, "base").stdout == "False False\n"


COMPUTE = """
import json
import hwaro as torch
g = torch.Generator().manual_seed(0)
x = torch.rand(67, 129, generator=g) * 4 - 2
w = torch.rand(129, 31, generator=g) - 0.5
image, kernel = torch.rand(2, 3, 17, 19, generator=g), torch.rand(5, 3, 3, 3, generator=g)
out = {
    "draws": x.view(torch.int32).sum().item(),
    "words": torch.randint(1 << 30, (100,), generator=g).sum().item(),
    "sorted": x.sort(1).indices.sum(0).tolist(),
    "masked": x[x > 0.3].tolist(),
    "half": x.half().sum(0).tolist(),
    "bfloat16": x.bfloat16().tolist(),
    "int": (x * 1000).to(torch.int32).tolist(),
    "divided": (torch.arange(-50, 50) // torch.tensor([7])).tolist(),
    "exp": x.exp().tolist(),
    "tanh": x.tanh().tolist(),
    "erf": x.erf().tolist(),
    "sin": x.sin().tolist(),
    "log": x.abs().log().tolist(),
    "pow": x.abs().pow(1.7).tolist(),
    "double": x.double().exp().sin().tolist(),
    "product": (x @ w).tolist(),
    "conv": torch.nn.functional.conv2d(image, kernel).flatten().tolist(),
    "softmax": x.softmax(1).tolist(),
    "sum": x.sum(0).tolist(),
    "normed": torch.nn.functional.layer_norm(x, (129,)).tolist(),
}
print(json.dumps(out))
"""
EXACT = {"draws", "words", "sorted", "masked", "half", "bfloat16", "int", "divided"}


@pytest.mark.parametrize("name", HERE)
def test_every_variant_computes_the_same(name):
    here = json.loads(run(COMPUTE, "").stdout)
    there = json.loads(run(COMPUTE, name).stdout)
    for key in here:
        if key in EXACT:
            assert here[key] == there[key], key
        else:
            tolerance = 1e-13 if key == "double" else 3e-6
            numpy.testing.assert_allclose(there[key], here[key], rtol=tolerance, atol=tolerance, err_msg=key)


def test_this_process_uses_what_the_environment_says():
    wanted = os.environ.get("HWARO_CPU_CAPABILITY") or BEST
    assert torch._C._cpu_capability() == {"default": NAMES[0]}.get(wanted, wanted)
