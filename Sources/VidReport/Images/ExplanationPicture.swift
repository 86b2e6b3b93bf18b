import VidData
import VidModel
import VidTrain

/// The frames and regions of a clip that count for a class, as a picture.
package struct ExplanationPicture: Sendable {
    /// One sample of a clip with its explanation.
    package struct Sample: Sendable {
        package let clip: LoadedClip
        package let explanation: ClipExplanation
        /// The place of each frame in the file; nil if it is not needed.
        package let moments: [FrameMoment]?

        package init(clip: LoadedClip, explanation: ClipExplanation, moments: [FrameMoment]? = nil) {
            self.clip = clip
            self.explanation = explanation
            self.moments = moments
        }

        /// The text above a frame: its time or, if that is unknown, its number.
        package func caption(_ frame: Int) -> String {
            guard let moments else { return "frame \(frame + 1)" }
            let moment = moments[frame]
            return moment.seconds.map { Formatting.fixed($0, 2) + " s" } ?? "frame \(moment.frame + 1)"
        }
    }

    package let samples: [Sample]
    package var title: String
    package var subtitle: String

    /// - Parameter samples: the samples of one clip; several if `evaluation.clips` is more than one.
    package init(samples: [Sample], title: String, subtitle: String = "") {
        precondition(!samples.isEmpty, "no sample of a clip")
        (self.samples, self.title, self.subtitle) = (samples, title, subtitle)
    }

    /// The valid frames of all samples, one after the other. Contributions are to the mean of the samples' scores, so that they add
    /// up to it.
    package var strip: FrameStrip {
        let shape = samples[0].clip.clip.shape
        var frames: [FrameStrip.Frame] = []
        for sample in samples {
            let explanation = sample.explanation
            for (index, rgb) in FramePixels.rgb(sample.clip.clip).prefix(explanation.validFrames).enumerated() {
                frames.append(
                    FrameStrip.Frame(
                        rgb: rgb, caption: sample.caption(index),
                        heat: HeatMap(rows: explanation.mapRows, columns: explanation.mapColumns, values: explanation.maps[index]),
                        contribution: explanation.contributions[index] / Float(samples.count)))
            }
        }
        var strip = FrameStrip(rows: shape.rows, columns: shape.columns, frames: frames, title: title, subtitle: subtitle)
        strip.mostFrames = 24
        return strip
    }

    /// Explains class `target` of one loaded clip, by default the predicted class, and draws it for a report.
    ///
    /// Takes about as long as a prediction.
    package static func make(
        _ clip: LoadedClip, _ predictor: Predictor, target: Int? = nil, against: Int? = nil, moments: [FrameMoment]? = nil,
        title: String = "", mostFrames: Int = 8
    ) throws -> (explanation: ClipExplanation, png: [UInt8]) {
        let seen = try predictor.activations(of: clip)
        let best = seen.logits.indices.max { seen.logits[$0] < seen.logits[$1] } ?? 0
        let explanation = predictor.explain(seen, target: target ?? best, against: against)
        let picture = ExplanationPicture(samples: [Sample(clip: clip, explanation: explanation, moments: moments)], title: title)
        var strip = picture.strip
        strip.mostFrames = mostFrames
        return (explanation, try strip.png())
    }
}
