import Testing
import VidConfig
import VidData
import VidModel
import VidTensor
import VidTrain

/// The CNN runs once on a frame that several windows contain, with the bits of every window by itself.
@Suite struct FrameFeaturesTests {
    private static let frames = 5

    private func predictor(_ change: (inout RunConfiguration) -> Void) async throws -> Predictor {
        var configuration = TestClips.configuration()
        configuration.model.input.frames = FrameFeaturesTests.frames
        (configuration.model.input.rows, configuration.model.input.columns) = (19, 21)
        change(&configuration)
        return try Predictor(
            try await TestClips().classifier(configuration), preprocessing: .symmetric, for: .scores, loadedClips: 1,
            workers: Workers(count: 2))
    }

    /// A clip of frames that look different, by their numbers.
    private func clip(_ numbers: [Int], validFrames: Int? = nil) -> LoadedClip {
        let shape = ClipShape(frames: numbers.count, channels: 3, rows: 19, columns: 21)
        let values = numbers.flatMap { number in
            (0..<shape.frameCount).map { UInt8(truncatingIfNeeded: ($0 &* (number + 3)) >> 2 ^ number) }
        }
        return LoadedClip(
            clip: Clip(shape: shape, pixels: .bytes(values)), validFrames: validFrames ?? numbers.count, sourceFrames: numbers.count)
    }

    @Test(arguments: [ConvolutionChoice.im2col, .winograd], [CNNPooling.average, .flatten])
    func overlappingWindowsGiveTheSameBits(_ convolution: ConvolutionChoice, _ pooling: CNNPooling) async throws {
        let predictor = try await predictor {
            $0.model.cnn?.convolution = convolution
            $0.model.cnn?.pooling = pooling
            $0.model.cnn?.architecture = .blocks([[6, 5], [8]])
        }
        let clips =
            (0..<12).map { clip(stride(from: 2 * $0, to: 2 * $0 + 10, by: 2).map(\.self)) } + [
                clip([3, 3, 7, 7, 7]), clip([1, 2, 2, 2, 2], validFrames: 2),
            ]
        for isFloat in [false, true] {
            let clips = isFloat ? clips.map { LoadedClip(clip: floats($0.clip), validFrames: $0.validFrames, sourceFrames: 1) } : clips
            // 0, 2, ..., 30, then 3, 7 and 1.
            for (bytes, encoded) in [(Int.max, 16 + 3), (0, nil)] {
                let known = FrameFeatures(bytes: bytes)
                for clip in clips {
                    let (expected, found) = (predictor.output(clip), predictor.output(clip, known))
                    #expect(found.logits.map(\.bitPattern) == expected.logits.map(\.bitPattern))
                    #expect(found.feature.map(\.bitPattern) == expected.feature.map(\.bitPattern))
                    #expect(expected.logits.allSatisfy { $0.isFinite })
                }
                if let encoded { #expect(known.encoded == encoded) }
                #expect(known.encoded < clips.count * FrameFeaturesTests.frames / 2)
            }
        }
    }

    private func floats(_ clip: Clip) -> Clip {
        guard case .bytes(let values) = clip.pixels else { return clip }
        return Clip(shape: clip.shape, pixels: .floats(values.map { Float($0) / 3 }))
    }

    /// The memory of a prediction is that of encoding all frames.
    @Test func noMoreScratchMemory() async throws {
        let predictor = try await predictor { $0.model.cnn?.pooling = .flatten }
        let reserved = predictor.workspaceBytes
        let known = FrameFeatures()
        for start in 0..<8 { _ = predictor.output(clip((start..<start + 5).map { $0 % 7 }), known) }
        #expect(known.encoded == 7)
        #expect(predictor.workspaceBytes == reserved && predictor.workspacePeak <= reserved)
    }
}
