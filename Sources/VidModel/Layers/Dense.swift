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

    package func forward(_ input: Tensor, _ pass: Pass) -> Saved {
        let output = pass.workspace.take(outputShape(input.shape))
        let rows = input.count / input.shape.last
        MatrixProduct.multiply(
            input.reshaped([rows, input.shape.last]), pass.parameters.value(kernel), into: output.reshaped([rows, units]),
            finish: .init(bias: pass.parameters.value(bias), activation: activation.kind ?? .linear), pass.workers)
        if activation == .softmax { Softmax.forward(output, into: output, pass.workers) }
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ pass: Pass, needsInputGradient: Bool) -> Tensor? {
        let dInput = needsInputGradient ? pass.workspace.take(saved.input.shape) : nil
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let rows = saved.output.count / units
        let input = saved.input.reshaped([rows, saved.input.shape.last])
        var dSum = dOutput.reshaped([rows, units])
        if activation != .linear {
            dSum = pass.workspace.take([rows, units])
            ActivationFunction.backward(activation, output: saved.output, dOutput, into: dSum, pass.workers)
        }
        if let dKernel = pass.parameters.gradient(kernel), let dBias = pass.parameters.gradient(bias) {
            MatrixProduct.multiply(input, transposeA: true, dSum, into: dKernel, accumulate: true, pass.workers)
            Reductions.addColumnSums(dSum, to: dBias, pass.workers)
        }
        if let dInput {
            MatrixProduct.multiplyByTransposed(
                dSum, pass.parameters.value(kernel), into: dInput.reshaped(input.shape), pass.workspace, pass.workers)
        }
        return dInput
    }
}
