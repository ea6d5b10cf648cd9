"""Words of the field that are neither a function nor a setting: what each means, as a formula where there is one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """`equation` says it in symbols; `see` has other entries, `command` what to type to see it at work."""

    name: str
    title: str
    equation: str
    remark: str
    source: str
    see: tuple[str, ...] = ()
    command: str = ""


TERMS = {
    entry.name: entry
    for entry in (
        Term(
            "chain_rule",
            "how a change passes through one function after another",
            "dE/dx = dE/dy·dy/dx where E depends on y and y on x; over several such y the products add up",
            "A weight reaches the error along paths through the network. Along one path the local derivatives are "
            "multiplied; where several paths lead to the same weight, their products are added.",
            "Leibniz 1676; the lecture's appendices",
            ("backpropagation",),
            "why mlp dE/dW1",
        ),
        Term(
            "backpropagation",
            "the chain rule worked from the error backwards, each result used again",
            "delta = dE/ds, with s the weighted sum of a neuron; dE/dw = delta·x for the weight of input x; "
            "delta of a neuron = slope at s · (sum of w·delta over the neurons that it feeds)",
            "One pass forward and one backward give the derivatives by all weights, for the work of a few forward "
            "passes. Written out path by path the same numbers would take a product for every path.",
            "Rumelhart, Hinton and Williams 1986",
            ("chain_rule", "vanishing_gradient"),
            "run mlp --chain delta",
        ),
        Term(
            "learning_rate",
            "how far a step goes along the gradient",
            "w_new = w - eta·dE/dw",
            "Near a minimum where the slope grows by c for each unit of w, steps with eta below 1/c come closer from "
            "one side, between 1/c and 2/c they jump across it and still come closer, beyond 2/c they move away.",
            "the lecture's slides on the learning rate",
            ("epoch", "inverse_time", "clipping"),
            "compare --data moons --vary learning-rate=0.001,0.01,0.1",
        ),
        Term(
            "epoch",
            "one pass over all training examples",
            "updates in an epoch = ceil(examples/batch size)",
            "With a batch size of 1 every example makes an update of its own, with all examples in one batch an epoch "
            "is a single update. So epochs of different batch sizes are different amounts of learning.",
            "common",
            ("learning_rate", "early_stopping"),
            "train --data moons --batch-size 32 --epochs 20",
        ),
        Term(
            "one_hot",
            "a class written as a row of zeros with a single 1",
            "t_i = 1 for the class of the example, 0 for the others",
            "Class 2 of three is 0, 1, 0. The numbers add up to 1, as the outputs of softmax do, so that of "
            "cross-entropy only the term of the right class is left: -ln of its probability.",
            "the lecture's slides on multi-class MLPs",
            ("softmax", "cross_entropy"),
            "train --data iris",
        ),
        Term(
            "vanishing_gradient",
            "a gradient that shrinks from layer to layer on its way back",
            "dE/ds of a layer = slope at s · (sum of w·dE/ds over the next layer)",
            "Each layer multiplies by its slopes and weights. The slope of a sigmoid is at most 1/4, so ten layers "
            "with weights of size 1 or less leave at most (1/4)^10 = 0.00000095 of the gradient on a path. "
            "Slopes of 1 (relu), shortcuts (residual) and suitable first weights (he, xavier) help.",
            "Hochreiter 1991; the lecture's slides on vanishing gradients",
            ("sigmoid", "relu", "residual", "he"),
            "compare --data moons --hidden 8,8,8,8 --vary activation=sigmoid,relu",
        ),
        Term(
            "overfitting",
            "learning the training examples by heart instead of what they have in common",
            "gap = loss on examples that were held out - loss on the training examples",
            "The loss on the training examples goes on falling while the other stands still or rises: the gap grows. "
            "More examples, a smaller network, penalties on the weights, dropout and stopping early work against it.",
            "the lecture's slides on generalization",
            ("early_stopping", "l2", "dropout"),
            "train --data moons --hidden 64,64 --validation 0.3",
        ),
        Term(
            "early_stopping",
            "stop when held-out examples get no better, and keep the weights that did best on them",
            "stop after an epoch if the best loss on held-out examples is `patience` epochs old",
            "Because they chose when to stop, the held-out examples no longer measure what the network can do: that "
            "takes others (--test).",
            "the lecture's slide on early stopping; Prechelt 1998",
            ("overfitting", "epoch"),
            "train --data moons --validation 0.2 --patience 10",
        ),
        Term(
            "dropout",
            "while training, every hidden output is left out at random",
            "h_new = h·r/(1 - p), with r = 0 in a share p of the cases, else 1; after training h_new = h",
            "Dividing by 1 - p keeps the expected output: E[r]/(1 - p) = 1. So nothing is left to do after training. "
            "Who does not divide has to multiply by 1 - p when the network is used; the two are called inverted and "
            "plain dropout.",
            "Srivastava et al. 2014; the lecture's slides on dropout",
            ("dropconnect", "stochastic_depth", "overfitting"),
            "compare --data digits --validation 0.2 --vary dropout=0,0.2",
        ),
        Term(
            "dropconnect",
            "while training, every weight is left out at random",
            "s = sum of w·r/(1 - p)·x, with r = 0 in a share p of the cases, else 1; after training s = sum of w·x",
            "Dropout takes away whole neurons, this takes away single connections. One mask is drawn for the batch of "
            "an update. Wan et al. draw one for each example, and use the network by sampling instead of dividing.",
            "Wan et al. 2013; the lecture's slides on DropConnect",
            ("dropout",),
            "compare --data digits --validation 0.2 --vary dropconnect=0,0.2",
        ),
        Term(
            "stochastic_depth",
            "while training, whole residual layers are skipped at random",
            "h_new = h + r·f(h)/(1 - p), with r = 0 in a share p of the cases, else 1; after training h_new = h + f(h)",
            "Only a layer with a shortcut can be skipped: what comes in goes on as it is. Huang et al. do not divide, "
            "and multiply by 1 - p after training instead; the expected output is the same.",
            "Huang et al. 2016; the lecture's slides on stochastic depth",
            ("residual", "dropout"),
            "compare --data moons --hidden 16,16,16 --residual --vary stochastic-depth=0,0.2",
        ),
        Term(
            "residual",
            "a shortcut past a layer: its input is added to its output",
            "y = x + f(x), so dE/dx = dE/dy·(1 + df/dx)",
            "The 1 lets the gradient through whole, however small df/dx is. It needs as many outputs as inputs.",
            "He et al. 2016; the lecture's slides on residual connections",
            ("vanishing_gradient", "stochastic_depth"),
            "compare --data moons --hidden 16,16,16 --vary residual=false,true",
        ),
        Term(
            "batch_norm",
            "every weighted sum brought to mean 0 and variance 1 over the batch, then scaled and shifted",
            "mean = (s_1 + … + s_m)/m; var = mean of (s_i - mean)²; "
            "s_hat = (s - mean)/sqrt(var + epsilon); y = gamma·s_hat + beta",
            "gamma and beta are learned. A bias before it would have no effect, since the mean takes it away. After "
            "training, running averages of mean and variance stand in for those of the batch.",
            "Ioffe and Szegedy 2015; the lecture's slides on batch normalization",
            ("zscore", "vanishing_gradient"),
            "compare --data moons --vary batch-norm=false,true",
        ),
        Term(
            "clipping",
            "a gradient that is too long is cut back before the step",
            "by value: each g is kept between -limit and limit; by norm: g·limit/norm where norm = sqrt(g_1² + g_2² + "
            "…) is above the limit",
            "By norm the direction stays and only the length changes. By value each entry is cut for itself, which "
            "turns the direction.",
            "Pascanu, Mikolov and Bengio 2013; the lecture's slides on exploding gradients",
            ("learning_rate", "vanishing_gradient"),
            "compare --data moons --vary clip-norm=none,1",
        ),
    )
}
