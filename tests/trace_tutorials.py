"""Networks from scratch in the manner of public tutorials, each right and with a mistake in one line.

Their ways of writing are kept, the code is new: who counts layers how, which sign an error has, where the mean is taken,
classes or functions, rows or columns, one-hot rows or class numbers. Each records what such a program has in its hands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tutorial:
    """`right` is the line that `wrong` takes the place of; `array` is the first that goes wrong by it, and `mistakes`
    are the names that may be told. `said` are the options that a reader of the tutorial would give."""

    source: str
    right: str
    wrong: str
    array: str
    mistakes: tuple[str, ...]
    said: dict[str, Any] = field(default_factory=dict)

    def run(self, with_mistake: bool) -> dict[str, Any]:
        """The arrays that it records."""
        assert self.source.count(self.right) == 1, self.right
        source = self.source.replace(self.right, self.wrong) if with_mistake else self.source
        found: dict[str, Any] = {}
        exec(source, {"record": found.update})
        return found


FEW_LINES = Tutorial(
    """
import numpy as np
def nonlin(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0, 1, 1, 0]]).T
np.random.seed(1)
syn0 = 2 * np.random.random((3, 4)) - 1
syn1 = 2 * np.random.random((4, 1)) - 1
record(X=X, y=y, W1=syn0.copy(), W2=syn1.copy())
l1 = nonlin(X @ syn0)
l2 = nonlin(l1 @ syn1)
l2_error = y - l2
l2_delta = l2_error * nonlin(l2, deriv=True)
l1_error = l2_delta @ syn1.T
l1_delta = l1_error * nonlin(l1, deriv=True)
syn1 += l1.T @ l2_delta
syn0 += X.T @ l1_delta
record(A1=l1, P=l2, delta2=l2_delta, delta1=l1_delta, W1_new=syn0, W2_new=syn1)
""",
    "l1_error * nonlin(l1, deriv=True)",
    "l1_error",
    "delta1",
    ("missing-slope",),
    {"activation": "sigmoid", "output_activation": "sigmoid", "learning_rate": 1},
)
"""Eleven lines or so: no biases, no rate, errors as target minus output that are added."""

LISTS_OF_COLUMNS = Tutorial(
    """
import numpy as np
def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))
def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))
class Network:
    def __init__(self, sizes):
        r = np.random.RandomState(3)
        self.num_layers = len(sizes)
        self.biases = [r.randn(y, 1) for y in sizes[1:]]
        self.weights = [r.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]
    def update_mini_batch(self, mini_batch, eta):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            delta_nabla_b, delta_nabla_w = self.backprop(x, y)
            nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
            nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
        self.weights = [w - (eta / len(mini_batch)) * nw for w, nw in zip(self.weights, nabla_w)]
        self.biases = [b - (eta / len(mini_batch)) * nb for b, nb in zip(self.biases, nabla_b)]
        return nabla_b, nabla_w
    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].T)
        for l in range(2, self.num_layers):
            delta = np.dot(self.weights[-l + 1].T, delta) * sigmoid_prime(zs[-l])
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].T)
        return nabla_b, nabla_w
net = Network([3, 4, 2])
r = np.random.RandomState(5)
batch = [(r.rand(3, 1), np.eye(2)[:, [k % 2]]) for k in range(6)]
record(X=np.hstack([x for x, _ in batch]), y=np.hstack([y for _, y in batch]))
record(W1=net.weights[0], b1=net.biases[0], W2=net.weights[1], b2=net.biases[1])
nabla_b, nabla_w = net.update_mini_batch(batch, 3.0)
record(nabla_W1=nabla_w[0], nabla_b1=nabla_b[0], nabla_W2=nabla_w[1], nabla_b2=nabla_b[1])
record(W1_new=net.weights[0], b1_new=net.biases[0], W2_new=net.weights[1], b2_new=net.biases[1])
""",
    "delta) * sigmoid_prime(zs[-l])",
    "delta) * sigmoid_prime(activations[-l])",
    "nabla_W1",
    ("slope-of-output",),
    {"activation": "sigmoid", "output_activation": "sigmoid", "loss": "half_squared_error", "learning_rate": 3.0},
)
"""A class with lists of weights: example after example as columns, sums that the update divides."""

CASE_STUDY = Tutorial(
    """
import numpy as np
np.random.seed(0)
N, D, K, h = 5, 2, 3, 7
X = np.random.randn(N * K, D)
y = np.repeat(np.arange(K), N).astype('uint8')
W = 0.5 * np.random.randn(D, h)
b = 0.1 * np.random.randn(1, h)
W2 = 0.5 * np.random.randn(h, K)
b2 = np.zeros((1, K))
step_size, reg = 1e-0, 1e-3
record(X=X, y=y, W1=W.copy(), b1=b.copy(), W2=W2.copy(), b2=b2.copy())
num_examples = X.shape[0]
hidden_layer = np.maximum(0, np.dot(X, W) + b)
scores = np.dot(hidden_layer, W2) + b2
exp_scores = np.exp(scores)
probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
corect_logprobs = -np.log(probs[range(num_examples), y])
data_loss = np.sum(corect_logprobs) / num_examples
reg_loss = 0.5 * reg * np.sum(W * W) + 0.5 * reg * np.sum(W2 * W2)
loss = data_loss + reg_loss
record(hidden1=hidden_layer, scores=scores, probs=probs, loss=loss)
dscores = probs.copy()
dscores[range(num_examples), y] -= 1
dscores /= num_examples
dW2 = np.dot(hidden_layer.T, dscores)
db2 = np.sum(dscores, axis=0, keepdims=True)
dhidden = np.dot(dscores, W2.T)
dhidden[hidden_layer <= 0] = 0
dW = np.dot(X.T, dhidden)
db = np.sum(dhidden, axis=0, keepdims=True)
dW2 += reg * W2
dW += reg * W
record(dW1=dW, db1=db, dW2=dW2, db2=db2)
W += -step_size * dW
b += -step_size * db
W2 += -step_size * dW2
b2 += -step_size * db2
record(W1_new=W, b1_new=b, W2_new=W2, b2_new=b2)
""",
    "dW += reg * W\n",
    "\n",
    "dW1",
    ("penalty-missing",),
    {"activation": "relu", "l2": 0.5e-3, "learning_rate": 1},
)
"""One script with a penalty: class numbers, a ReLU as a mask, gradients changed in place."""

DICTIONARIES = Tutorial(
    """
import numpy as np
def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))
def initialize_parameters(n_x, n_h, n_y):
    np.random.seed(2)
    return {"W1": np.random.randn(n_h, n_x) * 0.5, "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h) * 0.5, "b2": np.zeros((n_y, 1))}
def forward_propagation(X, parameters):
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
    A2 = sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
def compute_cost(A2, Y):
    m = Y.shape[1]
    logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
    return float(np.squeeze(-np.sum(logprobs) / m))
def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = np.dot(dZ2, cache["A1"].T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(parameters["W2"].T, dZ2) * (1 - np.power(cache["A1"], 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
np.random.seed(1)
X, Y = np.random.randn(2, 9), (np.random.rand(1, 9) > 0.5).astype(int)
parameters = initialize_parameters(2, 4, 1)
record(X=X, Y=Y, **parameters)
A2, cache = forward_propagation(X, parameters)
record(cost=compute_cost(A2, Y), **cache)
grads = backward_propagation(parameters, cache, X, Y)
record(**grads)
for key in parameters:
    parameters[key] = parameters[key] - 1.2 * grads["d" + key]
record(**{key + "_new": value for key, value in parameters.items()})
""",
    "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
    "db1 = np.sum(dZ1, keepdims=True) / m",
    "db1",
    ("bias-wrong-axis",),
    {"learning_rate": 1.2},
)
"""Functions that hand on dictionaries: examples as columns, divided by m in each gradient."""

ONE_EXAMPLE = Tutorial(
    """
import numpy
class neuralNetwork:
    def __init__(self, inputnodes, hiddennodes, outputnodes, learningrate):
        r = numpy.random.RandomState(1)
        self.wih = r.normal(0.0, pow(inputnodes, -0.5), (hiddennodes, inputnodes))
        self.who = r.normal(0.0, pow(hiddennodes, -0.5), (outputnodes, hiddennodes))
        self.lr = learningrate
        self.activation_function = lambda x: 1 / (1 + numpy.exp(-x))
    def train(self, inputs_list, targets_list):
        inputs = numpy.array(inputs_list, ndmin=2).T
        targets = numpy.array(targets_list, ndmin=2).T
        record(X=inputs, y=targets, W1=self.wih.copy(), W2=self.who.copy())
        hidden_outputs = self.activation_function(numpy.dot(self.wih, inputs))
        final_outputs = self.activation_function(numpy.dot(self.who, hidden_outputs))
        record(A1=hidden_outputs, P=final_outputs)
        output_errors = targets - final_outputs
        output_deltas = output_errors * final_outputs * (1.0 - final_outputs)
        hidden_errors = numpy.dot(self.who.T, output_deltas)
        self.who += self.lr * numpy.dot(output_deltas, hidden_outputs.T)
        self.wih += self.lr * numpy.dot(hidden_errors * hidden_outputs * (1.0 - hidden_outputs), inputs.T)
        record(W1_new=self.wih.copy(), W2_new=self.who.copy())
n = neuralNetwork(4, 5, 3, 0.1)
n.train([0.9, 0.1, 0.8, 0.3], [0.01, 0.99, 0.01])
""",
    "numpy.dot(self.who.T, output_deltas)",
    "numpy.dot(self.who.T, output_errors)",
    "W1_new",
    ("missing-slope",),
    {"activation": "sigmoid", "output_activation": "sigmoid", "loss": "half_squared_error", "learning_rate": 0.1},
)
"""A class for one example at a time that keeps no gradient: errors are handed back before their slope, as some do."""

LONG_NAMES = Tutorial(
    """
import numpy as np
def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))
def int_to_onehot(y, num_labels):
    ary = np.zeros((y.shape[0], num_labels))
    for i, val in enumerate(y):
        ary[i, val] = 1
    return ary
class NeuralNetMLP:
    def __init__(self, num_features, num_hidden, num_classes, random_seed=123):
        self.num_classes = num_classes
        rng = np.random.RandomState(random_seed)
        self.weight_h = rng.normal(scale=0.7, size=(num_hidden, num_features))
        self.bias_h = np.zeros(num_hidden)
        self.weight_out = rng.normal(scale=0.7, size=(num_classes, num_hidden))
        self.bias_out = np.zeros(num_classes)
    def forward(self, x):
        z_h = np.dot(x, self.weight_h.T) + self.bias_h
        a_h = sigmoid(z_h)
        z_out = np.dot(a_h, self.weight_out.T) + self.bias_out
        return a_h, sigmoid(z_out)
    def backward(self, x, a_h, a_out, y, lr):
        y_onehot = int_to_onehot(y, self.num_classes)
        d_loss__d_a_out = 2.0 * (a_out - y_onehot) / y.shape[0]
        d_a_out__d_z_out = a_out * (1.0 - a_out)
        delta_out = d_loss__d_a_out * d_a_out__d_z_out
        d_loss__dw_out = np.dot(delta_out.T, a_h)
        d_loss__db_out = np.sum(delta_out, axis=0)
        weight_out = self.weight_out
        self.weight_out = self.weight_out - lr * d_loss__dw_out
        self.bias_out = self.bias_out - lr * d_loss__db_out
        d_loss__a_h = np.dot(delta_out, weight_out)
        d_loss__z_h = d_loss__a_h * a_h * (1.0 - a_h)
        d_loss__d_w_h = np.dot(d_loss__z_h.T, x)
        d_loss__d_b_h = np.sum(d_loss__z_h, axis=0)
        self.weight_h = self.weight_h - lr * d_loss__d_w_h
        self.bias_h = self.bias_h - lr * d_loss__d_b_h
        return d_loss__dw_out, d_loss__db_out, d_loss__d_w_h, d_loss__d_b_h
rng = np.random.RandomState(4)
X_train, y_train = rng.rand(7, 6), np.array([0, 1, 2, 2, 1, 0, 1])
model = NeuralNetMLP(6, 5, 3)
record(X=X_train, y=y_train, W1=model.weight_h, b1=model.bias_h, W2=model.weight_out, b2=model.bias_out)
a_h, a_out = model.forward(X_train)
record(h1=a_h, out=a_out)
gw2, gb2, gw1, gb1 = model.backward(X_train, a_h, a_out, y_train, 0.1)
record(grad_W2=gw2, grad_b2=gb2, grad_W1=gw1, grad_b1=gb1)
record(W1_new=model.weight_h, b1_new=model.bias_h, W2_new=model.weight_out, b2_new=model.bias_out)
""",
    "np.dot(delta_out, weight_out)",
    "np.dot(delta_out, self.weight_out)",
    "grad_W1",
    ("updated-weight",),
    {"activation": "sigmoid", "output_activation": "sigmoid", "learning_rate": 0.1},
)
"""A class with a name for each partial derivative: rows, weights (out, in), squared errors of one-hot rows."""

LAYER_CLASSES = Tutorial(
    """
import numpy as np
class FCLayer:
    def __init__(self, input_size, output_size, r):
        self.weights = r.rand(input_size, output_size) - 0.5
        self.bias = r.rand(1, output_size) - 0.5
    def forward_propagation(self, input_data):
        self.input = input_data
        self.output = np.dot(self.input, self.weights) + self.bias
        return self.output
    def backward_propagation(self, output_error, learning_rate):
        input_error = np.dot(output_error, self.weights.T)
        self.weights_error, self.bias_error = np.dot(self.input.T, output_error), output_error
        self.weights = self.weights - learning_rate * self.weights_error
        self.bias = self.bias - learning_rate * output_error
        return input_error
class ActivationLayer:
    def __init__(self, activation, activation_prime):
        self.activation, self.activation_prime = activation, activation_prime
    def forward_propagation(self, input_data):
        self.input = input_data
        return self.activation(self.input)
    def backward_propagation(self, output_error, learning_rate):
        return self.activation_prime(self.input) * output_error
def tanh(x):
    return np.tanh(x)
def tanh_prime(x):
    return 1 - np.tanh(x) ** 2
def mse(y_true, y_pred):
    return np.mean(np.power(y_true - y_pred, 2))
def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.size
r = np.random.RandomState(0)
layers = [FCLayer(3, 4, r), ActivationLayer(tanh, tanh_prime), FCLayer(4, 2, r), ActivationLayer(tanh, tanh_prime)]
x, y = np.array([[0.2, -0.7, 0.4]]), np.array([[1.0, -0.5]])
record(X=x, y=y, W1=layers[0].weights, b1=layers[0].bias, W2=layers[2].weights, b2=layers[2].bias)
output = x
for layer in layers:
    output = layer.forward_propagation(output)
record(Z1=layers[0].output, Z2=layers[2].output, y_pred=output, loss=mse(y, output))
error = mse_prime(y, output)
for layer in reversed(layers):
    error = layer.backward_propagation(error, 0.1)
record(dW1=layers[0].weights_error, db1=layers[0].bias_error, dW2=layers[2].weights_error, db2=layers[2].bias_error)
record(W1_new=layers[0].weights, b1_new=layers[0].bias, W2_new=layers[2].weights, b2_new=layers[2].bias)
""",
    "return 1 - np.tanh(x) ** 2",
    "return 1 - np.tanh(x)",
    "dW2",
    ("slope-form",),
    {"activation": "tanh", "output_activation": "tanh", "learning_rate": 0.1},
)
"""Layers and activations as classes that change themselves on the way back: one example as a row."""

UNITS_COUNTED = Tutorial(
    """
import numpy as np
np.random.seed(0)
num_examples, nn_input_dim, nn_hdim, nn_output_dim = 10, 2, 3, 2
X = np.random.randn(num_examples, nn_input_dim)
y = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0])
epsilon = 0.01
W1 = np.random.randn(nn_input_dim, nn_hdim) / np.sqrt(nn_input_dim)
b1 = np.zeros((1, nn_hdim))
W2 = np.random.randn(nn_hdim, nn_output_dim) / np.sqrt(nn_hdim)
b2 = np.zeros((1, nn_output_dim))
model = {'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}
record(X=X, y=y, **model)
z2 = X.dot(W1) + b1
a2 = np.tanh(z2)
z3 = a2.dot(W2) + b2
exp_scores = np.exp(z3)
probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
data_loss = np.sum(-np.log(probs[range(num_examples), y])) / num_examples
record(z2=z2, a2=a2, z3=z3, probs=probs, loss=data_loss)
delta3 = probs.copy()
delta3[range(num_examples), y] -= 1
delta3 /= num_examples
dW2 = (a2.T).dot(delta3)
db2 = np.sum(delta3, axis=0, keepdims=True)
delta2 = delta3.dot(W2.T) * (1 - np.power(a2, 2))
dW1 = np.dot(X.T, delta2)
db1 = np.sum(delta2, axis=0)
record(delta3=delta3, dW2=dW2, db2=db2, delta2=delta2, dW1=dW1, db1=db1)
W1 = W1 - epsilon * dW1
b1 = b1 - epsilon * db1
W2 = W2 - epsilon * dW2
b2 = b2 - epsilon * db2
record(W1_new=W1, b1_new=b1, W2_new=W2, b2_new=b2)
""",
    "delta3 /= num_examples\n",
    "\n",
    "delta3",
    ("sum-for-mean",),
    {"learning_rate": 0.01},
)
"""Layers of units counted from the inputs: z2, a2 and delta3 in a network with W1 and W2. Its wrong form is how it is
often copied: the loss is a mean, the gradients are sums."""

TUTORIALS = {
    "a few lines": FEW_LINES,
    "lists of columns": LISTS_OF_COLUMNS,
    "a case study": CASE_STUDY,
    "dictionaries": DICTIONARIES,
    "one example": ONE_EXAMPLE,
    "long names": LONG_NAMES,
    "layer classes": LAYER_CLASSES,
    "units counted": UNITS_COUNTED,
}
