import VidConfig
import VidTensor

/// A fully connected layer over the last axis: activation(x kernel + bias), Keras's `Dense`.
///
/// Parameters `NAME/kernel` (F, units), Glorot uniform, and `NAME/bias` (units), zeros. All axes before the last count
/// as rows.
package struct Dense: Layer {
    package let name: String
    package let units: Int
    package let activation: ActivationName
    private let kernel: ParameterID
    private let bias: ParameterID

    package init(_ name: String, features: Int, units: Int, activation: ActivationName = .linear, _ layout: inout ParameterLayout) {
        self.name = name
        self.units = units
        self.activation = activation
        kernel = layout.add("\(name)/kernel", [features, units], .glorotUniform(fanIn: features, fanOut: units))
        bias = layout.add("\(name)/bias", [units], .zeros)
    }

    package func outputShape(_ input: Shape) -> Shape { Shape(Array(input.dimensions.dropLast()) + [units]) }

    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        let output = context.workspace.take(outputShape(input.shape))
        let rows = input.count / input.shape.last
        MatrixProduct.multiply(
            input.reshaped([rows, input.shape.last]), context.parameters.value(kernel), into: output.reshaped([rows, units]),
            finish: .init(bias: context.parameters.value(bias), activation: activation.kind ?? .linear), context.workspace,
            context.workers)
        if activation == .softmax { Softmax.forward(output, into: output, context.workers) }
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let rows = saved.output.count / units
        let input = saved.input.reshaped([rows, saved.input.shape.last])
        var dSum = dOutput.reshaped([rows, units])
        if activation != .linear {
            dSum = context.workspace.take([rows, units])
            activation.backward(output: saved.output, dOutput, into: dSum, context.workers)
        }
        if let dKernel = context.parameters.gradient(kernel), let dBias = context.parameters.gradient(bias) {
            MatrixProduct.multiply(input, transposeA: true, dSum, into: dKernel, accumulate: true, context.workspace, context.workers)
            Reductions.addColumnSums(dSum, to: dBias, context.workers)
        }
        if let dInput {
            MatrixProduct.multiplyByTransposed(
                dSum, context.parameters.value(kernel), into: dInput.reshaped(input.shape), context.workspace, context.workers)
        }
        return dInput
    }
}
