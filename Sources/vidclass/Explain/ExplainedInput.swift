import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// What of one input spoke for a class.
struct ExplainedInput {
    let input: String
    private let classes: [String]
    private let target: Int
    private let against: Int?
    private let scores: [Float]
    private let samples: [ExplanationPicture.Sample]
    private var files = ExplanationFiles.Paths()

    /// Loads the input and explains each of the samples whose scores are averaged.
    ///
    /// - Parameter target: nil: the likeliest class, of those that it is not set against.
    init(_ path: String, _ saved: SavedModel, _ predictor: Predictor, target: Int?, against: Int?) async throws {
        input = path
        classes = saved.classifier.classes
        let loader = saved.loader
        var seen: [(clip: LoadedClip, clipSeen: ClipActivations, moments: [FrameMoment]?)] = []
        var length: ClipLength?
        let views = saved.evaluationViews
        try await loader.load(path, views: views) { place, clip in
            let view = views[place]
            if length == nil { length = try await loader.length(of: path) }
            // Frames counted by decoding may be fewer than the file's packets.
            length?.frames = clip.sourceFrames
            let moments = try length.map { try loader.moments(view, of: $0, path: path) }
            seen.append((clip, predictor.activations(of: clip), moments))
        }
        scores = Scores.mean(seen.map(\.clipSeen.logits))
        guard scores.allSatisfy(\.isFinite) else {
            throw VidclassError.file(path, "the model's scores for it are no numbers: there is nothing to explain")
        }
        let order = ExplainedInput.ranked(scores)
        let chosen = target ?? order.first { $0 != against } ?? 0
        self.target = chosen
        self.against = against
        samples = seen.map {
            ExplanationPicture.Sample(
                clip: $0.clip, explanation: predictor.explain($0.clipSeen, target: chosen, against: against), moments: $0.moments)
        }
    }

    /// Writes the picture and the animation that are asked for.
    mutating func write(to files: ExplanationFiles.Paths, _ writer: AnimationWriter) async throws {
        let picture = ExplanationPicture(samples: samples, title: title, subtitle: subtitle)
        let strip = picture.strip
        if let path = files.picture {
            let png = try strip.png()
            try AtomicFile.write(to: path) { try $0.write(png) }
        }
        if let path = files.animation {
            let film = try ExplanationFilm(strip)
            let rate = Double(samples[0].clip.framesPerSecond)
            try await writer.write(
                film.frames, rows: film.rows, columns: film.columns, framesPerSecond: rate > 0 ? min(max(rate, 1), 20) : 4, to: path)
        }
        self.files = files
    }

    private static func ranked(_ scores: [Float]) -> [Int] {
        scores.indices.sorted { scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1) }
    }

    /// Means over the samples, to which the contributions of all frames add up.
    private func mean(_ value: (ClipExplanation) -> Float) -> Float {
        samples.reduce(0) { $0 + value($1.explanation) } / Float(samples.count)
    }

    private var score: Float { mean(\.score) }
    private var baseline: Float { mean(\.baseline) }
    private var contributions: [[Float]] {
        samples.map { sample in
            sample.explanation.contributions.prefix(sample.explanation.validFrames).map { $0 / Float(samples.count) }
        }
    }

    private var what: String { classes[target].printable + (against.map { " rather than \(classes[$0].printable)" } ?? "") }

    private static func percent(_ score: Float) -> String { Formatting.fixed(Double(score) * 100, 1) + " %" }

    private var title: String {
        var title = "\(PathText.name(input).printable): what spoke for \(what) (\(ExplainedInput.percent(scores[target])))"
        if let best = ExplainedInput.ranked(scores).first, best != target {
            title += "; the model says \(classes[best].printable) (\(ExplainedInput.percent(scores[best])))"
        }
        return title
    }

    private var subtitle: String {
        let sum = contributions.joined().reduce(0, +)
        return "Score (logit) \(FrameStrip.signed(score)) = \(FrameStrip.signed(baseline)) with nothing seen and "
            + "\(FrameStrip.signed(sum)) from the frames"
    }

    /// The decision, a line a frame, and where the pictures are.
    var text: String {
        let longest = contributions.joined().reduce(0) { max($0, abs($1)) }
        var rows: [[String]] = []
        for (sample, values) in zip(samples, contributions) {
            for (frame, value) in values.enumerated() {
                let cells = longest > 0 ? Int((abs(value) / longest * 20).rounded()) : 0
                let bar = String(repeating: value < 0 ? "░" : "█", count: cells)
                let words = cells > 0 ? bar + (value < 0 ? " against" : "") : ""
                rows.append([sample.caption(frame), FrameStrip.signed(value), words])
            }
        }
        let ranked = ExplainedInput.ranked(scores)
        var text = input.printable + "\n"
        text += "  \(classes[target].printable) \(ExplainedInput.percent(scores[target]))"
        if let other = ranked.first(where: { $0 != target }) {
            text += ranked.first == target ? "; next " : "; the model says "
            text += "\(classes[other].printable) \(ExplainedInput.percent(scores[other]))"
        }
        text += "\n  What spoke for \(what), by frame. \(subtitle).\n"
        text += Formatting.table(rows, right: [0, 1], indent: "    ")
        if samples.allSatisfy({ $0.explanation.hottest == 0 }) { text += "  No region spoke for it.\n" }
        for path in files.all { text += "  \(path.printable)\n" }
        return text
    }

    /// As the command's help says.
    var document: JSONNode {
        .object([
            ("input", .string(input)), ("class", .string(classes[target])), ("against", against.map { .string(classes[$0]) } ?? .null),
            (
                "predictions",
                .array(ExplainedInput.ranked(scores).map { .object([("label", .string(classes[$0])), ("score", .number(scores[$0]))]) })
            ),
            ("score", .number(score)), ("baseline", .number(baseline)), ("picture", files.picture.map { .string($0) } ?? .null),
            ("animation", files.animation.map { .string($0) } ?? .null),
            ("samples", .array(zip(samples, contributions).map { .object([("frames", .array(ExplainedInput.frames($0, $1)))]) })),
        ])
    }

    private static func frames(_ sample: ExplanationPicture.Sample, _ contributions: [Float]) -> [JSONNode] {
        let explanation = sample.explanation
        return contributions.enumerated().map { index, contribution in
            let moment = sample.moments?[index]
            let map = (0..<explanation.mapRows).map { row in
                JSONNode.array(
                    explanation.maps[index][row * explanation.mapColumns..<(row + 1) * explanation.mapColumns].map { .number($0) })
            }
            return .object([
                ("frame", moment.map { .integer($0.frame) } ?? .null), ("seconds", moment?.seconds.map { .number($0) } ?? .null),
                ("contribution", .number(contribution)), ("map", .array(map)),
            ])
        }
    }
}
