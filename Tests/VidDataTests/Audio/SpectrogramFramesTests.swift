import Testing
import VidConfig
import VidData

/// Dividing spectrograms into frames.
@Suite struct SpectrogramFramesTests {
    private static let layout = SpectrogramFrames(AudioConfiguration(), rows: 16, columns: 8)
    /// A step of 256 samples for each of 8 columns.
    private static let framesPerSecond: Float = 16000 / (256 * 8)

    private func spectrogram(_ samples: [Float], _ audio: AudioConfiguration = AudioConfiguration(), bands: Int = 16) -> LogMelSpectrogram {
        var spectrogram = LogMelSpectrogram(audio, filters: MelFilterBank(count: bands, audio))
        samples.withUnsafeBufferPointer { spectrogram.append($0) }
        spectrogram.finish()
        return spectrogram
    }

    /// With 8 columns, an incomplete frame counts from 4 steps on.
    @Test(arguments: [(1, 1), (3, 1), (8, 1), (11, 1), (12, 2), (16, 2), (19, 2), (20, 3)])
    func halfFullFramesAreKept(_ steps: Int, _ frames: Int) {
        #expect(SpectrogramFramesTests.layout.frames(ofSteps: steps) == frames)
        let samples = (0..<(steps - 1) * 256 + 1).map { Float($0 % 50) / 100 }
        let made = spectrogram(samples)
        #expect(made.steps == steps)
        let clip = SpectrogramFramesTests.layout.clip(made)
        #expect(clip.shape == ClipShape(frames: frames, channels: 1, rows: 16, columns: 8))
        #expect(clip.framesPerSecond == SpectrogramFramesTests.framesPerSecond)
    }

    /// (dB + top_db) / top_db x 255, lowest band at the bottom, time to the right, padding 0; one plane or three.
    @Test(arguments: [1, 3])
    func valuesAndPlaces(_ channels: Int) throws {
        var audio = AudioConfiguration()
        audio.topDecibels = 50
        let made = spectrogram((0..<3000).map { Float(($0 * $0) % 97) / 97 - 0.5 }, audio)
        let layout = SpectrogramFrames(audio, channels: channels, rows: 16, columns: 8)
        let clip = layout.clip(made)
        #expect(made.steps == 12 && clip.shape.frames == 2)
        guard case .floats(let values) = clip.pixels else {
            Issue.record("expected floats")
            return
        }
        #expect(values.max() == 255 && values.min() == 0)
        for (index, value) in values.enumerated() {
            let (column, row, frame) = (index % 8, index / 8 % 16, index / (8 * 16 * channels))
            let step = frame * 8 + column
            let expected: Float = step < 12 ? (made.decibels[step * 16 + 15 - row] + 50) / 50 * 255 : 0
            // The same operations in two orders.
            #expect(abs(value - expected) <= 1e-4)
        }
    }

    /// A low tone is a line near the bottom.
    @Test func lowIsAtTheBottom() throws {
        let tone = (0..<4000).map { Float($0 % 80 < 40 ? 0.5 : -0.5) }  // 200 Hz
        guard case .floats(let values) = SpectrogramFramesTests.layout.clip(spectrogram(tone)).pixels else {
            Issue.record("expected floats")
            return
        }
        let column = 4
        let brightest = (0..<16).max { values[$0 * 8 + column] < values[$1 * 8 + column] }
        #expect(brightest == 15)
    }

    @Test func silenceIsBlack() {
        #expect(
            SpectrogramFramesTests.layout.clip(spectrogram([Float](repeating: 0, count: 4000))).pixels
                == .floats(.init(repeating: 0, count: 2 * 16 * 8)))
    }
}
