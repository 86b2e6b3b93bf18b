import VidData
import VidModel
import VidReport
import VidRun
import VidSystem

extension InputExplanation {
    /// The features that the text names at most.
    private static let shownFeatures = 10

    private static func percent(_ score: Float) -> String { Formatting.fixed(Double(score) * 100, 1) + " %" }

    /// A class's name in quotation marks, safe to print.
    private func name(_ number: Int) -> String { "\"\(classes[number].printable)\"" }

    /// "\"climbing\" (93.1 %)".
    private func scored(_ number: Int) -> String { "\(name(number)) (\(InputExplanation.percent(scores[number])))" }

    /// The explained class, and the one that it is compared with.
    private var decision: String { name(target) + (against.map { " rather than \(name($0))" } ?? "") }

    var title: String {
        var title = "\(PathText.name(input).printable): what led to \(decision) (\(InputExplanation.percent(scores[target])))"
        if let best = ranked.first, best != target { title += "; the model's answer is \(scored(best))" }
        return title
    }

    var subtitle: String {
        let sum = contributions.joined().reduce(0, +)
        // The frames' part is an integral at some points, and not exact.
        let rest = score - baseline - sum
        return "Baseline \(FrameStrip.signed(baseline)) + frames \(FrameStrip.signed(sum))"
            + (abs(rest) >= 0.005 ? " + approximation \(FrameStrip.signed(rest))" : "") + " = \(FrameStrip.signed(score)) (raw score)"
    }

    /// The decision, one line per frame, and the paths of the pictures.
    var text: String {
        let captions = zip(samples, contributions).flatMap { sample, values in values.indices.map { sample.caption($0) } }
        let shares = Array(shares.joined())
        let longest = shares.max() ?? 0
        let rows = zip(captions, zip(contributions.joined(), shares)).map { caption, frame -> [String] in
            let (value, share) = frame
            let cells = longest > 0 ? Int((share / longest * 20).rounded()) : 0
            let bar = String(repeating: value < 0 ? "░" : "█", count: cells)
            return [caption, FrameStrip.signed(value), FrameStrip.percent(share), cells > 0 ? bar + (value < 0 ? " against" : "") : ""]
        }
        var text = input.printable + "\n  " + scored(target)
        if let other = ranked.first(where: { $0 != target }) {
            text += (ranked.first == target ? "; next: " : "; the model's answer is ") + scored(other)
        }
        text += "\n" + Terminal.paragraph("  What led to \(decision), frame by frame. \(subtitle).", indent: 2)
        text += Terminal.paragraph("  A share is the amount that a frame adds or takes, out of the amounts of all frames.", indent: 2)
        text += Formatting.table([["", "adds", "share", ""]] + rows, right: [0, 1, 2], indent: "    ")
        let features = topFeatures(InputExplanation.shownFeatures)
        if !features.isEmpty {
            text += "  The features that count most, over all frames\(featureNames.isEmpty ? " (numbers from 0)" : ""):\n"
            text += Formatting.table(
                [["", "adds"]] + features.map { [$0.name.printable, FrameStrip.signed($0.contribution)] }, right: [0, 1],
                indent: "    ")
        }
        if !isOfVectors, samples.allSatisfy({ $0.explanation.hottest == 0 }) { text += "  No region led to it.\n" }
        for path in files.all { text += "  \(path.printable)\n" }
        return text
    }

    /// The JSON document that the command's help describes.
    var document: JSONNode {
        let predictions = ranked.map { JSONNode.object([("label", .string(classes[$0])), ("score", .number(scores[$0]))]) }
        let names: [(String, JSONNode)] = featureNames.isEmpty ? [] : [("feature_names", .array(featureNames.map { .string($0) }))]
        return .object(
            [
                ("input", .string(input)), ("class", .string(classes[target])), ("against", against.map { .string(classes[$0]) } ?? .null),
                ("predictions", .array(predictions)), ("score", .number(score)), ("baseline", .number(baseline)),
                ("picture", .string(ifAny: files.picture)), ("animation", .string(ifAny: files.animation)),
                (
                    "samples",
                    .array(
                        zip(samples, zip(contributions, shares)).map {
                            .object([("frames", .array(InputExplanation.frames($0, $1.0, $1.1, of: samples.count)))])
                        })
                ),
            ] + names)
    }

    /// The element of an input that failed.
    static func document(of error: VidclassError, input: String) -> JSONNode {
        .object([("input", .string(input)), ("predictions", .array([])), ("error", .string(error.message))])
    }

    private static func frames(
        _ sample: ExplanationPicture.Sample, _ contributions: [Float], _ shares: [Double], of samples: Int
    ) -> [JSONNode] {
        let explanation = sample.explanation
        return contributions.enumerated().map { index, contribution in
            let moment = sample.moment(index)
            let map = (0..<explanation.mapRows).map { row in
                JSONNode.array(
                    explanation.maps[index][row * explanation.mapColumns..<(row + 1) * explanation.mapColumns].map { .number($0) })
            }
            var members: [(String, JSONNode)] = [
                ("frame", moment.map { .integer($0.frame) } ?? .null), ("seconds", .number(ifAny: moment?.seconds)),
                ("contribution", .number(contribution)), ("share", .number(shares[index])),
            ]
            if explanation.mapRows > 0 {
                members.append(("map", .array(map)))
            } else {
                members.append(("features", .array(explanation.featureContributions[index].map { .number($0 / Float(samples)) })))
            }
            return .object(members)
        }
    }
}
