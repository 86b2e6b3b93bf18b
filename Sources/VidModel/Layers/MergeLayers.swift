import VidTensor

/// activation(a + b), optionally with a ReLU; Keras's `Add`, and `Activation`.
package struct Add: MergeLayer {
    package let name: String
    package let type = "Add"
    package let hasReLU: Bool

    package init(_ name: String, relu: Bool = false) {
        self.name = name
        hasReLU = relu
    }

    package var overwritesOutputGradient: Bool { hasReLU }

    package var readsInput: Bool { false }

    package var canOverwriteOutputGradient: Bool { true }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { !rectified.input }

    package func outputShape(_ first: Shape, _ second: Shape) -> Shape {
        precondition(first == second, "\(name): maps of \(first) and \(second)")
        return first
    }

    package func forward(_ first: Tensor, _ second: Tensor, into output: Tensor, _ context: Context) {
        Elementwise.add(first, second, activation: hasReLU ? .relu : .linear, into: output, context.workers)
    }

    package func backward(
        _ dOutput: Tensor, first: Tensor, second: Tensor, output: Tensor, into dFirst: Tensor?, _ dSecond: Tensor?, isRectified: Bool,
        _ context: Context
    ) {
        if hasReLU, !isRectified { Rectifier.gradient(output: output, dOutput: dOutput, dInput: dOutput, workers: context.workers) }
        if let dFirst, dFirst.base != dOutput.base { dFirst.copy(from: dOutput) }
        dSecond?.copy(from: dOutput)
    }
}

/// Maps (N, H, W, C) times one factor for each frame and channel (N, 1, 1, C); Keras's `Multiply`.
package struct Multiply: MergeLayer {
    package let name: String
    package let type = "Multiply"

    package init(_ name: String) { self.name = name }

    /// The gradient of the factors comes first.
    package var canOverwriteOutputGradient: Bool { true }

    package func outputShape(_ first: Shape, _ second: Shape) -> Shape {
        precondition(second == [1, 1, first.last], "\(name): factors \(second) for maps of \(first)")
        return first
    }

    package func forward(_ first: Tensor, _ second: Tensor, into output: Tensor, _ context: Context) {
        Elementwise.scaleChannels(first, by: second, into: output, context.workers)
    }

    package func backward(
        _ dOutput: Tensor, first: Tensor, second: Tensor, output: Tensor, into dFirst: Tensor?, _ dSecond: Tensor?, isRectified: Bool,
        _ context: Context
    ) {
        if let dSecond { Elementwise.scaleChannelsGateGradient(first, dOutput, into: dSecond, context.workers) }
        if let dFirst { Elementwise.scaleChannels(dOutput, by: second, into: dFirst, context.workers) }
    }
}
