import VidConfig
import VidTensor

/// An activation function as a layer of its own, over any tensor; softmax runs over the last axis.
package struct Activation: Layer {
    package let name: String
    package let function: ActivationName

    package init(_ name: String, _ function: ActivationName) {
        self.name = name
        self.function = function
    }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        let output = context.workspace.take(input.shape)
        function.forward(input, into: output, context.workers)
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard needsInputGradient else { return nil }
        let dInput = context.workspace.take(saved.input.shape)
        function.backward(output: saved.output, dOutput, into: dInput, context.workers)
        return dInput
    }
}

extension ActivationName {
    /// The elementwise kernel of this name; nil for softmax, which looks at a whole row.
    package var kind: ActivationKind? {
        switch self {
        case .linear: .linear
        case .relu: .relu
        case .tanh: .tanh
        case .sigmoid: .sigmoid
        case .hardSigmoid: .hardSigmoid
        case .softmax: nil
        }
    }

    /// y = activation(x); y may be x.
    func forward(_ x: Tensor, into y: Tensor, _ workers: Workers) {
        if let kind {
            Activations.forward(kind, x, into: y, workers)
        } else {
            Softmax.forward(x, into: y, workers)
        }
    }

    /// dx from dy and the output y; dx may be dy.
    func backward(output y: Tensor, _ dy: Tensor, into dx: Tensor, _ workers: Workers) {
        if let kind {
            Activations.backward(kind, output: y, dy, into: dx, workers)
        } else {
            Softmax.backward(output: y, dy, into: dx, workers)
        }
    }
}

/// An elementwise activation between layers of the CNN.
package struct MapActivationLayer: FrameLayer {
    package let name: String
    package let type = "Activation"
    package let kind: ActivationKind

    package init(_ name: String, _ kind: ActivationKind) {
        self.name = name
        self.kind = kind
    }

    package var hasReLU: Bool { kind == .relu }

    package var readsInput: Bool { kind.slopeNeedsInput }

    package var canOverwriteOutputGradient: Bool { true }

    package var readsOutput: Bool { !kind.slopeNeedsInput && kind != .relu && kind != .linear }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { !rectified.input }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        Activations.forward(kind, input, into: output, context.workers)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        if kind.slopeNeedsInput {
            Activations.backward(kind, input: input, dOutput, into: dInput, context.workers)
        } else if hasReLU, rectified.output {
            dInput.copy(from: dOutput)
        } else {
            Activations.backward(kind, output: output, dOutput, into: dInput, context.workers)
        }
        rectify(dInput, input, rectified, context)
    }
}

extension MapActivation {
    /// The kernel of this name.
    package var kind: ActivationKind {
        switch self {
        case .linear: .linear
        case .relu: .relu
        case .relu6: .relu6
        case .silu: .silu
        case .hardSwish: .hardSwish
        case .tanh: .tanh
        case .sigmoid: .sigmoid
        case .hardSigmoid: .hardSigmoidSixth
        }
    }
}
