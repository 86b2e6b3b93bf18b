import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

@Suite struct ColourChangeTests {
    static let factors: [ColourChange] = [
        ColourChange(brightness: 1.7), ColourChange(contrast: 0.3), ColourChange(contrast: 1.9), ColourChange(saturation: 0),
        ColourChange(saturation: 1.8), ColourChange(brightness: 0.6, contrast: 1.4, saturation: 1.3), ColourChange(brightness: 0),
    ]

    /// Naive: all frames' mean, then step by step.
    static func twin(_ values: [Double], frames: Int, channels: Int, _ change: ColourChange, bounds: ClosedRange<Double>) -> [Double] {
        let size = values.count / frames
        let positions = size / channels
        let parts = (0..<frames).map { Array(values[$0 * size..<($0 + 1) * size]) }
        let means = parts.map {
            vc_reference_mean_grey(
                $0, positions, Int32(channels), Double(change.brightness), bounds.lowerBound, bounds.upperBound)
        }
        let mean = means.reduce(0, +) / Double(frames)
        return parts.flatMap { part in
            var out = [Double](repeating: .nan, count: size)
            vc_reference_colour(
                part, positions, Int32(channels), Double(change.brightness), Double(change.contrast), Double(change.saturation), mean,
                bounds.lowerBound, bounds.upperBound, &out)
            return out
        }
    }

    /// 2,500 pixels: more than one block of the sum, and a rest that is no whole vector.
    @Test(arguments: [(1, 3, 1), (2, 3, 37), (3, 1, 16), (2, 2, 5), (2, 3, 2500)])
    func changeIsItsTwin(_ frames: Int, _ channels: Int, _ positions: Int) {
        let source = AffineWarpTests.bytes(frames * channels * positions, seed: 8)
        for change in ColourChangeTests.factors {
            var bytes = source
            change.apply(to: &bytes, frames: frames, channels: channels)
            let bounded = ColourChangeTests.twin(source.map(Double.init), frames: frames, channels: channels, change, bounds: 0...255)
            // A few roundings of floats up to 500.
            let rounding = zip(bytes, bounded).map { abs(Double($0) - $1) }.max() ?? .nan
            #expect(rounding <= 0.5 + 3e-4)
            var floats = source.map { Float($0) - 100 }
            let free = ColourChangeTests.twin(
                floats.map(Double.init), frames: frames, channels: channels, change, bounds: -1e9...1e9)
            change.apply(to: &floats, frames: frames, channels: channels)
            let error = zip(floats, free).map { abs(Double($0) - $1) }.max() ?? .nan
            #expect(error <= 3e-4)
        }
    }

    /// The kernel itself with factors of 1 gives every bit back.
    @Test func identity() {
        let source = AffineWarpTests.bytes(3 * 101)
        var colour = vc_colour(brightness: 1, contrast: 1, saturation: 1, mean: 77.7)
        for channels in [1, 3] {
            var bytes = source
            vc_colour_bytes(&bytes, bytes.count / channels, Int32(channels), &colour)
            #expect(bytes == source)
            var floats = source.map { Float($0) * 0.37 - 20 }
            let before = floats
            vc_colour_floats(&floats, floats.count / channels, Int32(channels), &colour)
            #expect(floats == before)
        }
        #expect(ColourChange().isIdentity && !ColourChange(saturation: 0.5).isIdentity)
    }

    /// No colour, no contrast: one grey, the clip's mean, in every frame.
    @Test func extremes() {
        var bytes: [UInt8] = [0, 200, 100, 100, 50, 50, 10, 20, 30, 40, 50, 60]
        ColourChange(contrast: 0).apply(to: &bytes, frames: 2, channels: 3)
        // (0.299 (0 + 200 + 10 + 20) + 0.587 (100 + 100 + 30 + 40) + 0.114 (50 + 50 + 50 + 60)) / 4
        let mean: UInt8 = 63
        #expect(bytes == [UInt8](repeating: mean, count: 12))
        var grey: [UInt8] = [255, 0, 0]
        ColourChange(saturation: 0).apply(to: &grey, frames: 1, channels: 3)
        #expect(grey == [76, 76, 76])
    }
}
