"""Distributions: draws for a seed, probabilities, moments, entropies, divergences, texts; results from PyTorch."""

from recorded import recorded_test
from shown import expression_cases, shown


def names(torch):
    return {"D": torch.distributions, "t": torch.tensor, "v": torch.tensor([0.3, -0.5]), "s": torch.tensor([0.5, 2.0])}


MADE = {
    "Normal": lambda D, t: D.Normal(t([0.0, 1.0]), t([1.0, 2.0])),
    "LogNormal": lambda D, t: D.LogNormal(t([0.0, 1.0]), t([0.5, 0.2])),
    "HalfNormal": lambda D, t: D.HalfNormal(t([1.0, 2.0])),
    "Uniform": lambda D, t: D.Uniform(t([0.0, 1.0]), t([1.0, 3.0])),
    "Exponential": lambda D, t: D.Exponential(t([1.0, 2.0])),
    "Laplace": lambda D, t: D.Laplace(t([0.0, 1.0]), t([1.0, 2.0])),
    "Cauchy": lambda D, t: D.Cauchy(t([0.0, 1.0]), t([1.0, 2.0])),
    "Bernoulli": lambda D, t: D.Bernoulli(t([0.3, 0.9])),
    "Bernoulli logits": lambda D, t: D.Bernoulli(logits=t([0.3, -0.9])),
    "Geometric": lambda D, t: D.Geometric(t([0.3, 0.9])),
    "Poisson": lambda D, t: D.Poisson(t([0.5, 4.0])),
    "Categorical": lambda D, t: D.Categorical(t([[1.0, 2.0, 1.0], [0.2, 0.2, 0.6]])),
    "Categorical logits": lambda D, t: D.Categorical(logits=t([[1.0, 2.0, 1.0], [0.2, 0.2, 0.6]])),
    "OneHotCategorical": lambda D, t: D.OneHotCategorical(t([[1.0, 2.0, 1.0], [0.2, 0.2, 0.6]])),
    "Independent": lambda D, t: D.Independent(D.Normal(t([0.0, 1.0]), t([1.0, 2.0])), 1),
}


def whole(make):
    def case(torch):
        d = make(torch.distributions, torch.tensor)
        drawn = d.sample((5,))
        out = {
            "repr": repr(d),
            "shapes": [tuple(d.batch_shape), tuple(d.event_shape)],
            "sample": drawn,
            "log_prob": d.log_prob(drawn),
        }
        for name in ("mean", "variance", "stddev", "mode"):
            try:
                out[name] = getattr(d, name)
            except NotImplementedError:
                out[name] = "not implemented"
        out["entropy"] = shown(d.entropy)
        out["expanded"] = repr(d.expand((3,) + tuple(d.batch_shape)))
        out["support"] = shown(lambda: d.support)
        if d.has_rsample:
            out["rsample"] = d.rsample((2,))
            out["cdf"] = shown(lambda: d.cdf(drawn))
        return out

    return case


CASES = {name: whole(make) for name, make in MADE.items()}
CASES.update(
    expression_cases(
        """
D.Normal(0.0, 1.0)
D.Normal(0, 1).sample().shape
D.Normal(0.0, -1.0)
D.Normal(torch.zeros(2), torch.ones(3))
D.Normal(t([float('nan')]), 1.0)
D.Categorical()
D.Categorical(t(1.0))
D.Categorical(torch.ones(3)).log_prob(t(5))
D.Categorical(torch.ones(3)).log_prob(t(1.5))
D.Categorical(t([-1.0, 2.0]))
D.Categorical(torch.ones(2, 3)).enumerate_support().shape
D.Bernoulli(1.3)
D.Bernoulli(0.3).log_prob(t(2.0))
D.Bernoulli(0.3).rsample()
D.Bernoulli(t([0.2, 0.4])).enumerate_support()
D.Uniform(1.0, 0.0)
D.Normal(0.0, 1.0).log_prob('a')
D.Normal(torch.zeros(2), torch.ones(2)).log_prob(torch.ones(3))
D.Normal(0.0, 1.0).icdf(t(0.5))
D.Normal(0.0, 1.0).perplexity()
D.Normal(0.0, 1.0, validate_args=False).log_prob(t(float('nan')))
D.constraints.positive, D.constraints.unit_interval, D.constraints.real, D.constraints.simplex
D.kl_divergence(D.Normal(v, s), D.Normal(0.0, 1.0))
D.kl_divergence(D.Categorical(torch.ones(3)), D.Categorical(t([0.2, 0.3, 0.5])))
D.kl_divergence(D.Bernoulli(t([0.2, 0.0])), D.Bernoulli(t([0.5, 0.5])))
D.kl_divergence(D.Exponential(s), D.Exponential(1.0))
D.kl_divergence(D.Poisson(s), D.Poisson(1.0))
D.kl_divergence(D.Laplace(v, s), D.Laplace(0.0, 1.0))
D.kl_divergence(D.Uniform(0.0, s), D.Uniform(-1.0, 1.0))
D.kl_divergence(D.Uniform(0.0, s), D.Normal(0.0, 1.0))
D.kl_divergence(D.Independent(D.Normal(v, s), 1), D.Independent(D.Normal(0 * v, s), 1))
D.kl_divergence(D.Cauchy(0.0, 1.0), D.Bernoulli(0.5))
""",
        names,
    )
)


def policy_gradient(torch):
    """What reinforcement learning does: the gradient of log-probabilities of draws."""
    logits = torch.zeros(4, 3, requires_grad=True)
    d = torch.distributions.Categorical(logits=logits)
    action = d.sample()
    loss = -(d.log_prob(action) * torch.arange(4.0)).mean() - 0.01 * d.entropy().mean()
    loss.backward()
    return action, loss, logits.grad


def reparameterised(torch):
    loc, scale = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    (torch.distributions.Normal(loc, scale).rsample((4,)) ** 2).sum().backward()
    return loc.grad, scale.grad


CASES.update(policy_gradient=policy_gradient, reparameterised=reparameterised)
test_case = recorded_test(__file__, CASES)
