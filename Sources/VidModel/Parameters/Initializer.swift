import VidTensor

/// Keras's initialisers.
package enum Initializer: Sendable, Equatable {
    case zeros
    case ones
    /// Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010; Keras's `glorot_uniform`).
    case glorotUniform(fanIn: Int, fanOut: Int)
    /// Orthogonal columns or rows, whichever are fewer (Saxe et al. 2013; Keras's `orthogonal`). A recurrent kernel
    /// (units, gates x units) is one orthogonal matrix as in Keras.
    case orthogonal
    /// An LSTM's bias in the gate order i, f, c, o: zeros, but ones for the forget gate (Keras's `unit_forget_bias`).
    case unitForgetBias(units: Int)

    /// Fills `tensor`.
    package func fill(_ tensor: Tensor, _ random: inout RandomGenerator) throws {
        switch self {
        case .zeros: tensor.fill(0)
        case .ones: tensor.fill(1)
        case .glorotUniform(let fanIn, let fanOut):
            let limit = (6 / Float(fanIn + fanOut)).squareRoot()
            for i in 0..<tensor.count { tensor.base[i] = random.uniform(-limit, limit) }
        case .orthogonal: try fillOrthogonal(tensor, &random)
        case .unitForgetBias(let units):
            tensor.fill(0)
            for i in units..<2 * units { tensor.base[i] = 1 }
        }
    }

    /// Q of the QR decomposition of a normal matrix, signs set by R's diagonal so that Q is uniformly distributed.
    private func fillOrthogonal(_ tensor: Tensor, _ random: inout RandomGenerator) throws {
        let rows = tensor.shape[0]
        let columns = tensor.shape[1]
        let (tall, narrow) = (max(rows, columns), min(rows, columns))
        let scratch = try Buffer(allocating: tall * narrow)
        for i in 0..<scratch.count { scratch.base[i] = random.normal() }
        let diagonal = try BLAS.qr(m: tall, n: narrow, scratch.base)
        for i in 0..<tall {
            for j in 0..<narrow {
                let q = scratch.base[i * narrow + j] * (diagonal[j] < 0 ? -1 : 1)
                if rows >= columns { tensor.base[i * columns + j] = q } else { tensor.base[j * columns + i] = q }
            }
        }
    }
}
