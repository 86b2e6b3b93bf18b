import CKernels

/// An elementwise activation function. (Softmax is not elementwise; see `Softmax`.)
package enum ActivationKind: Sendable, Equatable, CaseIterable {
    case linear
    /// max(x, 0).
    case relu
    case tanh
    /// 1 / (1 + e^-x).
    case sigmoid
    /// clip(0.2 x + 0.5, 0, 1), as in Keras 1 and 2.
    case hardSigmoid
    /// min(max(x, 0), 6).
    case relu6
    /// x sigmoid(x), also called swish.
    case silu
    /// x relu6(x + 3) / 6.
    case hardSwish
    /// relu6(x + 3) / 6, the hard_sigmoid of PyTorch and Keras 3.
    case hardSigmoidSixth

    /// Returns true if the derivative is no function of the output: its gradient needs the input.
    package var slopeNeedsInput: Bool { self == .silu || self == .hardSwish }

    /// The number by which the kernels and their twins know the activation.
    package var code: Int32 {
        switch self {
        case .linear: Int32(VC_LINEAR)
        case .relu: Int32(VC_RELU)
        case .tanh: Int32(VC_TANH)
        case .sigmoid: Int32(VC_SIGMOID)
        case .hardSigmoid: Int32(VC_HARD_SIGMOID)
        case .relu6: Int32(VC_RELU6)
        case .silu: Int32(VC_SILU)
        case .hardSwish: Int32(VC_HARD_SWISH)
        case .hardSigmoidSixth: Int32(VC_HARD_SIGMOID_SIXTH)
        }
    }
}

/// Elementwise activations over any tensor. NaN stays NaN.
package enum Activations {
    /// Elements in a block; fixed, so that blocks do not depend on the number of threads.
    private static let block = 16384

    /// y = activation(x); y may be x.
    package static func forward(_ kind: ActivationKind, _ x: Tensor, into y: Tensor, _ workers: Workers) {
        precondition(x.count == y.count, "\(x.shape) into \(y.shape)")
        workers.forEachRange(of: x.count, size: block) { range, _ in
            vc_activation_forward(kind.code, range.count, x.base + range.lowerBound, y.base + range.lowerBound)
        }
    }

    /// dx = dy * activation'(x), computed from the output y = activation(x); dx may be dy. Not where `slopeNeedsInput`.
    package static func backward(_ kind: ActivationKind, output y: Tensor, _ dy: Tensor, into dx: Tensor, _ workers: Workers) {
        precondition(!kind.slopeNeedsInput, "the gradient of \(kind) needs its input")
        precondition(y.count == dy.count && y.count == dx.count, "\(y.shape), \(dy.shape), \(dx.shape)")
        workers.forEachRange(of: y.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_activation_backward(kind.code, range.count, y.base + at, dy.base + at, dx.base + at)
        }
    }

    /// dx = dy * activation'(x), computed from the input x, for every kind; dx may be x or dy.
    package static func backward(_ kind: ActivationKind, input x: Tensor, _ dy: Tensor, into dx: Tensor, _ workers: Workers) {
        precondition(x.count == dy.count && x.count == dx.count, "\(x.shape), \(dy.shape), \(dx.shape)")
        workers.forEachRange(of: x.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_activation_input_gradient(kind.code, range.count, x.base + at, dy.base + at, dx.base + at)
        }
    }
}

/// The gradient of a ReLU that ran as part of a convolution.
package enum Rectifier {
    private static let block = 16384

    /// dInput = dOutput where output > 0, else 0; `dInput` may be `dOutput`.
    package static func gradient(output: Tensor, dOutput: Tensor, dInput: Tensor, workers: Workers) {
        precondition(output.count == dOutput.count && output.count == dInput.count, "\(output.shape), \(dOutput.shape), \(dInput.shape)")
        workers.forEachRange(of: output.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_relu_gradient(output.base + at, dOutput.base + at, dInput.base + at, range.count)
        }
    }
}
