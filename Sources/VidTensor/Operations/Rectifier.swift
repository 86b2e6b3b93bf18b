import CKernels

/// ReLU over any tensor: max(0, x). NaN stays NaN, so that a bad value is seen where it arises.
package enum Rectifier {
    private static let block = 16384

    /// output = max(0, input); `output` may be `input`.
    package static func forward(input: Tensor, output: Tensor, workers: Workers) {
        precondition(input.count == output.count, "\(input.shape) into \(output.shape)")
        workers.forEachRange(of: input.count, size: block) { range, _ in
            vc_relu(input.base + range.lowerBound, output.base + range.lowerBound, range.count)
        }
    }

    /// dInput = dOutput where output > 0, else 0; `dInput` may be `dOutput`.
    package static func gradient(output: Tensor, dOutput: Tensor, dInput: Tensor, workers: Workers) {
        precondition(output.count == dOutput.count && output.count == dInput.count, "\(output.shape), \(dOutput.shape), \(dInput.shape)")
        workers.forEachRange(of: output.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_relu_gradient(output.base + at, dOutput.base + at, dInput.base + at, range.count)
        }
    }
}
