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
            "weight",
            "the number that a neuron multiplies one of its inputs by",
            "s = w_1·x_1 + … + w_n·x_n + b",
            "Weights and biases are what training changes, the parameters of the network; batch normalization adds two "
            "for each neuron. A weight of 0 lets its input have no say.",
            "Rosenblatt 1958; the lecture's slides on the perceptron",
            ("bias", "gradient", "learning_rate"),
            "run perceptron",
        ),
        Term(
            "bias",
            "the number that a neuron adds to its weighted inputs",
            "s = w_1·x_1 + … + w_n·x_n + b, so ds/db = 1",
            "It is the weight of an input that is always 1. Without it the sum is 0 wherever all inputs are. The bias "
            "of many fits, how far their mean is from the truth, is another thing.",
            "the lecture's slides on the perceptron",
            ("weight", "threshold"),
            "run perceptron",
        ),
        Term(
            "hidden_layer",
            "the neurons between the inputs and the output layer",
            "h = f(W·x + b), and then y = g(V·h + c)",
            "The examples have no targets for them, hence the name. With linear f the whole is one linear layer again.",
            "Rumelhart, Hinton and Williams 1986; the lecture's slides on MLPs",
            ("activation:linear", "backpropagation"),
            "run xor/gate",
        ),
        Term(
            "loss",
            "how wrong the outputs are, as one number that training makes smaller",
            "E = mean over the examples of the loss of each, such as 1/2·(t - y)²",
            "It is also called error, cost or objective. Which one fits is decided by what the outputs mean: numbers "
            "or probabilities.",
            "the lecture's slides on loss functions",
            ("half_squared_error", "cross_entropy", "gradient"),
            "run losses/three",
        ),
        Term(
            "gradient",
            "the derivatives of the loss by all weights and biases",
            "gradient = (dE/dw_1, dE/dw_2, …, dE/db)",
            "Each says how fast E grows with its parameter while the others stay. Against the gradient E falls "
            "fastest, for a step that is short enough.",
            "Cauchy 1847; the lecture's slides on gradient descent",
            ("chain_rule", "sgd", "learning_rate"),
            "run perceptron",
        ),
        Term(
            "batch",
            "the examples that one update is made for",
            "gradient of a batch = mean of the gradients of its examples",
            "All examples: batch gradient descent. One: stochastic gradient descent. Some, drawn anew in each epoch: "
            "mini-batches.",
            "the lecture's slides on gradient descent",
            ("epoch", "sgd"),
            "compare --data moons --vary batch-size=1,32",
        ),
        Term(
            "seed",
            "the number that chance is drawn from, so that it can be drawn again",
            "the same seed gives the same first weights and the same order of the examples",
            "A training comes out otherwise with other first weights. So a comparison trains each row with several "
            "seeds, and the table has the mean over them and how far they scatter, as the standard deviation.",
            "common",
            ("epoch",),
            "compare --data moons --seeds 3",
        ),
        Term(
            "held_out",
            "examples that the training does not see",
            "loss or share of right answers, worked on these examples alone",
            "They show how a network does on what it has not learned by heart. Those by which a choice is made, such "
            "as when to stop, are for validation; what is left for the end is the test.",
            "common; the lecture's slides on generalization",
            ("overfitting", "early_stopping"),
            "train --data moons --validation 0.3",
        ),
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
        Term(
            "threshold",
            "what the weighted inputs of a neuron have to reach for it to fire",
            "s = sum of w·x - theta; a step fires where s >= 0, in another convention where s > 0",
            "It is a bias with the other sign, b = -theta, so it may be drawn as the weight of an input that is always "
            "-1. The perceptron rule changes it by -eta·(desired - output).",
            "Rosenblatt 1958; the lecture's slides on the threshold rule",
            ("activation:step",),
            "run gates/and",
        ),
        Term(
            "saturation",
            "a neuron on the flat part of its activation",
            "slope at s below 1/100 of the largest slope that the activation has",
            "Hardly any gradient passes it, so its weights hardly move. Sigmoid and tanh saturate where their sums are "
            "large in size: inputs on a common scale and smaller first weights keep them from it.",
            "Glorot and Bengio 2010",
            ("sigmoid", "tanh", "dead_unit", "vanishing_gradient"),
            "train --data moons --hidden 8,8 --activation sigmoid --layers",
        ),
        Term(
            "dead_unit",
            "a unit that has no slope for any example",
            "slope at s = 0 for every example; of a relu: s <= 0 for every example",
            "No gradient passes it, so its own weights stay as they are. Only a change in the layers before it can "
            "wake it up. A step that is too long makes such units; leaky_relu and elu have a slope left of 0 as well.",
            "Maas, Hannun and Ng 2013",
            ("relu", "leaky_relu", "saturation", "learning_rate"),
            "train --data moons --hidden 8,8 --activation relu --layers",
        ),
        Term(
            "rmse",
            "the root of the mean squared error",
            "RMSE = sqrt(mean of (t - y)²)",
            "It is in the unit of the values that are predicted, as the mean squared error is not. Beside it stands "
            "the RMSE of predicting the mean for every example: a network has to be below that.",
            "common",
            ("mean_squared_error", "mae", "r2"),
            "train --data sine",
        ),
        Term(
            "mae",
            "the mean absolute error",
            "MAE = mean of |t - y|",
            "In the unit of the values, too. A single large error counts for less in it than in the RMSE, which is "
            "never below it.",
            "common",
            ("rmse", "r2"),
            "train --data sine",
        ),
        Term(
            "r2",
            "the share of the variance of the values that is explained",
            "R² = 1 - sum of (t - y)² / sum of (t - mean of t)²",
            "1 is without error, 0 is as good as predicting the mean, and below 0 is worse than that. Where all values "
            "are the same there is none.",
            "common",
            ("rmse", "mae"),
            "train --data sine",
        ),
        Term(
            "precision",
            "of the examples that are taken for a class, the share that are of it",
            "precision = right ones of the class / all that are taken for it",
            "It says how far a guess of that class can be trusted. Whoever guesses a class seldom may have a high one "
            "and miss most of its examples; that shows in the recall.",
            "common",
            ("recall", "f1"),
            "train --data iris",
        ),
        Term(
            "recall",
            "of the examples of a class, the share that are taken for it",
            "recall = right ones of the class / all that are of it",
            "Its mean over the classes is the balanced accuracy, in which a rare class counts as much as a common one.",
            "common",
            ("precision", "f1"),
            "train --data iris",
        ),
        Term(
            "f1",
            "precision and recall of a class in one number, their harmonic mean",
            "F1 = 2·precision·recall/(precision + recall)",
            "It is high only where both are. The macro F1 is its plain mean over the classes.",
            "van Rijsbergen 1979",
            ("precision", "recall"),
            "train --data iris",
        ),
        Term(
            "roc_auc",
            "how often an example of a class has a higher output than one that is not of it",
            "ROC-AUC = share of the pairs (one of the class, one not) in which the first has the higher output; equal "
            "ones count half",
            "It is the area under the curve of true by false positives, over all bounds that one might set. 0.5 is as "
            "good as guessing, 1 is a perfect order. It says nothing of how sure the outputs are; that is calibration.",
            "Hanley and McNeil 1982",
            ("calibration", "recall"),
            "train --data iris",
        ),
        Term(
            "calibration",
            "whether a network is as often right as it is sure",
            "error = mean over the examples of |share that is right - mean probability| in the bin of each, by its "
            "probability",
            "Of the answers given with a probability of 0.9, nine in ten should be right. Large networks that fit "
            "their examples closely are mostly surer than right.",
            "Guo, Pleiss, Sun and Weinberger 2017",
            ("roc_auc", "overfitting"),
            "train --data noisy_moons --hidden 32 --validation 0.3",
        ),
    )
}
