import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

@Suite struct LayerNormTests {
    @Test(arguments: [(3, 1), (17, 3), (5, 16), (40, 130), (2, 1000)])
    func agreesWithTheTwin(_ shape: (Int, Int)) {
        let (rows, columns) = shape
        var tensors = TestTensors(seed: 16)
        let x = tensors.uniform([rows, columns], -3, 5)
        let (gamma, beta, dy) = (tensors.uniform([columns], 0.5, 2), tensors.uniform([columns]), tensors.uniform([rows, columns]))
        var expected = [Double](repeating: 0, count: rows * columns)
        vc_reference_layer_norm(rows, columns, doubles(x), Double(Float(1e-3)), doubles(gamma), doubles(beta), &expected)
        var (expectedGamma, expectedBeta) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
        var expectedDx = expected
        vc_reference_layer_norm_backward(
            rows, columns, doubles(x), Double(Float(1e-3)), doubles(gamma), doubles(dy), &expectedGamma, &expectedBeta, &expectedDx)
        // The gradients of gamma and beta are added to these.
        let given = tensors.uniform([columns])
        for column in 0..<columns {
            expectedGamma[column] += Double(given.base[column])
            expectedBeta[column] += Double(given.base[column])
        }

        var bits: [[Float]] = []
        for threads in threadCounts {
            let workers = Workers(count: threads)
            let (mean, inverse, y) = (tensors.nan([rows]), tensors.nan([rows]), tensors.nan([rows, columns]))
            LayerNorm.forward(x, epsilon: 1e-3, gamma: gamma, beta: beta, mean: mean, inverse: inverse, into: y, workers)
            #expect(relativeError(y.array, expected) <= 2e-6)
            let (dGamma, dBeta, dx) = (tensors.nan([columns]), tensors.nan([columns]), tensors.nan([rows, columns]))
            dGamma.copy(from: given)
            dBeta.copy(from: given)
            LayerNorm.addParameterGradients(x, mean: mean, inverse: inverse, dy, dGamma: dGamma, dBeta: dBeta, workers)
            LayerNorm.backward(x, mean: mean, inverse: inverse, gamma: gamma, dy, into: dx, workers)
            #expect(relativeError(dGamma.array, expectedGamma) <= 2e-6)
            #expect(relativeError(dBeta.array, expectedBeta) <= 1e-6)
            // With one feature the deviation is 0, and so is the gradient: rounding / sqrt(epsilon) is left.
            if columns > 1 {
                #expect(relativeError(dx.array, expectedDx) <= 1e-5)
            } else {
                #expect(dx.array.allSatisfy { abs($0) <= 1e-5 })
            }
            bits.append(y.array + dGamma.array + dBeta.array + dx.array)
        }
        #expect(bits.allSatisfy { $0 == bits[0] })
    }

    @Test func aRowOfNaNStaysInItsRow() {
        var tensors = TestTensors(seed: 17)
        let x = tensors.uniform([3, 20])
        x.base[20 + 7] = .nan
        let (ones, zeros, y) = (tensors.uniform([20], 1, 1), tensors.zeros([20]), tensors.zeros([3, 20]))
        LayerNorm.forward(
            x, epsilon: 1e-3, gamma: ones, beta: zeros, mean: tensors.nan([3]), inverse: tensors.nan([3]), into: y, Workers(count: 1))
        #expect(y.rows(1..<2).array.allSatisfy { $0.isNaN })
        #expect((y.rows(0..<1).array + y.rows(2..<3).array).allSatisfy { $0.isFinite })
    }
}
