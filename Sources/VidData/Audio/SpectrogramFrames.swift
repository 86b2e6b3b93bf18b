import VidConfig
import VidTensor

/// Converts a spectrogram to the frames of a clip.
///
/// A frame is `columns` steps; frames do not overlap. An incomplete last frame is kept if it is at least half full or the only
/// one, and padded with silence. A value is (dB + top_db) / top_db x 255: 0 for the quietest distinguishable sound, 255 for the
/// loudest, so that preprocessing has the same meaning as for pixels. Time runs to the right and the lowest band is the bottom
/// row.
package struct SpectrogramFrames: Sendable {
    package let audio: AudioConfiguration
    /// 1, or 3 for three equal planes.
    package let channels: Int
    /// The number of mel bands.
    package let rows: Int
    /// The number of spectrogram steps in a frame.
    package let columns: Int

    /// The largest number of values of a spectrogram: 512 MiB, nine hours at 64 bands and the default rate.
    package static let maximumValues = 1 << 27

    package init(_ audio: AudioConfiguration, channels: Int = 1, rows: Int, columns: Int) {
        precondition(channels >= 1 && rows >= 1 && columns >= 1, "frames of (\(channels), \(rows), \(columns))")
        self.audio = audio
        self.channels = channels
        self.rows = rows
        self.columns = columns
    }

    package var framesPerSecond: Double { Double(audio.sampleRate) / Double(audio.hopLength * columns) }

    /// The largest number of samples that a sound may have.
    package var maximumSamples: Int {
        max(1, SpectrogramFrames.maximumValues / (channels * rows) - 1) * audio.hopLength
    }

    /// The number of frames of a spectrogram of `steps` steps.
    package func frames(ofSteps steps: Int) -> Int {
        let rest = steps % columns
        return max(1, steps / columns + (2 * rest >= columns ? 1 : 0))
    }

    /// The number of frames of a sound of `seconds` seconds.
    package func frames(ofSeconds seconds: Double) -> Int {
        frames(ofSteps: LogMelSpectrogram.steps(of: Int((min(seconds, 1e9) * Double(audio.sampleRate)).rounded()), audio))
    }

    /// The frames of `spectrogram` as float32.
    ///
    /// Complete silence is all 0. (librosa's relative decibels are 0 everywhere then, which would show silence as white.)
    package func clip(_ spectrogram: LogMelSpectrogram) -> Clip {
        precondition(spectrogram.bands == rows && spectrogram.steps >= 1, "\(spectrogram.steps) steps of \(spectrogram.bands) bands")
        let shape = ClipShape(frames: frames(ofSteps: spectrogram.steps), channels: channels, rows: rows, columns: columns)
        var values = [Float](repeating: 0, count: shape.count)
        if spectrogram.power.contains(where: { Double($0) > LogMelSpectrogram.leastPower }) {
            let decibels = spectrogram.decibels
            let scale = 255 / Float(audio.topDecibels)
            let top = Float(audio.topDecibels)
            for step in 0..<min(spectrogram.steps, shape.frames * columns) {
                let (frame, column) = step.quotientAndRemainder(dividingBy: columns)
                for band in 0..<rows {
                    let value = max(0, (decibels[step * rows + band] + top) * scale)
                    for channel in 0..<channels {
                        values[((frame * channels + channel) * rows + rows - 1 - band) * columns + column] = value
                    }
                }
            }
        }
        return Clip(shape: shape, pixels: .floats(values), framesPerSecond: Float(framesPerSecond))
    }
}
