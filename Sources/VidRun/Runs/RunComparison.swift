import RealModule
import VidReport
import VidSystem
import VidTrain

/// Several runs side by side: their metrics, how their configurations differ, and whether their decisions on the same clips differ
/// by more than chance.
package struct RunComparison {
    /// One run with its predictions, if it has them.
    package struct Run {
        package let name: String
        package let facts: RunFacts
        package let evaluation: Evaluation?
        /// Why there is no evaluation.
        package let missing: String?
        package let accuracy: Measure?

        init(_ facts: RunFacts, name: String) {
            self.name = name
            self.facts = facts
            let path = facts.folder.report.predictions
            do {
                let (classes, clips) = try PredictionsFile.read(path)
                let losses = clips.map { clip in
                    -Double.log(max(Double(clip.scores[clip.label]), EvaluationMetrics.smallestScore))
                }
                let evaluation = Evaluation(classes: classes, clips: clips, losses: losses)
                self.evaluation = clips.isEmpty ? nil : evaluation
                missing = clips.isEmpty ? "predictions.csv holds no clips" : nil
                accuracy = clips.isEmpty ? nil : Measure(clips.count { $0.decision == $0.label }, of: clips.count)
            } catch {
                evaluation = nil
                accuracy = nil
                let isThere = (try? SystemCall.status(path)) != nil
                missing = isThere ? "predictions.csv: \((error as? VidclassError)?.message ?? "\(error)")" : "no predictions.csv"
            }
        }
    }

    /// Two runs on the clips that both have predictions for.
    package struct Pair {
        package let first: Int
        package let second: Int
        /// Clips that both have, with the same label.
        package fileprivate(set) var common = 0
        package fileprivate(set) var onlyInFirst = 0
        package fileprivate(set) var onlyInSecond = 0
        /// Clips that both have, with different labels; they are left out.
        package fileprivate(set) var relabelled = 0
        package fileprivate(set) var test = McNemar(onlyFirst: 0, onlySecond: 0)
        /// The p-value after Holm's correction for all pairs.
        package fileprivate(set) var adjusted = 1.0

        /// The usual bound for calling a difference real: one false alarm in twenty.
        private static let level = 0.05
        package var isWithinNoise: Bool { !(adjusted < Pair.level) }
    }

    /// A key of the configuration with different values in different runs.
    package struct Difference {
        package let key: String
        /// One per run; empty if the run's configuration doesn't have the key.
        package let values: [String]
    }

    package let runs: [Run]
    package private(set) var pairs: [Pair] = []
    package let differences: [Difference]

    package init(_ facts: [RunFacts]) {
        // Runs have the names of their folders, or their paths if two names are equal.
        let names = Set(facts.map(\.name)).count == facts.count ? facts.map(\.name) : facts.map(\.folder.path)
        runs = zip(facts, names).map { Run($0, name: $1) }
        differences = RunComparison.differences(runs.map(\.facts.config))
        for first in runs.indices {
            for second in runs.indices where second > first {
                guard let a = runs[first].evaluation, let b = runs[second].evaluation else { continue }
                pairs.append(RunComparison.pair(first, a, second, b))
            }
        }
        // Pairs without a common clip can't be tested.
        let tested = pairs.indices.filter { pairs[$0].common > 0 }
        for (index, value) in zip(tested, Holm.adjusted(tested.map { pairs[$0].test.pValue })) { pairs[index].adjusted = value }
    }

    /// The number of tested pairs.
    package var tests: Int { pairs.count { $0.common > 0 } }

    private static func pair(_ first: Int, _ a: Evaluation, _ second: Int, _ b: Evaluation) -> Pair {
        var pair = Pair(first: first, second: second)
        var (onlyFirst, onlySecond) = (0, 0)
        let others = Dictionary(b.clips.map { (Array($0.clip.utf8), $0) }, uniquingKeysWith: { first, _ in first })
        for clip in a.clips {
            guard let other = others[Array(clip.clip.utf8)] else {
                pair.onlyInFirst += 1
                continue
            }
            guard a.classes[clip.label] == b.classes[other.label] else {
                pair.relabelled += 1
                continue
            }
            pair.common += 1
            switch (clip.decision == clip.label, other.decision == other.label) {
            case (true, false): onlyFirst += 1
            case (false, true): onlySecond += 1
            default: break
            }
        }
        pair.onlyInSecond = b.clips.count - pair.common - pair.relabelled
        pair.test = McNemar(onlyFirst: onlyFirst, onlySecond: onlySecond)
        return pair
    }

    // MARK: - Configurations

    /// Keys in the order of the files, without the place that a run is written to.
    private static func differences(_ configs: [JSONNode?]) -> [Difference] {
        var keys: [String] = []
        var seen: Set<String> = []
        var tables: [[String: String]] = []
        for config in configs {
            var table: [String: String] = [:]
            flatten(config ?? .object([]), "") { key, value in
                table[key] = value
                if seen.insert(key).inserted { keys.append(key) }
            }
            tables.append(table)
        }
        return keys.compactMap { key in
            guard !key.hasPrefix("output.") else { return nil }
            let values = tables.map { $0[key] ?? "" }
            return Set(values).count > 1 ? Difference(key: key, values: values) : nil
        }
    }

    private static func flatten(_ node: JSONNode, _ path: String, _ body: (String, String) -> Void) {
        let prefix = path.isEmpty ? "" : path + "."
        if let members = node.objectMembers, !members.isEmpty {
            for member in members { flatten(member.value, prefix + member.key, body) }
        } else if let elements = node.arrayElements, elements.contains(where: { $0.objectMembers != nil }) {
            for (index, element) in elements.enumerated() { flatten(element, prefix + "\(index)", body) }
        } else if !path.isEmpty {
            body(path, node.stringValue ?? node.text(pretty: false))
        }
    }
}
