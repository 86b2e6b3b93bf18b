import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

@Suite struct PixelConversionTests {
    private static let rules: [@Sendable (Int) -> Preprocessing] = [
        { .caffe(channels: $0) }, { .torch(channels: $0) }, { .unit(channels: $0) }, { .symmetric(channels: $0) }, { .none(channels: $0) },
    ]

    /// All bytes, as colour, grey and other numbers of channels, from bytes and from floats.
    @Test(arguments: [(3, 224, 224), (1, 17, 16), (3, 1, 5), (2, 3, 5), (5, 16, 16)])
    func conversionIsItsTwin(_ channels: Int, _ rows: Int, _ columns: Int) {
        let (frames, positions) = (2, rows * columns)
        var random = RandomGenerator(seed: 1)
        let bytes = (0..<frames * channels * positions).map { _ in UInt8(random.below(256)) }
        let workers = Workers(count: 2)
        for makeRule in PixelConversionTests.rules {
            let rule = makeRule(channels)
            var tensors = TestTensors(seed: 2)
            let fromBytes = tensors.nan([frames, rows, columns, channels])
            let fromFloats = tensors.nan([frames, rows, columns, channels])
            PixelConversion.convert(bytes: bytes, rule: rule, into: fromBytes, workers: workers)
            PixelConversion.convert(floats: bytes.map(Float.init), rule: rule, into: fromFloats, workers: workers)
            for frame in 0..<frames {
                let count = channels * positions
                var expected = [Double](repeating: .nan, count: count)
                vc_reference_pixels_from_bytes(
                    Array(bytes[frame * count..<(frame + 1) * count]), positions, Int32(channels), rule.order, rule.scale.map(Double.init),
                    rule.offset.map(Double.init), &expected)
                // A product and a sum of floats.
                let error = relativeError(fromBytes.rows(frame..<frame + 1).array, expected)
                #expect(error <= 2e-7)
            }
            #expect(bits(fromFloats) == bits(fromBytes))
        }
    }

    /// One RGB pixel by hand.
    @Test func coloursAreWhatKerasAndTorchvisionMake() {
        let pixel: [UInt8] = [10, 100, 255]
        func convert(_ rule: Preprocessing) -> [Float] {
            var tensors = TestTensors(seed: 3)
            let out = tensors.nan([1, 1, 1, 3])
            PixelConversion.convert(bytes: pixel, rule: rule, into: out, workers: Workers(count: 1))
            return out.array
        }
        let expected: [(Preprocessing, [Double])] = [
            (.caffe(channels: 3), [255 - 103.939, 100 - 116.779, 10 - 123.68]),
            (.torch(channels: 3), [(10 / 255 - 0.485) / 0.229, (100 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225]),
            (.unit(channels: 3), [10 / 255, 100 / 255, 1]), (.symmetric(channels: 3), [10 / 127.5 - 1, 100 / 127.5 - 1, 1]),
            (.none(channels: 3), [10, 100, 255]),
        ]
        for (rule, values) in expected {
            let error = relativeError(convert(rule), values)
            #expect(error <= 2e-7)
        }
    }

    /// A grey frame is centred like the grey of its brightness: by the mean of the colours' means.
    @Test func greyIsCentredByTheMeanOfTheMeans() {
        let grey = Preprocessing.caffe(channels: 1)
        #expect(abs(grey.offset[0] + (103.939 + 116.779 + 123.68) / 3) <= 1e-5)
        #expect(abs(Preprocessing.torch(channels: 1).offset[0] + 0.449 / 0.226) <= 1e-6)
    }
}
