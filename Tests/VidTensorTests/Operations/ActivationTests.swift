import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

@Suite struct ActivationTests {
    /// One rounding or a few in single precision, values of order one.
    private let tolerance = 1e-6

    @Test(arguments: ActivationKind.allCases, oddCounts)
    func agreesWithTheTwin(_ kind: ActivationKind, _ count: Int) {
        var tensors = TestTensors(seed: 1)
        let workers = Workers(count: 2)
        let x = tensors.uniform([count], -8, 8)
        let y = tensors.nan([count])
        Activations.forward(kind, x, into: y, workers)
        #expect(relativeError(y.array, doubles(x).map { vc_reference_activation(kind.code, $0) }) <= tolerance)

        let dy = tensors.uniform([count])
        let dx = tensors.nan([count])
        Activations.backward(kind, input: x, dy, into: dx, workers)
        let expected = zip(doubles(x), doubles(dy)).map { vc_reference_activation_slope(kind.code, $0) * $1 }
        // Absolute: 1 - y^2 near saturation is a difference of numbers of order one.
        let error = zip(dx.array, expected).map { abs(Double($0) - $1) }.max() ?? .nan
        #expect(error <= tolerance)
        if !kind.slopeNeedsInput {
            let fromInput = dx.array
            Activations.backward(kind, output: y, dy, into: dx, workers)
            #expect(dx.array == fromInput, "the same bits from the output")
        }

        Activations.forward(kind, x, into: x, workers)
        #expect(x.array == y.array, "in place")
    }

    /// d(activation)/dx by central differences of the twin; the kinks at -3, 0, 2.5, 3 and 6 are left out.
    @Test(arguments: ActivationKind.allCases)
    func slopeIsTheDerivative(_ kind: ActivationKind) {
        let (count, step) = (160, 1e-4)
        var tensors = TestTensors(seed: 5)
        let (x, dy, dx) = (tensors.zeros([count]), tensors.zeros([count]), tensors.nan([count]))
        for i in 0..<count { x.base[i] = (Float(i) - 80) * 0.1 + 0.03 }
        dy.fill(1)
        Activations.backward(kind, input: x, dy, into: dx, Workers(count: 1))
        for (x, slope) in zip(doubles(x), dx.array) {
            let (above, below) = (vc_reference_activation(kind.code, x + step), vc_reference_activation(kind.code, x - step))
            #expect(abs(Double(slope) - (above - below) / (2 * step)) <= 2e-6, "at \(x)")
        }
    }

    /// Values at the kinks as PyTorch has them.
    @Test func kinksAndHandComputedValues() {
        var tensors = TestTensors(seed: 6)
        let x = tensors.zeros([5])
        x.copy(from: [-3, 0, 1, 3, 6])
        func forward(_ kind: ActivationKind) -> [Float] {
            let y = tensors.nan([5])
            Activations.forward(kind, x, into: y, Workers(count: 1))
            return y.array
        }
        #expect(forward(.relu6) == [0, 0, 1, 3, 6])
        #expect(relativeError(forward(.hardSwish), [0, 0, 2.0 / 3, 3, 6]) <= 1e-7)
        #expect(relativeError(forward(.hardSigmoidSixth), [0, 0.5, 2.0 / 3, 1, 1]) <= 1e-7)
        #expect(relativeError(forward(.silu), [-0.14227762, 0, 0.73105858, 2.85772238, 5.98516426]) <= 1e-7)
    }

    @Test(arguments: ActivationKind.allCases)
    func nanStaysNaN(_ kind: ActivationKind) {
        var tensors = TestTensors(seed: 7)
        let (x, dy, y, dx) = (tensors.nan([33]), tensors.uniform([33]), tensors.zeros([33]), tensors.zeros([33]))
        Activations.forward(kind, x, into: y, Workers(count: 1))
        #expect(y.array.allSatisfy { $0.isNaN })
        Activations.backward(kind, input: x, dy, into: dx, Workers(count: 1))
        #expect(dx.array.allSatisfy { $0.isNaN })
    }

    @Test(arguments: ActivationKind.allCases)
    func addsABiasAndActivatesPartOfAMatrix(_ kind: ActivationKind) {
        var tensors = TestTensors(seed: 2)
        let matrix = tensors.uniform([5, 23], -3, 3)
        let bias = tensors.uniform([17])
        let before = matrix.array
        vc_bias_activation(kind.code, 5, 17, 23, bias.base, matrix.base + 2)
        var expected = before.map(Double.init)
        for row in 0..<5 {
            for column in 0..<17 {
                let at = row * 23 + 2 + column
                expected[at] = vc_reference_activation(kind.code, Double(before[at] + bias.base[column]))
            }
        }
        #expect(relativeError(matrix.array, expected) <= tolerance)
    }

    @Test(arguments: [(1, 1), (3, 2), (5, 17), (2, 1000)])
    func softmaxAgreesWithTheTwin(_ rows: Int, _ columns: Int) {
        var tensors = TestTensors(seed: 3)
        let workers = Workers(count: 2)
        let x = tensors.uniform([rows, columns], -30, 30)
        let y = tensors.nan([rows, columns])
        Softmax.forward(x, into: y, workers)
        var expected = [Double](repeating: 0, count: x.count)
        vc_reference_softmax(rows, columns, doubles(x), &expected)
        #expect(relativeError(y.array, expected) <= 2e-6)

        let dy = tensors.uniform([rows, columns])
        let dx = tensors.nan([rows, columns])
        Softmax.backward(output: y, dy, into: dx, workers)
        var expectedGradient = expected
        vc_reference_softmax_backward(rows, columns, expected, doubles(dy), &expectedGradient)
        // Differences of numbers of order one, so absolute.
        let error = zip(dx.array, expectedGradient).map { abs(Double($0) - $1) }.max() ?? .nan
        #expect(error <= 1e-6)
    }

    @Test func softmaxOfHugeAndOfBrokenLogits() {
        var tensors = TestTensors(seed: 4)
        let x = tensors.zeros([3, 3])
        x.copy(from: [1e30, -1e30, 0, 88, 89, 200, 0, .nan, 1])
        let y = tensors.nan([3, 3])
        Softmax.forward(x, into: y, Workers(count: 1))
        #expect(Array(y.array[0..<3]) == [1, 0, 0])
        #expect(y.array[3..<6].allSatisfy { $0 >= 0 && $0 <= 1 })
        #expect(y.array[6..<9].allSatisfy { $0.isNaN })
    }

    @Test(arguments: [1, 15, 16, 17, 40_000])
    func rectifierIsItsTwinInPlaceToo(_ count: Int) {
        var tensors = TestTensors(seed: 10)
        let input = tensors.uniform([count])
        let output = tensors.nan([count])
        let workers = Workers(count: 2)
        Activations.forward(.relu, input, into: output, workers)
        #expect(output.array == input.array.map { max(0, $0) })
        let dOutput = tensors.uniform([count])
        var expected = [Double](repeating: .nan, count: count)
        vc_reference_relu_gradient(output.base, dOutput.base, count, &expected)
        let dInput = tensors.nan([count])
        Rectifier.gradient(output: output, dOutput: dOutput, dInput: dInput, workers: workers)
        #expect(dInput.array.map(Double.init) == expected)
        Rectifier.gradient(output: output, dOutput: dOutput, dInput: dOutput, workers: workers)
        #expect(dOutput.array == dInput.array)
    }

    /// A value that is not a number is not hidden by a ReLU.
    @Test func rectifierPassesNaNOn() {
        var tensors = TestTensors(seed: 11)
        let input = tensors.nan([33])
        let output = tensors.zeros([33])
        Activations.forward(.relu, input, into: output, Workers(count: 1))
        #expect(output.array.allSatisfy { $0.isNaN })
        vc_finish_positions(Int32(VC_RELU), 1, 33, output.base, nil, input.base)
        #expect(input.array.allSatisfy { $0.isNaN })
    }
}
