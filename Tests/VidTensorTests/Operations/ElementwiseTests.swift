import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// The joints of residual and squeeze-and-excitation blocks.
@Suite struct ElementwiseTests {
    @Test(arguments: ActivationKind.allCases, [17, 40_000])
    func sumAndItsGradientAreTheirTwins(_ kind: ActivationKind, _ count: Int) {
        var tensors = TestTensors(seed: 41)
        let (a, b, dz) = (tensors.uniform([count], -4, 4), tensors.uniform([count], -4, 4), tensors.uniform([count]))
        let (z, d) = (tensors.nan([count]), tensors.nan([count]))
        let workers = Workers(count: 2)
        Elementwise.add(a, b, activation: kind, into: z, workers)
        Elementwise.addGradient(a, b, activation: kind, dz, into: d, workers)
        // The sum in single precision: next to a kink its rounding would decide the slope.
        let sums = zip(a.array, b.array).map { Double($0 + $1) }
        #expect(relativeError(z.array, sums.map { vc_reference_activation(kind.code, $0) }) <= 1e-6)
        let expected = zip(sums, doubles(dz)).map { vc_reference_activation_slope(kind.code, $0) * $1 }
        let error = zip(d.array, expected).map { abs(Double($0) - $1) }.max() ?? .nan
        #expect(error <= 1e-6)
        if !kind.slopeNeedsInput {
            let fromOutput = tensors.nan([count])
            Activations.backward(kind, output: z, dz, into: fromOutput, workers)
            #expect(bits(fromOutput) == bits(d))
        }
        Elementwise.addGradient(a, b, activation: kind, dz, into: dz, workers)
        #expect(bits(dz) == bits(d), "in place")
        Elementwise.add(a, b, activation: kind, into: a, workers)
        #expect(bits(a) == bits(z), "in place")
    }

    @Test(arguments: [[2, 14, 13, 130], [3, 1, 1, 5], [2, 56, 56, 24], [9, 7, 7, 1152]])
    func channelsAreScaledByAGate(_ shape: [Int]) {
        var tensors = TestTensors(seed: 42)
        let (frames, positions, channels) = (shape[0], shape[1] * shape[2], shape[3])
        let (x, dy) = (tensors.uniform(Shape(shape)), tensors.uniform(Shape(shape)))
        let gate = tensors.uniform([frames, 1, 1, channels])
        var first: [[UInt32]]?
        for threads in threadCounts {
            let workers = Workers(count: threads)
            let (y, dx, dGate) = (tensors.nan(x.shape), tensors.nan(x.shape), tensors.nan([frames, channels]))
            Elementwise.scaleChannels(x, by: gate, into: y, workers)
            Elementwise.scaleChannels(dy, by: gate, into: dx, workers)
            Elementwise.scaleChannelsGateGradient(x, dy, into: dGate, workers)
            let gates = (0..<x.count).map { gate.base[$0 / (positions * channels) * channels + $0 % channels] }
            #expect(y.array == zip(x.array, gates).map { $0 * $1 })
            #expect(dx.array == zip(dy.array, gates).map { $0 * $1 })
            for frame in 0..<frames {
                var expected = [Double](repeating: .nan, count: channels)
                let at = frame * positions * channels
                vc_reference_column_products(positions, channels, x.base + at, dy.base + at, &expected)
                // Only the result is rounded to single precision.
                #expect(relativeError(dGate.rows(frame..<frame + 1).array, expected) <= 1e-7)
            }
            let found = [y, dx, dGate].map(bits)
            #expect(found == first ?? found, "\(threads) threads")
            first = first ?? found
        }
    }
}
