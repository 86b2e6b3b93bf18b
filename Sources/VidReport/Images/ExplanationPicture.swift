import VidData
import VidModel
import VidTrain

/// The frames and regions of a clip that count for a class, as a picture.
package struct ExplanationPicture: Sendable {
    /// One sample of a clip with its explanation.
    package struct Sample: Sendable {
        package let clip: LoadedClip
        package let explanation: ClipExplanation

        package init(clip: LoadedClip, explanation: ClipExplanation) {
            self.clip = clip
            self.explanation = explanation
        }

        /// The place of a frame in the file; nil if the clip was not loaded from a file.
        package func moment(_ frame: Int) -> FrameMoment? { clip.moments.isEmpty ? nil : clip.moments[frame] }

        /// The text above a frame: its time or, if that is unknown, its number.
        package func caption(_ frame: Int) -> String {
            guard let moment = moment(frame) else { return "frame \(frame + 1)" }
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
                let map = explanation.maps[index]
                frames.append(
                    FrameStrip.Frame(
                        rgb: rgb, caption: sample.caption(index),
                        heat: map.isEmpty ? nil : HeatMap(rows: explanation.mapRows, columns: explanation.mapColumns, values: map),
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
        _ clip: LoadedClip, _ predictor: Predictor, target: Int? = nil, against: Int? = nil, title: String = "",
        mostFrames: Int = 8
    ) throws -> (explanation: ClipExplanation, png: [UInt8]) {
        let seen = try predictor.activations(of: clip)
        let best = seen.logits.indices.max { seen.logits[$0] < seen.logits[$1] } ?? 0
        let explanation = predictor.explain(seen, target: target ?? best, against: against)
        let picture = ExplanationPicture(samples: [Sample(clip: clip, explanation: explanation)], title: title)
        var strip = picture.strip
        strip.mostFrames = mostFrames
        return (explanation, try strip.png())
    }
}
