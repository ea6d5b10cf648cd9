"""A program with a mistake in it, to try `tutor trace` on."""

from __future__ import annotations

EXAMPLE = '''\
"""A step of a small network in plain Python, and one mistake. It writes step.json.

Then: tutor trace step.json --activation tanh --loss cross_entropy --learning-rate 0.5
"""

import json
import math

X = [[0.5, -1.0, 0.25], [1.0, 0.5, -0.5], [-0.75, 0.25, 1.0], [0.1, -0.3, 0.8]]
y = [0, 1, 1, 0]
W1 = [[0.2, -0.4, 0.1, 0.5], [0.3, 0.1, -0.2, 0.4], [-0.5, 0.2, 0.3, 0.1]]
b1 = [0.1, 0.0, -0.1, 0.2]
W2 = [[0.4, -0.3], [-0.1, 0.2], [0.5, 0.1], [0.2, -0.6]]
b2 = [0.0, 0.1]
eta, n = 0.5, len(X)


def times(A, B):
    return [[sum(a * b for a, b in zip(row, column)) for column in zip(*B)] for row in A]


def turned(A):
    return [list(column) for column in zip(*A)]


def summed(A):
    return [sum(column) for column in zip(*A)]


def changed(w, g):
    return [changed(v, h) for v, h in zip(w, g)] if isinstance(w, list) else w - eta * g

Z1 = [[z + b for z, b in zip(row, b1)] for row in times(X, W1)]
A1 = [[math.tanh(z) for z in row] for row in Z1]
Z2 = [[z + b for z, b in zip(row, b2)] for row in times(A1, W2)]
P = [[math.exp(z) / sum(math.exp(v) for v in row) for z in row] for row in Z2]
loss = -sum(math.log(p[c]) for p, c in zip(P, y)) / n

dZ2 = [[(p - (k == c)) / n for k, p in enumerate(row)] for row, c in zip(P, y)]
dW2, db2 = times(turned(A1), dZ2), summed(dZ2)
dA1 = times(dZ2, turned(W2))
dZ1 = [[d * (1 - z * z) for d, z in zip(ds, zs)] for ds, zs in zip(dA1, Z1)]  # is this the slope of tanh?
dW1, db1 = times(turned(X), dZ1), summed(dZ1)

step = dict(X=X, y=y, W1=W1, b1=b1, W2=W2, b2=b2, Z1=Z1, A1=A1, Z2=Z2, P=P, loss=loss)
step.update(dW1=dW1, db1=db1, dW2=dW2, db2=db2)
W1, b1, W2, b2 = changed(W1, dW1), changed(b1, db1), changed(W2, dW2), changed(b2, db2)
step.update(W1_new=W1, b1_new=b1, W2_new=W2, b2_new=b2)

with open("step.json", "w") as file:
    json.dump(step, file)
'''
