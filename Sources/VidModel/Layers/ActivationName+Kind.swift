import VidConfig
import VidTensor

extension ActivationName {
    /// The elementwise kernel of this name; nil for softmax, which looks at a whole row.
    var kind: ActivationKind? {
        switch self {
        case .linear: .linear
        case .relu: .relu
        case .tanh: .tanh
        case .sigmoid: .sigmoid
        case .hardSigmoid: .hardSigmoid
        case .softmax: nil
        }
    }
}

/// An activation function over whole tensors, softmax over the last axis included.
enum ActivationFunction {
    /// y = activation(x); y may be x.
    static func forward(_ name: ActivationName, _ x: Tensor, into y: Tensor, _ workers: Workers) {
        if let kind = name.kind {
            Activations.forward(kind, x, into: y, workers)
        } else {
            Softmax.forward(x, into: y, workers)
        }
    }

    /// dx from dy by the output y; dx may be dy.
    static func backward(_ name: ActivationName, output y: Tensor, _ dy: Tensor, into dx: Tensor, _ workers: Workers) {
        if let kind = name.kind {
            Activations.backward(kind, output: y, dy, into: dx, workers)
        } else {
            Softmax.backward(output: y, dy, into: dx, workers)
        }
    }
}
