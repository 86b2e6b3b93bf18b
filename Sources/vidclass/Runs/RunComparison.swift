import RealModule
import VidConfig
import VidReport
import VidSystem
import VidTrain

/// Runs beside each other: their figures, what their configurations differ in, and whether their decisions on the same clips
/// differ by more than chance.
struct RunComparison {
    /// One run, with its predictions where it has them.
    struct Run {
        let name: String
        let facts: RunFacts
        let evaluation: Evaluation?
        /// Why there is none.
        let missing: String?
        let accuracy: Measure?

        init(_ facts: RunFacts, name: String) {
            self.name = name
            self.facts = facts
            let path = facts.folder.path + "/predictions.csv"
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

    /// Two runs on the clips that both have decided on.
    struct Pair {
        let first: Int
        let second: Int
        /// Clips that both decided on, under the same label.
        var common = 0
        var onlyInFirst = 0
        var onlyInSecond = 0
        /// Clips of both whose labels differ: left out.
        var relabelled = 0
        var test = McNemar(onlyFirst: 0, onlySecond: 0)
        /// After Holm's correction for all pairs.
        var adjusted = 1.0

        /// The usual bound for calling a difference real: one false alarm in twenty.
        static let level = 0.05
        var isWithinNoise: Bool { !(adjusted < Pair.level) }
    }

    /// A key of the configuration that has not the same value in all runs.
    struct Difference {
        let key: String
        /// One a run; empty where the key is not there.
        let values: [String]
    }

    let runs: [Run]
    private(set) var pairs: [Pair] = []
    let differences: [Difference]

    init(_ runs: [Run]) {
        self.runs = runs
        differences = RunComparison.differences(runs.map(\.facts.config))
        for first in runs.indices {
            for second in runs.indices where second > first {
                guard let a = runs[first].evaluation, let b = runs[second].evaluation else { continue }
                pairs.append(RunComparison.pair(first, a, second, b))
            }
        }
        // Pairs without a common clip are no tests.
        let tested = pairs.indices.filter { pairs[$0].common > 0 }
        for (index, value) in zip(tested, Holm.adjusted(tested.map { pairs[$0].test.pValue })) { pairs[index].adjusted = value }
    }

    /// How many pairs were tested.
    var tests: Int { pairs.count { $0.common > 0 } }

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

    /// Keys in the order of the files; where a run writes itself to is no difference.
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
