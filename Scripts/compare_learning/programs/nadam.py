"""Keras 1's and 2's Nadam for Keras 3."""

import keras
from keras import ops


class Keras1Nadam(keras.optimizers.Nadam):
    """Nadam whose momentum is beta_1 (1 - 0.5 x 0.96^(t x schedule_decay)).

    Keras 3 has no schedule_decay, as if it were 1: its momentum goes from 0.47 to 0.9 within a hundred steps, where with
    Keras 1's 0.004 it stays near 0.45 for thousands.
    """

    def __init__(self, schedule_decay, **options):
        super().__init__(**options)
        self.schedule_decay = schedule_decay

    def momentum(self, step):
        return self.beta_1 * (1.0 - 0.5 * ops.power(0.96, ops.cast(step, "float32") * self.schedule_decay))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        self.assign(self._u_product, self._u_product * self.momentum(self.iterations + 1))
        # Past Nadam's own, which would multiply its product by its own momentum.
        super(keras.optimizers.Nadam, self)._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        now, following = self.momentum(self.iterations + 1), self.momentum(self.iterations + 2)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign(m, self.beta_1 * m + (1 - self.beta_1) * gradient)
        self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        step = (1 - now) * gradient / (1 - self._u_product) + following * m / (1 - self._u_product * following)
        v_hat = v / (1 - ops.power(self.beta_2, ops.cast(self.iterations + 1, "float32")))
        self.assign_sub(variable, learning_rate * step / (ops.sqrt(v_hat) + self.epsilon))
