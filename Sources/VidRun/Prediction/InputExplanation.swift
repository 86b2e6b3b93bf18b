import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// The explanation of one input: which frames and regions led the model to a class.
package struct InputExplanation: Sendable {
    package let input: String
    package let classes: [String]
    /// The number of the explained class.
    package let target: Int
    /// The number of the class that it is compared with, if any.
    package let against: Int?
    /// The probability of each class.
    package let scores: [Float]
    package let samples: [ExplanationPicture.Sample]
    /// The names of the features of vectors; empty where they have none.
    package let featureNames: [String]
    private let data: DataConfiguration
    /// The files that were written.
    package private(set) var files = ExplanationFiles.Paths()

    /// A predictor for explanations of one input at a time.
    ///
    /// - Throws: `.badData` where the model's input does not fit into memory, `.other` if memory runs out.
    package static func predictor(_ saved: SavedModel, _ workers: Workers) throws -> Predictor {
        let samples = saved.evaluationViews.count
        // The frames are drawn in colours, and over them the maps.
        return try saved.predictor(for: .explanation(samples: samples), loadedClips: 5 * samples, workers)
    }

    /// Loads the input and explains each of the samples whose scores are averaged.
    ///
    /// - Parameter target: nil for the likeliest class other than `against`.
    /// - Throws: what loading the input throws, and `.badData` if its scores aren't finite.
    package init(_ path: String, _ saved: SavedModel, _ predictor: Predictor, target: Int?, against: Int?) async throws {
        input = path
        classes = saved.classifier.classes
        data = saved.configuration.data
        featureNames = data.featureNames
        var seen: [(clip: LoadedClip, activations: ClipActivations)] = []
        try await saved.loader.load(path, views: saved.evaluationViews) { _, clip in
            seen.append((clip, try predictor.activations(of: clip)))
        }
        scores = Scores.mean(seen.map(\.activations.logits))
        try saved.requireFinite(scores, of: path)
        let chosen = target ?? Scores.ranked(scores).first { $0 != against } ?? 0
        self.target = chosen
        self.against = against
        samples = seen.map {
            ExplanationPicture.Sample(
                clip: $0.clip, explanation: predictor.explain($0.activations, target: chosen, against: against))
        }
    }

    /// Whether it is of vectors over time, which have no pictures.
    package var isOfVectors: Bool { samples[0].explanation.mapRows == 0 }

    /// The features of vectors that contribute most over all frames and samples, to the mean of the samples' scores; largest first.
    package func topFeatures(_ count: Int) -> [(name: String, contribution: Float)] {
        var sums: [Int: Float] = [:]
        for sample in samples where isOfVectors {
            for (feature, value) in sample.explanation.topFeatures(.max) { sums[feature, default: 0] += value / Float(samples.count) }
        }
        return sums.map { ($0.key, $0.value) }.sorted { (abs($1.1), $0.0) < (abs($0.1), $1.0) }.prefix(count)
            .map { (data.featureName($0), $1) }
    }

    /// Writes the picture and the animation that are asked for; nothing for vectors.
    ///
    /// - Parameters:
    ///   - title: over the picture.
    ///   - subtitle: below the title.
    package mutating func write(
        to files: ExplanationFiles.Paths, title: String, subtitle: String, _ writer: AnimationWriter
    ) async throws {
        guard !isOfVectors else { return }
        let strip = ExplanationPicture(samples: samples, title: title, subtitle: subtitle).strip
        if let path = files.picture {
            let png = try strip.png()
            try AtomicFile.write(to: path, followingLink: files.areNamed) { try $0.write(png) }
        }
        if let path = files.animation {
            let film = try ExplanationFilm(strip)
            let rate = Double(samples[0].clip.framesPerSecond)
            try await writer.write(
                film.frames, rows: film.rows, columns: film.columns, framesPerSecond: rate > 0 ? min(max(rate, 1), 20) : 4, to: path,
                followingLink: files.areNamed)
        }
        self.files = files
    }

    /// Class numbers, likeliest first.
    package var ranked: [Int] { Scores.ranked(scores) }

    /// Mean over the samples, to which the contributions of all frames add up.
    private func mean(_ value: (ClipExplanation) -> Float) -> Float {
        samples.reduce(0) { $0 + value($1.explanation) } / Float(samples.count)
    }

    /// The raw score (logit) that is explained.
    package var score: Float { mean(\.score) }
    /// The score of a clip in which nothing is seen.
    package var baseline: Float { mean(\.baseline) }
    /// The contribution of each frame of each sample to the logit.
    package var contributions: [[Float]] {
        samples.map { sample in
            sample.explanation.contributions.prefix(sample.explanation.validFrames).map { $0 / Float(samples.count) }
        }
    }
    /// The share of each frame of each sample; all of them add up to 1.
    package var shares: [[Double]] {
        var rest = FrameStrip.shares(of: Array(contributions.joined()))[...]
        return contributions.map { frames in
            defer { rest = rest.dropFirst(frames.count) }
            return Array(rest.prefix(frames.count))
        }
    }
}
